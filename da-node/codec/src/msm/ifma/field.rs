//! Arithmetic of coordinates in eight lanes.
//!
//! Every function takes and gives limbs below `2^52` ("tidy"). The bounds are those of the whole numbers, in
//! multiples of the modulus `p`: since `p < 2^381` and numbers have 416 bits, a product of numbers below
//! `a·p` and `b·p` is below `(1 + a·b / 2^35)·p`.

use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64,
    _mm512_mask_blend_epi64, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_slli_epi64,
    _mm512_srai_epi64, _mm512_srli_epi64, _mm512_sub_epi64,
};

use super::point::{Limbs, cut};

/// Lanes of a vector.
pub(super) const LANES: usize = 8;
/// Limbs of a coordinate.
pub(super) const LIMBS: usize = 8;
/// Bits of a limb.
pub(super) const MASK: u64 = (1 << 52) - 1;

/// The modulus in limbs of 64 bits.
pub(super) const MODULUS_64: [u64; 6] = [
    0xb9fe_ffff_ffff_aaab,
    0x1eab_fffe_b153_ffff,
    0x6730_d2a0_f6b0_f624,
    0x6477_4b84_f385_12bf,
    0x4b1b_a7b6_434b_acd7,
    0x1a01_11ea_397f_e69a,
];
const MODULUS: Limbs = cut(&MODULUS_64);
/// `-1/p` modulo `2^52`.
const INVERSE: u64 = {
    // Newton's iteration doubles the number of right bits.
    let mut inverse = 1u64;
    let mut bits = 1;
    while bits < 64 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(MODULUS_64[0].wrapping_mul(inverse)));
        bits *= 2;
    }
    inverse.wrapping_neg() & MASK
};

/// A coordinate of eight points: vector `i` holds limb `i` of each.
pub(super) type Field = [__m512i; LIMBS];

/// The same number in all lanes.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn splat(limbs: &Limbs) -> Field {
    let mut field = [_mm512_setzero_si512(); LIMBS];
    for (vector, limb) in field.iter_mut().zip(limbs) {
        *vector = _mm512_set1_epi64(*limb as i64);
    }
    field
}

/// `multiple · p` in all lanes, each limb on its own: below `2^52·multiple`, not tidy.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn modulus_times(multiple: u64) -> Field {
    let mut limbs = MODULUS;
    for limb in &mut limbs {
        *limb *= multiple;
    }
    splat(&limbs)
}

/// Montgomery product `a·b / 2^416`. Not inlined: copies of it would not fit the cache of decoded
/// instructions, and its three hundred instructions dwarf the call.
#[inline(never)]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn multiply(a: &Field, b: &Field) -> Field {
    let zero = _mm512_setzero_si512();
    let inverse = _mm512_set1_epi64(INVERSE as i64);
    let p = splat(&MODULUS);
    let mut t = [zero; LIMBS + 1];
    for limb in b {
        for j in 0..LIMBS {
            t[j] = _mm512_madd52lo_epu64(t[j], a[j], *limb);
        }
        let quotient = _mm512_madd52lo_epu64(zero, t[0], inverse);
        for j in 0..LIMBS {
            t[j + 1] = _mm512_madd52hi_epu64(t[j + 1], a[j], *limb);
        }
        t[0] = _mm512_madd52lo_epu64(t[0], quotient, p[0]);
        let carry = _mm512_srli_epi64::<52>(t[0]);
        for j in 1..LIMBS {
            t[j] = _mm512_madd52lo_epu64(t[j], quotient, p[j]);
        }
        for j in 0..LIMBS {
            t[j + 1] = _mm512_madd52hi_epu64(t[j + 1], quotient, p[j]);
        }
        t[0] = _mm512_add_epi64(t[1], carry);
        for j in 1..LIMBS {
            t[j] = t[j + 1];
        }
        t[LIMBS] = zero;
    }
    let [t0, t1, t2, t3, t4, t5, t6, t7, _] = t;
    tidy([t0, t1, t2, t3, t4, t5, t6, t7])
}

/// Carries into the next limb; limbs may be negative, the number is not.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn tidy(mut limbs: Field) -> Field {
    let mask = _mm512_set1_epi64(MASK as i64);
    for i in 0..LIMBS - 1 {
        limbs[i + 1] = _mm512_add_epi64(limbs[i + 1], _mm512_srai_epi64::<52>(limbs[i]));
        limbs[i] = _mm512_and_si512(limbs[i], mask);
    }
    limbs
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn zip(a: &Field, b: &Field, operation: impl Fn(__m512i, __m512i) -> __m512i) -> Field {
    let mut result = *a;
    for (result, b) in result.iter_mut().zip(b) {
        *result = operation(*result, *b);
    }
    result
}

/// `a - b + offset`, where `offset` is a multiple of `p` not below `b`.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn subtract(a: &Field, b: &Field, offset: &Field) -> Field {
    let difference = zip(a, b, |a, b| _mm512_sub_epi64(a, b));
    tidy(zip(&difference, offset, |a, b| _mm512_add_epi64(a, b)))
}

/// `a - b - 2c + offset`, where `offset` is a multiple of `p` not below `b + 2c`.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn subtract_thrice(a: &Field, b: &Field, c: &Field, offset: &Field) -> Field {
    let twice = zip(c, b, |c, b| _mm512_add_epi64(_mm512_slli_epi64::<1>(c), b));
    subtract(a, &twice, offset)
}

/// `2a`.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn twice(a: &Field) -> Field {
    tidy(zip(a, a, |a, b| _mm512_add_epi64(a, b)))
}

/// `3a`.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn thrice(a: &Field) -> Field {
    tidy(zip(a, a, |a, b| _mm512_add_epi64(_mm512_slli_epi64::<1>(a), b)))
}

/// `yes` in the lanes of the mask, `no` in the others.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn select(mask: u8, yes: &Field, no: &Field) -> Field {
    zip(no, yes, |no, yes| _mm512_mask_blend_epi64(mask, no, yes))
}
