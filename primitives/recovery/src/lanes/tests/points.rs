//! Points held against k256.

use alloy_primitives::U256;
use k256::{ProjectivePoint, Scalar};
use proptest::prelude::*;

use super::super::generator::{Generator, to_row};
use super::super::group::BETA;
use super::super::jacobian::{Affine, Jacobian};
use super::super::multiples::{MULTIPLES, Multiples, from_rows, to_rows};
use super::super::powers::inverse;
use super::super::vector::{LANES, Mask, Row, Vector};
use super::Test;
use crate::tests::MODULUS;

fn times_generator(multiplier: u64) -> ProjectivePoint {
    ProjectivePoint::GENERATOR * Scalar::from(multiplier)
}

fn row(point: ProjectivePoint) -> Row {
    to_row(&point.to_affine())
}

/// The point `(x/z², y/z³)` of each lane.
#[inline(always)]
fn affine_rows<V: Vector>(point: &Jacobian<V>) -> [Row; LANES] {
    let inverse = inverse(&point.z);
    let squared = V::squared(&inverse, 1);
    let cubed = V::times(&squared, &inverse);
    to_rows(&Affine { x: V::times(&point.x, &squared), y: V::times(&point.y, &cubed) })
}

/// Lanes `i` with the points `a[i]·G` and `b[i]·G`.
#[inline(always)]
pub(super) fn formulas<V: Vector>(multipliers: &[[u64; 2]; LANES]) {
    let first = multipliers.map(|[a, _]| times_generator(a));
    let second = multipliers.map(|[_, b]| times_generator(b));
    let (first_rows, second_rows) = (first.map(row), second.map(row));
    let a = from_rows::<V>(first_rows.each_ref());
    let b = from_rows::<V>(second_rows.each_ref());

    let mut sum = Jacobian::<V>::infinity();
    let z = sum.z;
    V::add_affine(&mut sum, &a, &z, 0b0101_1111);
    assert_eq!(sum.infinite, 0b1010_0000);
    V::double(&mut sum, 3);
    let z = sum.z;
    V::add_affine(&mut sum, &b, &z, 0b1111_0011);
    assert_eq!(sum.infinite, 0);
    let (rows, exceptional) = (affine_rows(&sum), sum.z.zeros());
    for lane in 0..LANES {
        let eightfold = first[lane] * Scalar::from(8_u64);
        let expected = match (0b0101_1111 >> lane & 1, 0b1111_0011 >> lane & 1) {
            (0, _) => second[lane],
            (_, 0) => eightfold,
            _ if eightfold == second[lane] || eightfold == -second[lane] => {
                assert_eq!(exceptional >> lane & 1, 1, "exceptional, lane {lane}");
                continue;
            }
            _ => eightfold + second[lane],
        };
        assert_eq!(exceptional >> lane & 1, 0, "not exceptional, lane {lane}");
        assert_eq!(rows[lane], row(expected), "sum, lane {lane}");
    }
    multiples_of(&a, &first);
    collisions(&a);
}

/// The table of multiples, brought back to the curve.
#[inline(always)]
fn multiples_of<V: Vector>(a: &Affine<V>, points: &[ProjectivePoint; LANES]) {
    let multiples = Multiples::of(a);
    for multiple in 0..MULTIPLES {
        let Affine { x, y } = from_rows::<V>(multiples.rows[multiple].each_ref());
        let z = multiples.scale;
        let rows = affine_rows(&Jacobian { x, y, z, infinite: 0 });
        for lane in 0..LANES {
            let expected = points[lane] * Scalar::from(multiple as u64 + 1);
            assert_eq!(rows[lane], row(expected), "multiple {}, lane {lane}", multiple + 1);
        }
    }
}

/// Once `z` is zero it stays so, whatever is added.
#[inline(always)]
fn collisions<V: Vector>(a: &Affine<V>) {
    for negative in [Mask::MIN, Mask::MAX] {
        let mut sum = Jacobian::<V>::infinity();
        let z = sum.z;
        V::add_affine(&mut sum, a, &z, Mask::MAX);
        let y = super::super::field::Field::select(negative, &a.y.negated(), &a.y);
        let z = sum.z;
        V::add_affine(&mut sum, &Affine { x: a.x, y }, &z, 0b0011_1100);
        for _ in 0..3 {
            assert_eq!(sum.z.zeros(), 0b0011_1100);
            V::double(&mut sum, 5);
            let z = sum.z;
            V::add_affine(&mut sum, a, &z, 0b1111_0000);
        }
    }
}

/// Multipliers, many of them such that eight times the one is the other.
fn multipliers() -> impl Strategy<Value = [u64; 2]> {
    prop_oneof![
        2 => (1..=u64::MAX, 1..=u64::MAX).prop_map(|(a, b)| [a, b]),
        1 => (1..u64::MAX / 8).prop_map(|a| [a, 8 * a]),
        1 => (1..40_u64, 1..40_u64).prop_map(|(a, b)| [a, b]),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn formulas_are_those_of_the_group(multipliers in proptest::array::uniform8(multipliers())) {
        Test::Points(&multipliers).everywhere();
    }
}

#[test]
fn tables_hold_multiples_of_the_generator() {
    let tables = Generator::tables();
    let high = ProjectivePoint::GENERATOR * (Scalar::from(u128::MAX) + Scalar::ONE);
    assert_eq!((tables.low.len(), tables.high.len()), (512, 512));
    for multiple in 1..=512_u64 {
        let index = multiple as usize - 1;
        assert_eq!(tables.low[index], row(times_generator(multiple)));
        assert_eq!(tables.high[index], row(high * Scalar::from(multiple)));
    }
}

#[test]
fn beta_multiplies_by_lambda() {
    let lambda =
        k256::U256::from_be_hex("5363ad4cc05c30e0a5261c028812645a122e22ea20816678df02967c1b23bd72");
    let lambda = <Scalar as k256::elliptic_curve::ops::Reduce<k256::U256>>::reduce(lambda);
    let [point, image] = [Scalar::ONE, lambda].map(|by| row(times_generator(5) * by));
    let [x, of_image] = [point, image].map(|Row([a, b, c, d, ..])| U256::from_limbs([a, b, c, d]));
    assert_eq!(x.mul_mod(U256::from_limbs(BETA), MODULUS), of_image);
    assert_eq!(point.0[4..], image.0[4..], "the same y");
}
