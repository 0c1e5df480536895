//! Every operation of the lanes held against blst.

use proptest::prelude::*;

use super::Ifma;
use super::field::{
    Field, LANES, modulus_times, multiply, select, splat, subtract, subtract_thrice, thrice, twice,
};
use super::memory::{load, store, transpose};
use super::point::{AlignedLimbs, Limbs, Point, from_limbs, to_limbs};
use crate::curve::{Fp, lagrange_points};

type Numbers = [Fp; LANES];

fn difference(a: &Fp, b: &Fp) -> Fp {
    let mut result = *a;
    result.subtract(b);
    result
}

fn square(a: &Fp) -> Fp {
    let mut result = Fp::ZERO;
    result.set_square(a);
    result
}

/// Residues with the edges among them: zero, one, and one and two below the modulus.
fn number() -> impl Strategy<Value = Fp> {
    let one = Fp::two_to_the(0);
    let below = |n: Fp| difference(&Fp::ZERO, &n);
    prop_oneof![
        1 => Just(Fp::ZERO),
        1 => Just(one),
        1 => Just(below(one)),
        1 => Just(below(one.plus(&one))),
        8 => any::<[u64; 6]>().prop_map(|mut limbs| {
            limbs[5] %= 0x1a01_11ea_397f_e69a;
            Fp::from_limbs(limbs)
        }),
    ]
}

fn numbers() -> impl Strategy<Value = Numbers> {
    proptest::array::uniform8(number())
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn read(numbers: &Numbers) -> Field {
    transpose(numbers.map(|number| load(&AlignedLimbs(to_limbs(&number)))))
}

/// The lanes as residues, and whether all limbs were tidy.
#[target_feature(enable = "avx512f,avx512ifma")]
fn write(field: &Field) -> (Numbers, bool) {
    let one = splat(&to_limbs(&Fp::two_to_the(0)));
    let tidy = |lane: &Limbs| lane.iter().all(|limb| *limb < 1 << 52);
    let all_tidy = transpose(*field).iter().all(|lane| tidy(&store(*lane).0));
    let reduced = multiply(field, &one);
    (transpose(reduced).map(|lane| from_limbs(&store(lane).0)), all_tidy)
}

fn each(a: &Numbers, b: &Numbers, operation: impl Fn(&Fp, &Fp) -> Fp) -> (Numbers, bool) {
    let mut result = *a;
    result.iter_mut().zip(b).for_each(|(a, b)| *a = operation(a, b));
    (result, true)
}

/// Results of the lanes beside those of blst.
type Pair = ((Numbers, bool), (Numbers, bool));

#[target_feature(enable = "avx512f,avx512ifma")]
fn results(a: &Numbers, b: &Numbers, mask: u8, multiple: u64) -> Vec<Pair> {
    let (x, y) = (read(a), read(b));
    let offset = modulus_times(multiple);
    let large = subtract(&x, &y, &offset);
    let twice_of = |a: &Fp| a.plus(a);
    let mut chosen = *b;
    (0..LANES).filter(|lane| mask >> lane & 1 == 1).for_each(|lane| chosen[lane] = a[lane]);
    vec![
        (write(&x), (*a, true)),
        (write(&multiply(&x, &y)), each(a, b, Fp::times)),
        (write(&multiply(&x, &x)), each(a, a, |a, _| square(a))),
        (write(&large), each(a, b, difference)),
        (write(&multiply(&large, &y)), each(a, b, |a, b| difference(a, b).times(b))),
        (write(&multiply(&large, &large)), each(a, b, |a, b| square(&difference(a, b)))),
        (
            write(&subtract_thrice(&x, &y, &y, &modulus_times(multiple + 6))),
            each(a, b, |a, b| difference(&difference(a, b), &twice_of(b))),
        ),
        (write(&twice(&x)), each(a, a, |a, _| twice_of(a))),
        (write(&thrice(&x)), each(a, a, |a, _| twice_of(a).plus(a))),
        (write(&select(mask, &x, &y)), (chosen, true)),
    ]
}

proptest! {
    #[test]
    fn the_lanes_compute_what_blst_computes(
        a in numbers(),
        b in numbers(),
        mask in any::<u8>(),
        multiple in 2..300u64,
    ) {
        if Ifma::detect().is_some() {
            // SAFETY: the instructions were detected.
            let pairs = unsafe { results(&a, &b, mask, multiple) };
            for (index, (ours, theirs)) in pairs.into_iter().enumerate() {
                prop_assert_eq!(ours, theirs, "operation {}", index);
            }
        }
    }

    #[test]
    fn numbers_survive_the_change_of_form(number in number()) {
        let limbs = to_limbs(&number);
        prop_assert!(limbs.iter().all(|limb| *limb < 1 << 52));
        prop_assert_eq!(from_limbs(&limbs), number);
    }
}

#[test]
fn points_survive_the_change_of_form() {
    for point in &lagrange_points().expect("the setup")[..20] {
        assert_eq!(Point::new(point).to_affine(), *point);
    }
}

/// What aligned loads and stores rely on.
#[test]
fn each_coordinate_is_one_cache_line() {
    let points = vec![Point::new(&lagrange_points().expect("the setup")[0]); 3];
    for point in &points {
        for coordinate in [&raw const point.x, &raw const point.y] {
            assert_eq!(coordinate.addr() % 64, 0);
        }
    }
    assert_eq!(size_of::<Point>(), 128);
}
