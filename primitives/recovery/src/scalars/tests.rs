//! Scalars held against those of k256.

use alloy_primitives::{U256, U512};
use k256::Scalar;
use proptest::prelude::*;

use super::digits::{DIGIT_BITS, Digits, GENERATOR_DIGIT_BITS, GENERATOR_DIGITS, KEY_DIGITS};
use super::split::{Half, split};
use super::{ORDER, to_scalar};
use crate::tests::numbers;

/// `λ`, a cube root of one modulo `n`.
const LAMBDA: U256 = U256::from_limbs([
    0xdf02_967c_1b23_bd72,
    0x122e_22ea_2081_6678,
    0xa526_1c02_8812_645a,
    0x5363_ad4c_c05c_30e0,
]);

fn value(half: Half) -> Scalar {
    let magnitude = Scalar::from(half.magnitude);
    if half.negative { -magnitude } else { magnitude }
}

fn sum<const N: usize>(digits: Digits<N>, bits: u32) -> Scalar {
    digits.0.iter().rev().fold(Scalar::ZERO, |sum, digit| {
        let shifted = sum * Scalar::from(1_u64 << bits);
        let magnitude = Scalar::from(u64::from(digit.unsigned_abs()));
        if *digit < 0 { shifted - magnitude } else { shifted + magnitude }
    })
}

#[test]
fn lambda_is_a_cube_root_of_one() {
    let lambda = to_scalar(LAMBDA);
    assert_ne!(lambda, Scalar::ONE);
    assert_eq!(lambda * lambda * lambda, Scalar::ONE);
}

#[test]
fn factors_are_the_rounded_quotients() {
    let a1 = U512::from(0x3086_d221_a7d4_6bcd_e86c_90e4_9284_eb15_u128);
    let minus_b1 = U512::from(0xe443_7ed6_010e_8828_6f54_7fa9_0abf_e4c3_u128);
    let order = U512::from(ORDER);
    for (vector, factor) in [(a1, super::split::G1), (minus_b1, super::split::G2)] {
        let rounded: U512 = ((vector << 384) + (order >> 1)) / order;
        assert_eq!(rounded, U512::from(U256::from_limbs(factor)));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn halves_make_the_scalar(number in numbers()) {
        let scalar = to_scalar(number);
        let (first, second) = split(super::to_words(&scalar)).expect("halves are short");
        prop_assert_eq!(value(first) + value(second) * to_scalar(LAMBDA), scalar);
        for half in [first, second] {
            let digits = Digits::<KEY_DIGITS>::of(half.magnitude, half.negative, DIGIT_BITS);
            prop_assert!(digits.0.iter().all(|digit| digit.abs() <= 16));
            prop_assert_eq!(sum(digits, DIGIT_BITS), value(half));
        }
    }

    #[test]
    fn digits_make_the_number(
        number in prop_oneof![
            any::<u128>(),
            (0..128_u32).prop_map(|shift| u128::MAX >> shift),
            (0..128_u32).prop_map(|shift| u128::MAX << shift),
            (0..128_u32).prop_map(|shift| 1 << shift),
        ],
        negative: bool,
    ) {
        let half = Half { magnitude: number, negative };
        let digits = Digits::<GENERATOR_DIGITS>::of(number, negative, GENERATOR_DIGIT_BITS);
        prop_assert!(digits.0.iter().all(|digit| digit.abs() <= 512));
        prop_assert_eq!(sum(digits, GENERATOR_DIGIT_BITS), value(half));
        let digits = Digits::<KEY_DIGITS>::of(number, negative, DIGIT_BITS);
        prop_assert_eq!(sum(digits, DIGIT_BITS), value(half));
    }
}
