//! The operations on eight lanes of 64 bits from which everything here is made.

use super::field::Field;
use super::jacobian::{Affine, Jacobian};

/// Lanes of a vector.
pub(crate) const LANES: usize = 8;

/// A set of lanes: bit `i` stands for lane `i`.
pub(crate) type Mask = u8;

/// Eight words, a cache line.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C, align(64))]
pub(crate) struct Row(pub(crate) [u64; LANES]);

/// Eight lanes of 64 bits. Additions and subtractions wrap.
pub(crate) trait Vector: Copy {
    fn splat(word: u64) -> Self;
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    /// Shifts zeros in.
    fn left<const BITS: u32>(self) -> Self;
    /// Shifts zeros in.
    fn right<const BITS: u32>(self) -> Self;
    /// `self + (a·b mod 2^52)` of the low 52 bits of `a` and `b`.
    fn add_low(self, a: Self, b: Self) -> Self;
    /// `self + ⌊a·b / 2^52⌋` of the low 52 bits of `a` and `b`.
    fn add_high(self, a: Self, b: Self) -> Self;
    /// `yes` in the lanes of the mask, `no` in the others.
    fn select(mask: Mask, yes: Self, no: Self) -> Self;
    /// The lanes that are zero.
    fn zeros(self) -> Mask;
    /// Lane `i` of vector `j` is word `j` of row `i`.
    fn load(rows: [&Row; LANES]) -> [Self; LANES];
    /// The inverse of [`load`](Self::load).
    fn store(words: [Self; LANES]) -> [Row; LANES];

    /// [`Field::times`], compiled once.
    fn times(a: &Field<Self>, b: &Field<Self>) -> Field<Self>;
    /// [`Field::squared`] so many times.
    fn squared(a: &Field<Self>, times: u32) -> Field<Self>;
    /// [`Jacobian::doubled`] so many times, compiled once.
    fn double(point: &mut Jacobian<Self>, times: u32);
    /// [`Jacobian::plus`], compiled once.
    fn add_affine(point: &mut Jacobian<Self>, other: &Affine<Self>, z: &Field<Self>, active: Mask);
}
