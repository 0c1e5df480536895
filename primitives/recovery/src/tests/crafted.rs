//! Signatures of which the multipliers are chosen, so that sums collide on the way.

use alloy_consensus::crypto::SECP256K1N_HALF;
use alloy_primitives::{B256, Signature, U256};
use k256::elliptic_curve::ops::Reduce;
use k256::elliptic_curve::sec1::ToEncodedPoint;
use k256::{ProjectivePoint, Scalar};

use super::{ORDER, compare, found};
use crate::Signed;

fn scalar(number: U256) -> Scalar {
    Scalar::reduce(k256::U256::from_words(number.into_limbs()))
}

fn number(scalar: &Scalar) -> U256 {
    U256::from_limbs(k256::U256::from(scalar).to_words())
}

fn lambda() -> Scalar {
    let words = [
        0xdf02_967c_1b23_bd72,
        0x122e_22ea_2081_6678,
        0xa526_1c02_8812_645a,
        0x5363_ad4c_c05c_30e0,
    ];
    scalar(U256::from_limbs(words))
}

/// The signature for which `u1·G + u2·R` is computed with `R = k·G`, or with `-R` and `-u2` if its `s` were high
/// otherwise. None has `u2 = 0` or `k = 0`.
pub(super) fn signature(k: Scalar, u1: Scalar, u2: Scalar) -> Signed {
    let point = (ProjectivePoint::GENERATOR * k).to_affine().to_encoded_point(false);
    let coordinate = |bytes: &[u8]| U256::from_be_slice(bytes);
    let (x, y) = (coordinate(&point.as_bytes()[1..33]), coordinate(&point.as_bytes()[33..]));
    assert!(x < ORDER, "no such coordinate is known");
    let r = scalar(x);
    let (s, is_odd) = (number(&(u2 * r)), y.bit(0));
    let signature = if s > SECP256K1N_HALF {
        Signature::new(x, ORDER - s, !is_odd)
    } else {
        Signature::new(x, s, is_odd)
    };
    Signed { digest: B256::from(number(&-(u1 * r))), signature }
}

/// Multipliers next to digits, tables and halves, and their negations.
fn multipliers() -> Vec<Scalar> {
    let powers = [4, 5, 9, 10, 64, 120, 125, 127, 128, 129, 130, 255];
    let mut multipliers: Vec<Scalar> = (1..=4_u64).map(Scalar::from).collect();
    multipliers.extend([15_u64, 16, 17, 31, 32, 33, 511, 512, 513].map(Scalar::from));
    multipliers.extend(powers.map(|power| scalar(U256::ONE << power)));
    let halves = scalar(U256::from(u128::MAX));
    multipliers.extend([halves, halves - Scalar::ONE, lambda(), lambda().square()]);
    multipliers.extend([
        lambda() + Scalar::ONE,
        lambda() + lambda(),
        scalar(U256::from(7)).invert().unwrap(),
    ]);
    let negated: Vec<Scalar> = multipliers.iter().map(|multiplier| -multiplier).collect();
    multipliers.extend(negated);
    multipliers
}

#[test]
fn chosen_multipliers_give_what_libsecp256k1_gives() {
    let multipliers = multipliers();
    let mut senders = 0;
    for k in &multipliers {
        let mut signatures = Vec::new();
        for u2 in &multipliers {
            signatures.extend(multipliers.iter().map(|u1| signature(*k, *u1, *u2)));
        }
        // Words are slow.
        let sparse: Vec<_> = signatures.iter().step_by(97).copied().collect();
        compare(&sparse);
        senders += compare_registers(&signatures);
    }
    assert!(senders == 0 || senders > 200_000, "{senders} senders");
}

/// Checks the registers alone, where there are any.
fn compare_registers(signatures: &[Signed]) -> usize {
    let Some(engine) = crate::Engine::lanes() else { return 0 };
    let mut senders = 0;
    let expected = crate::Engine::ONE_BY_ONE.recover_all(signatures);
    for ((found, expected), signed) in
        engine.recover_all(signatures).into_iter().zip(expected).zip(signatures)
    {
        senders += usize::from(expected.is_ok());
        assert_eq!(found.ok(), expected.ok(), "{signed:?}");
    }
    senders
}

#[test]
fn sums_that_cancel_or_double_are_left_to_libsecp256k1() {
    let (k, u2) = (scalar(U256::from(0xdead_beef_u64)).square(), lambda() + Scalar::from(3_u64));
    // u1·G = -u2·R, and u1·G = u2·R for digits of one window.
    let infinity = signature(k, -(u2 * k), u2);
    let doubling = signature(Scalar::ONE, Scalar::from(9_u64), Scalar::from(9_u64));
    let ordinary = signature(k, u2 * k, u2 + Scalar::ONE);
    let signatures = [infinity, ordinary, doubling, ordinary, ordinary];
    for found in found(&signatures) {
        let found: Vec<bool> = found.iter().map(Option::is_some).collect();
        assert_eq!(found, [false, true, false, true, true]);
    }
    assert_eq!(compare(&signatures), 4, "infinity alone has no sender");
}

#[test]
fn sums_that_begin_late_are_found() {
    // Small multipliers of R with any of G: the first point that is added is one of the generator's.
    for shift in 0..128 {
        let u1 = scalar(U256::from(0x1234_5678_9abc_def1_u64) << shift);
        let k = scalar(U256::from(0xcafe_f00d_1234_u64));
        let signatures: Vec<Signed> = (1..=8_u64)
            .map(|u2| signature(k, u1, Scalar::from(u2) * Scalar::from(1_u64 << (shift % 9 * 3))))
            .collect();
        for found in found(&signatures) {
            assert!(found.iter().all(Option::is_some), "shift {shift}: {found:?}");
        }
        assert_eq!(compare(&signatures), signatures.len());
    }
}

#[test]
fn nothing_is_added_for_a_digest_of_zero() {
    let k = scalar(U256::from(77));
    let mut signatures: Vec<Signed> =
        multipliers().into_iter().map(|u2| signature(k, Scalar::ZERO, u2)).collect();
    // The order itself is zero as well.
    let of_order = Signed { digest: B256::from(ORDER), ..signatures[0] };
    // Twice, for the last of nine in a row would not be tried in a lane.
    signatures.extend([of_order; 2]);
    for found in found(&signatures) {
        assert!(found.iter().all(Option::is_some), "{found:?}");
        assert_eq!(found[0], found[signatures.len() - 1]);
    }
    compare(&signatures);
}
