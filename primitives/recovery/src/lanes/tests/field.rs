//! Numbers held against ruint.

use alloy_primitives::{U256, U512};
use proptest::prelude::*;

use super::super::field::{Field, Loose};
use super::super::powers::{inverse, square_root};
use super::super::vector::{LANES, Row, Vector};
use super::{Test, cut, limbs, load, residues};
use crate::tests::{MODULUS, numbers};

const FULL: u64 = (1 << 52) - 1;

/// The number of limbs of 52 bits.
fn value(limbs: &[u64; 5]) -> U512 {
    limbs.iter().rev().fold(U512::ZERO, |sum, limb| (sum << 52) | U512::from(*limb))
}

fn residue(number: U512) -> U256 {
    (number % U512::from(MODULUS)).to::<U256>()
}

/// Checks that numbers are reduced as `Field` says, and what they are modulo `p`.
#[inline(always)]
fn check<V: Vector>(what: &str, found: &Field<V>, expected: impl Fn(usize) -> U512) {
    let (found, residues) = (limbs(found), residues(found));
    for lane in 0..LANES {
        let [low @ .., high] = found[lane];
        assert!(low.iter().all(|limb| *limb <= FULL) && high <= 1 << 48, "{what}: {found:x?}");
        assert_eq!(residue(value(&found[lane])), residue(expected(lane)), "{what}, lane {lane}");
        assert_eq!(residues[lane], residue(expected(lane)), "{what}, canonical, lane {lane}");
    }
}

/// Each of the operations on the first two or four numbers, which are tidy.
#[inline(always)]
pub(super) fn operations<V: Vector>(numbers: &[[[u64; 5]; LANES]]) {
    let [a, b, c, d] = [0, 1, 2, 3].map(|index| load::<V>(&numbers[index]));
    let p = U512::from(MODULUS);
    let of = |index: usize| move |lane: usize| value(&numbers[index][lane]);
    let (va, vb, vc, vd) = (of(0), of(1), of(2), of(3));
    let product = |x: U512, y: U512| x % p * (y % p) % p;
    check("product", &a.times(&b), |lane| product(va(lane), vb(lane)));
    check("outlined product", &V::times(&a, &b), |lane| product(va(lane), vb(lane)));
    check("square", &a.squared(), |lane| product(va(lane), va(lane)));
    let (rc, rd) = (V::squared(&c, 1), V::squared(&d, 1));
    let (sc, sd) = (
        move |lane: usize| product(vc(lane), vc(lane)),
        move |lane: usize| product(vd(lane), vd(lane)),
    );
    check("sum of products", &a.wide(&rc).plus_product(&b, &rd).reduced(), |lane| {
        product(va(lane), sc(lane)) + product(vb(lane), sd(lane))
    });
    let offset = Loose::modulus(9).minus_shifted::<3>(&rd);
    check("product less eight times", &a.wide(&rc).plus(&offset).reduced(), |lane| {
        product(va(lane), sc(lane)) + (p - sd(lane)) * U512::from(8)
    });
    let fall = Loose::modulus(2).minus(&rc).plus_shifted::<2>(&rd).tidy();
    for (lane, limbs) in limbs(&fall).iter().enumerate() {
        assert!(limbs.iter().all(|limb| *limb <= FULL), "tidy: {limbs:x?}");
        let expected = sd(lane) * U512::from(4) + p - sc(lane);
        assert_eq!(residue(value(limbs)), residue(expected), "difference, lane {lane}");
    }
    let zeros = a.zeros();
    for lane in 0..LANES {
        let is_zero = residue(va(lane)) == U256::ZERO;
        assert_eq!(zeros >> lane & 1 == 1, is_zero, "zero, lane {lane}");
        assert_eq!(residues(&a)[lane], residue(va(lane)), "canonical of tidy, lane {lane}");
    }
    let chosen = limbs(&Field::select(0b1010_0110, &a, &b));
    for lane in 0..LANES {
        let from = if 0b1010_0110 >> lane & 1 == 1 { 0 } else { 1 };
        assert_eq!(chosen[lane], numbers[from][lane], "selection, lane {lane}");
    }
    check("negation", &V::times(&rc.negated(), &Field::small(1)), |lane| p - sc(lane));
}

#[inline(always)]
pub(super) fn powers<V: Vector>(numbers: &[U256; LANES]) {
    let field = cut::<V>(numbers);
    let square = V::squared(&field, 1);
    let (root, inverted) = (square_root(&square), inverse(&field));
    let again = residues(&V::squared(&root, 1));
    let one = residues(&V::times(&inverted, &field));
    let of_other = residues(&V::squared(&square_root(&field), 1));
    for lane in 0..LANES {
        let number = U512::from(numbers[lane]);
        assert_eq!(again[lane], residue(number * number), "root of a square, lane {lane}");
        let is_zero = residue(number) == U256::ZERO;
        assert_eq!(one[lane], U256::from(u8::from(!is_zero)), "inverse, lane {lane}");
        // -1 is no square: either the number or its negation is.
        let (itself, negated) =
            (residue(number), residue(U512::from(MODULUS) - U512::from(residue(number))));
        assert!([itself, negated].contains(&of_other[lane]), "root of any, lane {lane}");
    }
}

/// A tidy number: any below `2^260`.
fn tidy() -> impl Strategy<Value = [u64; 5]> {
    let limb = prop_oneof![
        3 => 0..=FULL,
        1 => Just(0),
        1 => Just(FULL),
        1 => Just((1 << 52) - 0x1_0000_03d1),
        1 => Just((1 << 52) - 0x1_0000_03d2),
        1 => (0..52_u32).prop_map(|bits| FULL >> bits),
        1 => Just(1 << 48),
        1 => Just((1 << 48) - 1),
    ];
    let near_multiple = (0..16_u64, 0..7_u64).prop_map(|(multiple, offset)| {
        let number = U512::from(MODULUS) * U512::from(multiple) + U512::from(offset);
        let number = number.saturating_sub(U512::from(3));
        std::array::from_fn(|limb| ((number >> (52 * limb)) & U512::from(FULL)).to())
    });
    prop_oneof![
        4 => proptest::array::uniform5(limb),
        1 => near_multiple,
        1 => numbers().prop_map(|number| std::array::from_fn(|limb| {
            ((number >> (52 * limb)) & U256::from(FULL)).to()
        })),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn operations_are_those_of_residues(
        numbers in proptest::collection::vec(proptest::array::uniform8(tidy()), 4),
    ) {
        Test::Field(&numbers).everywhere();
    }

    #[test]
    fn rows_are_transposed_there_and_back(rows: [[u64; LANES]; LANES]) {
        Test::Rows(&rows.map(Row)).everywhere();
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn powers_are_roots_and_inverses(numbers in proptest::array::uniform8(numbers())) {
        Test::Powers(&numbers).everywhere();
    }
}

#[test]
fn every_pair_of_extreme_limbs_multiplies() {
    // All numbers of limbs that are empty or full, against each other.
    let numbers: Vec<[u64; 5]> = (0..32)
        .map(|pattern| std::array::from_fn(|limb| if pattern >> limb & 1 == 1 { FULL } else { 0 }))
        .collect();
    for a in numbers.chunks(LANES) {
        for shift in 0..32 {
            let of = |offset: usize| {
                std::array::from_fn(|lane| numbers[(shift + offset * 7 + lane) % numbers.len()])
            };
            let a = std::array::from_fn(|lane| a[lane]);
            Test::Field(&[a, of(0), of(1), of(2)]).everywhere();
        }
    }
}
