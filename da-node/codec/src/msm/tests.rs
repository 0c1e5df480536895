//! Sums over tables held against blst's.

use proptest::prelude::*;

use super::engine::{Engine, Exceptional};
use super::{FixedBase, Portable};
use crate::curve::{P1, P1Affine, lagrange_points, linear_combination};
use crate::field::Scalar;
use crate::field::tests::scalars;

fn points(count: usize) -> Vec<P1Affine> {
    let mut points = lagrange_points().expect("the setup");
    points.truncate(count);
    points
}

fn check<E: Engine>(base: &FixedBase<E>, points: &[P1Affine], rows: &[&[Scalar]]) {
    let sums = base.combine(rows);
    assert_eq!(sums.len(), rows.len());
    for (row, sum) in rows.iter().zip(sums) {
        let expected = linear_combination(&points[..row.len()], row);
        assert!(sum.equals(&expected), "a row of {}", row.len());
    }
}

fn rows_of_every_kind(longest: usize) -> Vec<Vec<Scalar>> {
    let largest = Scalar::ZERO.minus(Scalar::from_u128(1));
    let half = Scalar::from_u128(1 << 13);
    let mut rows: Vec<Vec<Scalar>> = vec![
        vec![Scalar::ZERO; longest],
        vec![largest; longest],
        vec![Scalar::from_u128(1); longest],
        vec![half; longest],
        vec![half.plus(Scalar::from_u128(1)); longest],
        vec![],
    ];
    let mut single = vec![Scalar::ZERO; longest];
    single[longest - 1] = largest;
    rows.push(single);
    rows.push(
        (0..longest as u64)
            .map(|i| {
                Scalar::from_wide(
                    [0, 1, 2, 3, 4, 5, 6]
                        .map(|k| (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ k << 60),
                )
            })
            .collect(),
    );
    rows
}

fn sums_rows_of_every_kind<E: Engine + Copy>(engine: E) {
    for longest in [1, 2, 9, 700, 1100] {
        let points = points(longest);
        let base = FixedBase::new(engine, points.clone()).expect("a table");
        let rows = rows_of_every_kind(longest);
        let rows: Vec<&[Scalar]> = rows.iter().map(Vec::as_slice).collect();
        check(&base, &points, &rows);
        for row in rows {
            check(&base, &points, &[row]);
        }
    }
}

/// A list of points of which two are equal and two opposite meets additions without formula.
fn falls_back_where_points_collide<E: Engine>(engine: E) {
    let mut points = points(4);
    points[1] = points[0];
    points[3] = points[2];
    points[3].y.negate_if(true);
    let base = FixedBase::new(engine, points.clone()).expect("a table");
    let one = Scalar::from_u128(1);
    let rows: [&[Scalar]; 3] = [&[one, one], &[Scalar::ZERO, Scalar::ZERO, one, one], &[one; 4]];
    for row in rows {
        assert_eq!(base.combine_at_once_for_tests(row).err(), Some(Exceptional));
    }
    check(&base, &points, &rows);
    assert!(base.combine(&[rows[1]])[0].equals(&P1::INFINITY));
}

fn refuses_infinity<E: Engine>(engine: E) {
    let points = vec![P1Affine::default()];
    assert_eq!(FixedBase::new(engine, points).err(), Some(Exceptional));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn sums_random_rows(rows in proptest::collection::vec(proptest::collection::vec(scalars(), 0..40), 1..6)) {
        let points = points(40);
        let rows: Vec<&[Scalar]> = rows.iter().map(Vec::as_slice).collect();
        check(&FixedBase::new(Portable, points.clone()).expect("a table"), &points, &rows);
        #[cfg(target_arch = "x86_64")]
        with_ifma(|engine| {
            check(&FixedBase::new(engine, points.clone()).expect("a table"), &points, &rows);
        });
    }
}

#[test]
fn the_portable_engine_sums_rows_of_every_kind() {
    sums_rows_of_every_kind(Portable);
}

#[test]
fn the_portable_engine_falls_back_where_points_collide() {
    falls_back_where_points_collide(Portable);
}

#[test]
fn the_portable_engine_refuses_infinity() {
    refuses_infinity(Portable);
}

/// The engine of this processor's vectors; a machine without them has nothing to test.
#[cfg(target_arch = "x86_64")]
fn with_ifma(test: impl Fn(super::Ifma)) {
    match super::Ifma::detect() {
        Some(engine) => test(engine),
        None => println!("skipped: this processor has no AVX-512IFMA"),
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn the_lanes_sum_rows_of_every_kind() {
    with_ifma(sums_rows_of_every_kind);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn the_lanes_fall_back_where_points_collide() {
    with_ifma(falls_back_where_points_collide);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn the_lanes_refuse_infinity() {
    with_ifma(refuses_infinity);
}
