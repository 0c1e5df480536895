#![allow(unsafe_code)]
//! Lanes in the registers of AVX-512 with its 52-bit multipliers.

use std::arch::x86_64::{
    __m512i, _mm512_add_epi64, _mm512_and_si512, _mm512_load_si512, _mm512_madd52hi_epu64,
    _mm512_madd52lo_epu64, _mm512_mask_blend_epi64, _mm512_or_si512, _mm512_permutex2var_epi64,
    _mm512_set_epi64, _mm512_set1_epi64, _mm512_slli_epi64, _mm512_srli_epi64, _mm512_store_si512,
    _mm512_sub_epi64, _mm512_testn_epi64_mask, _mm512_unpackhi_epi64, _mm512_unpacklo_epi64,
};

use super::field::Field;
use super::group::{self, Recovered};
use super::jacobian::{Affine, Jacobian};
use super::vector::{LANES, Mask, Row, Vector};
use crate::scalars::Task;

/// Proof that this processor has the instructions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ifma {
    /// Only [`detect`](Self::detect) makes one.
    _detected: (),
}

impl Ifma {
    /// The proof, if there is one.
    pub(crate) fn detect() -> Option<Self> {
        let detected =
            is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma");
        detected.then_some(Self { _detected: () })
    }

    /// [`group::recover`] in these lanes.
    pub(crate) fn recover(self, tasks: &[[Task; LANES]]) -> Vec<Recovered> {
        #[target_feature(enable = "avx512f,avx512ifma")]
        fn recover(tasks: &[[Task; LANES]]) -> Vec<Recovered> {
            group::recover::<Lanes>(tasks)
        }
        // SAFETY: an `Ifma` exists only where the instructions do.
        unsafe { recover(tasks) }
    }

    /// Runs a test of the lanes in a function that may use the instructions.
    #[cfg(test)]
    pub(crate) fn test(self, test: super::tests::Test<'_>) {
        #[target_feature(enable = "avx512f,avx512ifma")]
        fn run(test: super::tests::Test<'_>) {
            test.run::<Lanes>();
        }
        // SAFETY: as above.
        unsafe { run(test) }
    }
}

/// A register. Private, and reached through [`Ifma`] alone: code of it runs only where the instructions were
/// detected. Its methods are inlined into functions that enable the instructions.
#[derive(Debug, Clone, Copy)]
struct Lanes(__m512i);

/// A call of an instruction.
macro_rules! instruction {
    ($call:expr) => {
        // SAFETY: see `Lanes`; memory is only touched through references of the right size and alignment.
        unsafe { $call }
    };
}

