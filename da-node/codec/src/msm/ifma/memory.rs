//! Between points in memory and lanes.

use std::arch::x86_64::{
    __m512i, _mm512_load_si512, _mm512_permutex2var_epi64, _mm512_set_epi64, _mm512_store_si512,
    _mm512_unpackhi_epi64, _mm512_unpacklo_epi64,
};

use super::field::{Field, LANES, LIMBS, limbs};
use super::point::{AlignedLimbs, Point};

/// The first coordinates of eight points.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn load_x(points: &[&Point; LANES]) -> Field {
    transpose(limbs!(LANE => load(&points[LANE].x)))
}

/// Their second coordinates.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn load_y(points: &[&Point; LANES]) -> Field {
    transpose(limbs!(LANE => load(&points[LANE].y)))
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn load(limbs: &AlignedLimbs) -> __m512i {
    // SAFETY: 64 bytes are read, aligned by their type.
    unsafe { _mm512_load_si512(limbs.0.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn store(lane: __m512i) -> AlignedLimbs {
    let mut limbs = AlignedLimbs([0; LIMBS]);
    // SAFETY: 64 bytes are written, aligned by their type.
    unsafe { _mm512_store_si512(limbs.0.as_mut_ptr().cast(), lane) };
    limbs
}

/// Limbs of lanes from lanes of limbs, and back.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn transpose(rows: Field) -> Field {
    let [r0, r1, r2, r3, r4, r5, r6, r7] = rows;
    // Pairs of rows, element by element.
    let (a0, a1) = (_mm512_unpacklo_epi64(r0, r1), _mm512_unpackhi_epi64(r0, r1));
    let (a2, a3) = (_mm512_unpacklo_epi64(r2, r3), _mm512_unpackhi_epi64(r2, r3));
    let (a4, a5) = (_mm512_unpacklo_epi64(r4, r5), _mm512_unpackhi_epi64(r4, r5));
    let (a6, a7) = (_mm512_unpacklo_epi64(r6, r7), _mm512_unpackhi_epi64(r6, r7));
    // Pairs of pairs: columns c and c + 4 of four rows.
    let (low, high) =
        (_mm512_set_epi64(13, 12, 5, 4, 9, 8, 1, 0), _mm512_set_epi64(15, 14, 7, 6, 11, 10, 3, 2));
    let b0 = _mm512_permutex2var_epi64(a0, low, a2);
    let b1 = _mm512_permutex2var_epi64(a1, low, a3);
    let b2 = _mm512_permutex2var_epi64(a0, high, a2);
    let b3 = _mm512_permutex2var_epi64(a1, high, a3);
    let b4 = _mm512_permutex2var_epi64(a4, low, a6);
    let b5 = _mm512_permutex2var_epi64(a5, low, a7);
    let b6 = _mm512_permutex2var_epi64(a4, high, a6);
    let b7 = _mm512_permutex2var_epi64(a5, high, a7);
    // Halves.
    let first = _mm512_set_epi64(11, 10, 9, 8, 3, 2, 1, 0);
    let second = _mm512_set_epi64(15, 14, 13, 12, 7, 6, 5, 4);
    [
        _mm512_permutex2var_epi64(b0, first, b4),
        _mm512_permutex2var_epi64(b1, first, b5),
        _mm512_permutex2var_epi64(b2, first, b6),
        _mm512_permutex2var_epi64(b3, first, b7),
        _mm512_permutex2var_epi64(b0, second, b4),
        _mm512_permutex2var_epi64(b1, second, b5),
        _mm512_permutex2var_epi64(b2, second, b6),
        _mm512_permutex2var_epi64(b3, second, b7),
    ]
}
