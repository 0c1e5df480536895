#![allow(unsafe_code)]
//! Eight elements at a time with the 52-bit multipliers of AVX-512.
//!
//! Elements stay in memory as they are, four limbs of 64 bits; in registers they are five limbs of 52. Factors
//! are in Montgomery form with `2^260`. Every function handles as many elements as fill vectors and gives the
//! rest back; on a processor without the instructions that is all of them. Which element is in
//! which lane does not matter, as long as reading and writing agree.

use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_cmplt_epi64_mask, _mm512_loadu_si512,
    _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_blend_epi64, _mm512_or_si512,
    _mm512_permutex2var_epi64, _mm512_set_epi64, _mm512_set1_epi64, _mm512_setzero_si512,
    _mm512_slli_epi64, _mm512_srai_epi64, _mm512_srli_epi64, _mm512_storeu_si512, _mm512_sub_epi64,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi64,
};

use super::RowFactor;
use crate::field::arithmetic::MODULUS as MODULUS_64;
use crate::field::{Factor, Scalar};
use crate::msm::Ifma;

/// Elements of a vector.
const LANES: usize = 8;
const MASK: u64 = (1 << 52) - 1;
const MODULUS: Limbs = cut(MODULUS_64);
/// `-1/r` modulo `2^52`: that modulo `2^64` is `0xfffffffeffffffff`.
const INVERSE: u64 = 0xffff_fffe_ffff_ffff & MASK;

/// Five limbs of 52 bits, least significant first.
pub(super) type Limbs = [u64; 5];
/// The same of eight elements.
type Field = [__m512i; 5];

const fn cut([a, b, c, d]: [u64; 4]) -> Limbs {
    [
        a & MASK,
        (a >> 52 | b << 12) & MASK,
        (b >> 40 | c << 24) & MASK,
        (c >> 28 | d << 36) & MASK,
        d >> 16,
    ]
}

/// From Montgomery form with `2^256` to that with `2^260`.
pub(super) fn limbs_of(factor: Factor) -> Limbs {
    cut(factor.times(Factor::from_u64(16)).0)
}

type Pair<'a> = (&'a mut [Scalar], &'a mut [Scalar]);

pub(super) fn forward<'a>(
    a: &'a mut [Scalar],
    b: &'a mut [Scalar],
    factor: &RowFactor,
) -> Pair<'a> {
    if Ifma::detect().is_none() {
        return (a, b);
    }
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks_mut::<LANES>(), b.as_chunks_mut::<LANES>());
    // SAFETY: the instructions were detected.
    unsafe { forward_lanes(a, b, &factor.lanes) };
    (rest_a, rest_b)
}

pub(super) fn backward<'a>(
    a: &'a mut [Scalar],
    b: &'a mut [Scalar],
    factor: &RowFactor,
) -> Pair<'a> {
    if Ifma::detect().is_none() {
        return (a, b);
    }
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks_mut::<LANES>(), b.as_chunks_mut::<LANES>());
    // SAFETY: the instructions were detected.
    unsafe { backward_lanes(a, b, &factor.lanes) };
    (rest_a, rest_b)
}

pub(super) fn add_scaled<'a>(
    sum: &'a mut [Scalar],
    row: &'a [Scalar],
    factor: &RowFactor,
) -> (&'a mut [Scalar], &'a [Scalar]) {
    if Ifma::detect().is_none() {
        return (sum, row);
    }
    let ((sum, rest_sum), (row, rest_row)) =
        (sum.as_chunks_mut::<LANES>(), row.as_chunks::<LANES>());
    // SAFETY: the instructions were detected.
    unsafe { add_scaled_lanes(sum, row, &factor.lanes) };
    (rest_sum, rest_row)
}