impl Vector for Lanes {
    #[inline(always)]
    fn splat(word: u64) -> Self {
        Self(instruction!(_mm512_set1_epi64(word.cast_signed())))
    }
    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Self(instruction!(_mm512_add_epi64(self.0, other.0)))
    }
    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        Self(instruction!(_mm512_sub_epi64(self.0, other.0)))
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        Self(instruction!(_mm512_and_si512(self.0, other.0)))
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        Self(instruction!(_mm512_or_si512(self.0, other.0)))
    }
    #[inline(always)]
    fn left<const BITS: u32>(self) -> Self {
        Self(instruction!(_mm512_slli_epi64::<BITS>(self.0)))
    }
    #[inline(always)]
    fn right<const BITS: u32>(self) -> Self {
        Self(instruction!(_mm512_srli_epi64::<BITS>(self.0)))
    }
    #[inline(always)]
    fn add_low(self, a: Self, b: Self) -> Self {
        Self(instruction!(_mm512_madd52lo_epu64(self.0, a.0, b.0)))
    }
    #[inline(always)]
    fn add_high(self, a: Self, b: Self) -> Self {
        Self(instruction!(_mm512_madd52hi_epu64(self.0, a.0, b.0)))
    }
    #[inline(always)]
    fn select(mask: Mask, yes: Self, no: Self) -> Self {
        Self(instruction!(_mm512_mask_blend_epi64(mask, no.0, yes.0)))
    }
    #[inline(always)]
    fn zeros(self) -> Mask {
        instruction!(_mm512_testn_epi64_mask(self.0, self.0))
    }
    #[inline(always)]
    fn load(rows: [&Row; LANES]) -> [Self; LANES] {
        transpose(rows.map(|row| Self(instruction!(_mm512_load_si512(row.0.as_ptr().cast())))))
    }
    #[inline(always)]
    fn store(words: [Self; LANES]) -> [Row; LANES] {
        transpose(words).map(|lane| {
            let mut row = Row::default();
            instruction!(_mm512_store_si512(row.0.as_mut_ptr().cast(), lane.0));
            row
        })
    }

    #[inline(always)]
    fn times(a: &Field<Self>, b: &Field<Self>) -> Field<Self> {
        #[inline(never)]
        #[target_feature(enable = "avx512f,avx512ifma")]
        fn times(a: &Field<Lanes>, b: &Field<Lanes>) -> Field<Lanes> {
            a.times(b)
        }
        instruction!(times(a, b))
    }

    #[inline(always)]
    fn squared(a: &Field<Self>, times: u32) -> Field<Self> {
        #[inline(never)]
        #[target_feature(enable = "avx512f,avx512ifma")]
        fn squared(a: &Field<Lanes>, times: u32) -> Field<Lanes> {
            let mut power = *a;
            for _ in 0..times {
                power = power.squared();
            }
            power
        }
        instruction!(squared(a, times))
    }

    #[inline(always)]
    fn double(point: &mut Jacobian<Self>, times: u32) {
        #[inline(never)]
        #[target_feature(enable = "avx512f,avx512ifma")]
        fn double(point: &mut Jacobian<Lanes>, times: u32) {
            for _ in 0..times {
                *point = point.doubled();
            }
        }
        instruction!(double(point, times));
    }

    #[inline(always)]
    fn add_affine(point: &mut Jacobian<Self>, other: &Affine<Self>, z: &Field<Self>, active: Mask) {
        #[inline(never)]
        #[target_feature(enable = "avx512f,avx512ifma")]
        fn add(point: &mut Jacobian<Lanes>, other: &Affine<Lanes>, z: &Field<Lanes>, active: Mask) {
            *point = point.plus(other, z, active);
        }
        instruction!(add(point, other, z, active));
    }
}

/// Words of lanes from lanes of words, and back.
#[inline(always)]
fn transpose(rows: [Lanes; LANES]) -> [Lanes; LANES] {
    let [r0, r1, r2, r3, r4, r5, r6, r7] = rows.map(|row| row.0);
    let pair = |a, b| {
        (instruction!(_mm512_unpacklo_epi64(a, b)), instruction!(_mm512_unpackhi_epi64(a, b)))
    };
    let join = |a, order, b| instruction!(_mm512_permutex2var_epi64(a, order, b));
    // Pairs of rows, word by word.
    let ((a0, a1), (a2, a3)) = (pair(r0, r1), pair(r2, r3));
    let ((a4, a5), (a6, a7)) = (pair(r4, r5), pair(r6, r7));
    // Pairs of pairs: columns c and c + 4 of four rows.
    let low = instruction!(_mm512_set_epi64(13, 12, 5, 4, 9, 8, 1, 0));
    let high = instruction!(_mm512_set_epi64(15, 14, 7, 6, 11, 10, 3, 2));
    let (b0, b1) = (join(a0, low, a2), join(a1, low, a3));
    let (b2, b3) = (join(a0, high, a2), join(a1, high, a3));
    let (b4, b5) = (join(a4, low, a6), join(a5, low, a7));
    let (b6, b7) = (join(a4, high, a6), join(a5, high, a7));
    // Halves.
    let first = instruction!(_mm512_set_epi64(11, 10, 9, 8, 3, 2, 1, 0));
    let second = instruction!(_mm512_set_epi64(15, 14, 13, 12, 7, 6, 5, 4));
    [
        Lanes(join(b0, first, b4)),
        Lanes(join(b1, first, b5)),
        Lanes(join(b2, first, b6)),
        Lanes(join(b3, first, b7)),
        Lanes(join(b0, second, b4)),
        Lanes(join(b1, second, b5)),
        Lanes(join(b2, second, b6)),
        Lanes(join(b3, second, b7)),
    ]
}
