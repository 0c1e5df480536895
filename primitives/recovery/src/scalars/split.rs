//! A scalar as `first + second·λ` with halves of 128 bits, where `λ·(x, y) = (βx, y)`.
//!
//! Gallant, Lambert and Vanstone, "Faster Point Multiplication on Elliptic Curves with Efficient Endomorphisms"
//! (2001). The vectors `(a1, b1)` and `(a2, b2)` span the pairs with `a + b·λ = 0` modulo `n`. Taking away the
//! combination of them that is next to `(scalar, 0)` leaves the same residue and short halves. A combination that
//! is not quite the next one would leave the residue right all the same, and the length is checked.

/// `a1`, which is `b2` too.
const A1: u128 = 0x3086_d221_a7d4_6bcd_e86c_90e4_9284_eb15;
/// `-b1`.
const MINUS_B1: u128 = 0xe443_7ed6_010e_8828_6f54_7fa9_0abf_e4c3;
/// `a2 - 2^128`.
const A2_LOW: u128 = 0x14ca_50f7_a8e2_f3f6_57c1_108d_9d44_cfd8;
/// `b2·2^384 / n`, rounded.
pub(super) const G1: [u64; 4] =
    [0xe893_209a_45db_b031, 0x3daa_8a14_71e8_ca7f, 0xe86c_90e4_9284_eb15, 0x3086_d221_a7d4_6bcd];
/// `-b1·2^384 / n`, rounded.
pub(super) const G2: [u64; 4] =
    [0x1571_b4ae_8ac4_7f71, 0x2212_08ac_9df5_06c6, 0x6f54_7fa9_0abf_e4c4, 0xe443_7ed6_010e_8828];

/// A number with a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Half {
    pub(super) magnitude: u128,
    pub(super) negative: bool,
}

/// Splits a scalar. `None` if a half had more than 128 bits, which no scalar has.
pub(super) fn split(scalar: [u64; 4]) -> Option<(Half, Half)> {
    let c1 = high_product(&scalar, &G1);
    let c2 = high_product(&scalar, &G2);
    // first = scalar - c1·a1 - c2·a2, second = -c1·b1 - c2·b2, in 256 bits with a sign.
    let (c1_a1, c2_a2) = (product(c1, A1), product(c2, A2_LOW));
    let first = subtract(subtract(subtract(scalar, c1_a1), c2_a2), shifted(c2));
    let second = subtract(product(c1, MINUS_B1), product(c2, A1));
    Some((half(first)?, half(second)?))
}

/// `a·b / 2^384`, rounded; `b` is below `2^256 - 2^254`, so that rounding stays below `2^128`.
fn high_product(a: &[u64; 4], b: &[u64; 4]) -> u128 {
    let mut words = [0_u64; 8];
    for (i, a) in a.iter().enumerate() {
        let mut carry = 0_u64;
        for (j, b) in b.iter().enumerate() {
            let (low, high) = a.carrying_mul_add(*b, words[i + j], carry);
            words[i + j] = low;
            carry = high;
        }
        words[i + 4] = carry;
    }
    (u128::from(words[6]) | u128::from(words[7]) << 64) + u128::from(words[5] >> 63)
}

/// The product of halves.
fn product(a: u128, b: u128) -> [u64; 4] {
    let (a0, a1) = (a as u64, (a >> 64) as u64);
    let (b0, b1) = (b as u64, (b >> 64) as u64);
    let (w0, carry) = a0.carrying_mul_add(b0, 0, 0);
    let (w1, w2) = a1.carrying_mul_add(b0, carry, 0);
    let (w1, carry) = a0.carrying_mul_add(b1, w1, 0);
    let (w2, w3) = a1.carrying_mul_add(b1, w2, carry);
    [w0, w1, w2, w3]
}

/// `a·2^128`.
fn shifted(a: u128) -> [u64; 4] {
    [0, 0, a as u64, (a >> 64) as u64]
}

/// `a - b` modulo `2^256`.
fn subtract(a: [u64; 4], b: [u64; 4]) -> [u64; 4] {
    let mut borrow = false;
    let mut difference = [0; 4];
    for ((difference, a), b) in difference.iter_mut().zip(a).zip(b) {
        (*difference, borrow) = a.borrowing_sub(b, borrow);
    }
    difference
}

/// A number in two's complement as sign and magnitude.
fn half(words: [u64; 4]) -> Option<Half> {
    let negative = words[3] >> 63 == 1;
    let [a, b, c, d] = if negative { subtract([0; 4], words) } else { words };
    let magnitude = u128::from(a) | u128::from(b) << 64;
    (c == 0 && d == 0).then_some(Half { magnitude, negative })
}
