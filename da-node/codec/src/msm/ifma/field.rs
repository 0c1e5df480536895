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

/// Eight expressions in the number of a limb. Spelled out, because a loop over an array of vectors that
/// the compiler does not unroll early enough keeps the array in memory.
macro_rules! limbs {
    ($i:ident => $limb:expr) => {
        [
            limbs!(@ $i 0 $limb), limbs!(@ $i 1 $limb), limbs!(@ $i 2 $limb), limbs!(@ $i 3 $limb),
            limbs!(@ $i 4 $limb), limbs!(@ $i 5 $limb), limbs!(@ $i 6 $limb), limbs!(@ $i 7 $limb),
        ]
    };
    (@ $i:ident $value:literal $limb:expr) => {{
        const $i: usize = $value;
        $limb
    }};
}
pub(super) use limbs;

/// The same number in all lanes.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn splat(limbs: &Limbs) -> Field {
    limbs!(I => _mm512_set1_epi64(limbs[I] as i64))
}

/// `multiple · p` in all lanes, each limb on its own: below `2^52·multiple`, not tidy.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn modulus_times(multiple: u64) -> Field {
    limbs!(I => _mm512_set1_epi64((MODULUS[I] * multiple) as i64))
}

/// Montgomery product `a·b / 2^416`. Not inlined: copies of it would not fit the cache of decoded
/// instructions, and its three hundred instructions dwarf the call.
#[inline(never)]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn multiply(a: &Field, b: &Field) -> Field {
    let zero = _mm512_setzero_si512();
    let t = accumulate([zero; LIMBS], a, b[0]);
    let t = accumulate(t, a, b[1]);
    let t = accumulate(t, a, b[2]);
    let t = accumulate(t, a, b[3]);
    let t = accumulate(t, a, b[4]);
    let t = accumulate(t, a, b[5]);
    let t = accumulate(t, a, b[6]);
    tidy(accumulate(t, a, b[7]))
}

/// `(t + a·limb) / 2^52` modulo `p`; limbs of `t` grow by less than `2^54`.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn accumulate(t: Field, a: &Field, limb: __m512i) -> Field {
    let zero = _mm512_setzero_si512();
    let p = limbs!(I => _mm512_set1_epi64(MODULUS[I] as i64));
    let low = limbs!(I => _mm512_madd52lo_epu64(t[I], a[I], limb));
    let quotient = _mm512_madd52lo_epu64(zero, low[0], _mm512_set1_epi64(INVERSE as i64));
    let high = limbs!(I => {
        let above = if I + 1 < LIMBS { low[(I + 1) % LIMBS] } else { zero };
        _mm512_madd52hi_epu64(above, a[I], limb)
    });
    // The lowest limb is a multiple of 2^52 now.
    let carry = _mm512_srli_epi64::<52>(_mm512_madd52lo_epu64(low[0], quotient, p[0]));
    let sum = limbs!(I => {
        let with_low = if I + 1 < LIMBS {
            _mm512_madd52lo_epu64(high[I], quotient, p[(I + 1) % LIMBS])
        } else {
            high[I]
        };
        _mm512_madd52hi_epu64(with_low, quotient, p[I])
    });
    let [s0, s1, s2, s3, s4, s5, s6, s7] = sum;
    [_mm512_add_epi64(s0, carry), s1, s2, s3, s4, s5, s6, s7]
}

/// Carries into the next limb; limbs may be negative, the number is not.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn tidy(limbs: Field) -> Field {
    let mask = _mm512_set1_epi64(MASK as i64);
    let [l0, l1, l2, l3, l4, l5, l6, l7] = limbs;
    let l1 = _mm512_add_epi64(l1, _mm512_srai_epi64::<52>(l0));
    let l2 = _mm512_add_epi64(l2, _mm512_srai_epi64::<52>(l1));
    let l3 = _mm512_add_epi64(l3, _mm512_srai_epi64::<52>(l2));
    let l4 = _mm512_add_epi64(l4, _mm512_srai_epi64::<52>(l3));
    let l5 = _mm512_add_epi64(l5, _mm512_srai_epi64::<52>(l4));
    let l6 = _mm512_add_epi64(l6, _mm512_srai_epi64::<52>(l5));
    let l7 = _mm512_add_epi64(l7, _mm512_srai_epi64::<52>(l6));
    let carried = [l0, l1, l2, l3, l4, l5, l6, l7];
    limbs!(I => if I + 1 < LIMBS { _mm512_and_si512(carried[I], mask) } else { carried[I] })
}

/// `a - b + offset`, where `offset` is a multiple of `p` not below `b`.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn subtract(a: &Field, b: &Field, offset: &Field) -> Field {
    tidy(limbs!(I => _mm512_add_epi64(_mm512_sub_epi64(a[I], b[I]), offset[I])))
}

/// `a - b - 2c + offset`, where `offset` is a multiple of `p` not below `b + 2c`.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn subtract_thrice(a: &Field, b: &Field, c: &Field, offset: &Field) -> Field {
    tidy(limbs!(I => {
        let positive = _mm512_add_epi64(_mm512_sub_epi64(a[I], b[I]), offset[I]);
        _mm512_sub_epi64(positive, _mm512_slli_epi64::<1>(c[I]))
    }))
}

/// `2a`.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn twice(a: &Field) -> Field {
    tidy(limbs!(I => _mm512_slli_epi64::<1>(a[I])))
}

/// `3a`.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn thrice(a: &Field) -> Field {
    tidy(limbs!(I => _mm512_add_epi64(_mm512_slli_epi64::<1>(a[I]), a[I])))
}

/// `yes` in the lanes of the mask, `no` in the others.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn select(mask: u8, yes: &Field, no: &Field) -> Field {
    limbs!(I => _mm512_mask_blend_epi64(mask, no[I], yes[I]))
}