pub(super) fn scale<'a>(row: &'a mut [Scalar], factor: &RowFactor) -> &'a mut [Scalar] {
    if Ifma::detect().is_none() {
        return row;
    }
    let (row, rest) = row.as_chunks_mut::<LANES>();
    // SAFETY: the instructions were detected.
    unsafe { scale_lanes(row, &factor.lanes) };
    rest
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn forward_lanes(a: &mut [[Scalar; LANES]], b: &mut [[Scalar; LANES]], factor: &Limbs) {
    let factor = splat(factor);
    for (a, b) in a.iter_mut().zip(b) {
        let (x, product) = (load(a), multiply(&load(b), &factor));
        store(a, add(&x, &product));
        store(b, subtract(&x, &product));
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn backward_lanes(a: &mut [[Scalar; LANES]], b: &mut [[Scalar; LANES]], factor: &Limbs) {
    let factor = splat(factor);
    for (a, b) in a.iter_mut().zip(b) {
        let (x, y) = (load(a), load(b));
        store(a, add(&x, &y));
        store(b, multiply(&subtract(&x, &y), &factor));
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn add_scaled_lanes(sum: &mut [[Scalar; LANES]], row: &[[Scalar; LANES]], factor: &Limbs) {
    let factor = splat(factor);
    for (sum, row) in sum.iter_mut().zip(row) {
        let product = multiply(&load(row), &factor);
        store(sum, add(&load(sum), &product));
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
fn scale_lanes(row: &mut [[Scalar; LANES]], factor: &Limbs) {
    let factor = splat(factor);
    for row in row {
        store(row, multiply(&load(row), &factor));
    }
}

/// Five expressions in the number of a limb, spelled out to stay in registers.
macro_rules! limbs {
    ($i:ident => $limb:expr) => {
        [limbs!(@ $i 0 $limb), limbs!(@ $i 1 $limb), limbs!(@ $i 2 $limb), limbs!(@ $i 3 $limb), limbs!(@ $i 4 $limb)]
    };
    (@ $i:ident $value:literal $limb:expr) => {{
        const $i: usize = $value;
        $limb
    }};
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn splat(limbs: &Limbs) -> Field {
    limbs!(I => _mm512_set1_epi64(limbs[I] as i64))
}

/// Montgomery product `a·b / 2^260` as a residue, of residues.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn multiply(a: &Field, b: &Field) -> Field {
    let t = accumulate([_mm512_setzero_si512(); 5], a, b[0]);
    let t = accumulate(t, a, b[1]);
    let t = accumulate(t, a, b[2]);
    let t = accumulate(t, a, b[3]);
    // Below r + r²/2^260 < 2r.
    reduce(&tidy(accumulate(t, a, b[4])))
}

/// `(t + a·limb) / 2^52` modulo `r`; limbs of `t` grow by less than `2^54`.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn accumulate(t: Field, a: &Field, limb: __m512i) -> Field {
    let zero = _mm512_setzero_si512();
    let r = splat(&MODULUS);
    let low = limbs!(I => _mm512_madd52lo_epu64(t[I], a[I], limb));
    let quotient = _mm512_madd52lo_epu64(zero, low[0], _mm512_set1_epi64(INVERSE as i64));
    let high = limbs!(I => {
        let above = if I < 4 { low[(I + 1) % 5] } else { zero };
        _mm512_madd52hi_epu64(above, a[I], limb)
    });
    // The lowest limb is a multiple of 2^52 now.
    let carry = _mm512_srli_epi64::<52>(_mm512_madd52lo_epu64(low[0], quotient, r[0]));
    let [s0, s1, s2, s3, s4] = limbs!(I => {
        let with_low =
            if I < 4 { _mm512_madd52lo_epu64(high[I], quotient, r[(I + 1) % 5]) } else { high[I] };
        _mm512_madd52hi_epu64(with_low, quotient, r[I])
    });
    [_mm512_add_epi64(s0, carry), s1, s2, s3, s4]
}

/// Carries into the next limb; the highest keeps the sign.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn tidy([l0, l1, l2, l3, l4]: Field) -> Field {
    let mask = _mm512_set1_epi64(MASK as i64);
    let l1 = _mm512_add_epi64(l1, _mm512_srai_epi64::<52>(l0));
    let l2 = _mm512_add_epi64(l2, _mm512_srai_epi64::<52>(l1));
    let l3 = _mm512_add_epi64(l3, _mm512_srai_epi64::<52>(l2));
    let l4 = _mm512_add_epi64(l4, _mm512_srai_epi64::<52>(l3));
    let carried = [l0, l1, l2, l3, l4];
    limbs!(I => if I < 4 { _mm512_and_si512(carried[I], mask) } else { carried[I] })
}

/// `no` where it is not negative, `yes` elsewhere.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn if_negative(no: &Field, yes: &Field) -> Field {
    let negative = _mm512_cmplt_epi64_mask(no[4], _mm512_setzero_si512());
    limbs!(I => _mm512_mask_blend_epi64(negative, no[I], yes[I]))
}

/// A number below `2r` as a residue.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn reduce(a: &Field) -> Field {
    let r = splat(&MODULUS);
    if_negative(&tidy(limbs!(I => _mm512_sub_epi64(a[I], r[I]))), a)
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn add(a: &Field, b: &Field) -> Field {
    reduce(&tidy(limbs!(I => _mm512_add_epi64(a[I], b[I]))))
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn subtract(a: &Field, b: &Field) -> Field {
    let r = splat(&MODULUS);
    let difference = limbs!(I => _mm512_sub_epi64(a[I], b[I]));
    let raised = tidy(limbs!(I => _mm512_add_epi64(difference[I], r[I])));
    if_negative(&tidy(difference), &raised)
}

/// Reads eight elements.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn load(elements: &[Scalar; LANES]) -> Field {
    let start: *const __m512i = elements.as_ptr().cast();
    // SAFETY: eight elements are 256 bytes, four vectors; `Scalar` is four `u64`.
    let (z0, z1, z2, z3) = unsafe {
        (
            _mm512_loadu_si512(start),
            _mm512_loadu_si512(start.add(1)),
            _mm512_loadu_si512(start.add(2)),
            _mm512_loadu_si512(start.add(3)),
        )
    };
    let (u0, u1) = (_mm512_unpacklo_epi64(z0, z1), _mm512_unpackhi_epi64(z0, z1));
    let (u2, u3) = (_mm512_unpacklo_epi64(z2, z3), _mm512_unpackhi_epi64(z2, z3));
    let low = _mm512_set_epi64(13, 12, 9, 8, 5, 4, 1, 0);
    let high = _mm512_set_epi64(15, 14, 11, 10, 7, 6, 3, 2);
    let l0 = _mm512_permutex2var_epi64(u0, low, u2);
    let l1 = _mm512_permutex2var_epi64(u1, low, u3);
    let l2 = _mm512_permutex2var_epi64(u0, high, u2);
    let l3 = _mm512_permutex2var_epi64(u1, high, u3);
    let mask = _mm512_set1_epi64(MASK as i64);
    let join = |a, b| _mm512_and_si512(_mm512_or_si512(a, b), mask);
    [
        _mm512_and_si512(l0, mask),
        join(_mm512_srli_epi64::<52>(l0), _mm512_slli_epi64::<12>(l1)),
        join(_mm512_srli_epi64::<40>(l1), _mm512_slli_epi64::<24>(l2)),
        join(_mm512_srli_epi64::<28>(l2), _mm512_slli_epi64::<36>(l3)),
        _mm512_srli_epi64::<16>(l3),
    ]
}

/// Writes eight residues.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn store(elements: &mut [Scalar; LANES], [m0, m1, m2, m3, m4]: Field) {
    let l0 = _mm512_or_si512(m0, _mm512_slli_epi64::<52>(m1));
    let l1 = _mm512_or_si512(_mm512_srli_epi64::<12>(m1), _mm512_slli_epi64::<40>(m2));
    let l2 = _mm512_or_si512(_mm512_srli_epi64::<24>(m2), _mm512_slli_epi64::<28>(m3));
    let l3 = _mm512_or_si512(_mm512_srli_epi64::<36>(m3), _mm512_slli_epi64::<16>(m4));
    let first = _mm512_set_epi64(11, 10, 3, 2, 9, 8, 1, 0);
    let second = _mm512_set_epi64(15, 14, 7, 6, 13, 12, 5, 4);
    let u0 = _mm512_permutex2var_epi64(l0, first, l2);
    let u1 = _mm512_permutex2var_epi64(l1, first, l3);
    let u2 = _mm512_permutex2var_epi64(l0, second, l2);
    let u3 = _mm512_permutex2var_epi64(l1, second, l3);
    let start: *mut __m512i = elements.as_mut_ptr().cast();
    // SAFETY: as above.
    unsafe {
        _mm512_storeu_si512(start, _mm512_unpacklo_epi64(u0, u1));
        _mm512_storeu_si512(start.add(1), _mm512_unpackhi_epi64(u0, u1));
        _mm512_storeu_si512(start.add(2), _mm512_unpacklo_epi64(u2, u3));
        _mm512_storeu_si512(start.add(3), _mm512_unpackhi_epi64(u2, u3));
    }
}
