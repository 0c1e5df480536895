//! Arithmetic modulo the group order `n`: from signatures to the digits that the lanes add up.

mod digits;
mod split;
#[cfg(test)]
mod tests;

use alloy_primitives::U256;
use k256::Scalar;
use k256::elliptic_curve::ops::{Invert, Reduce};

pub(crate) use digits::{DIGIT_BITS, Digits, GENERATOR_DIGIT_BITS, GENERATOR_DIGITS, KEY_DIGITS};
use split::split;

use crate::Signed;

/// The group order.
pub(crate) const ORDER: U256 = U256::from_limbs([
    0xbfd2_5e8c_d036_4141,
    0xbaae_dce6_af48_a03b,
    0xffff_ffff_ffff_fffe,
    0xffff_ffff_ffff_ffff,
]);

/// A recovery in digits: the public key is `low·G + high·2^128·G + first·R + second·λR`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Task {
    /// `x` of `R`, least significant word first, below `n`.
    pub(crate) x: [u64; 4],
    /// Whether `y` of `R` is odd.
    pub(crate) y_is_odd: bool,
    pub(crate) first: Digits<KEY_DIGITS>,
    pub(crate) second: Digits<KEY_DIGITS>,
    pub(crate) low: Digits<GENERATOR_DIGITS>,
    pub(crate) high: Digits<GENERATOR_DIGITS>,
}

/// The tasks of signatures whose `r` is neither zero nor above `n`: `u1 = -z/r`, `u2 = s/r`.
///
/// One inversion serves all, by the products of all `r` before each (Montgomery's trick). `None` would be a
/// scalar that does not split into halves.
pub(crate) fn tasks(signatures: &[&Signed]) -> Vec<Option<Task>> {
    let mut product = Scalar::ONE;
    let mut products = Vec::with_capacity(signatures.len());
    for signed in signatures {
        let r = to_scalar(signed.signature.r());
        products.push((r, product));
        product *= &r;
    }
    let Some(mut inverse) = Option::<Scalar>::from(product.invert_vartime()) else {
        return vec![None; signatures.len()];
    };
    let mut tasks = Vec::with_capacity(signatures.len());
    for (signed, (r, before)) in signatures.iter().zip(&products).rev() {
        tasks.push(task(signed, &(inverse * before)));
        inverse *= r;
    }
    tasks.reverse();
    tasks
}

fn task(signed: &Signed, r_inverse: &Scalar) -> Option<Task> {
    let signature = &signed.signature;
    let u1 = -(to_scalar(U256::from_be_bytes(signed.digest.0)) * r_inverse);
    let u2 = to_scalar(signature.s()) * r_inverse;
    let (first, second) = split(to_words(&u2))?;
    let [a, b, c, d] = to_words(&u1).map(u128::from);
    Some(Task {
        x: signature.r().into_limbs(),
        y_is_odd: signature.v(),
        first: Digits::of(first.magnitude, first.negative, DIGIT_BITS),
        second: Digits::of(second.magnitude, second.negative, DIGIT_BITS),
        low: Digits::of(a | b << 64, false, GENERATOR_DIGIT_BITS),
        high: Digits::of(c | d << 64, false, GENERATOR_DIGIT_BITS),
    })
}

/// Reduces modulo `n`.
fn to_scalar(number: U256) -> Scalar {
    Scalar::reduce(k256::U256::from_words(number.into_limbs()))
}

fn to_words(scalar: &Scalar) -> [u64; 4] {
    k256::U256::from(scalar).to_words()
}
