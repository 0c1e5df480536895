//! Scalars as signed digits.

use super::lists::{Source, Term};
use crate::field::Scalar;

/// Bits between two entries of the table.
pub(super) const TABLE_BITS: usize = 14;
/// Entries of the table for each point: the digits of a scalar and the carry out of the highest.
pub(super) const TABLE_LEVELS: usize = (Scalar::BITS + 1).div_ceil(TABLE_BITS);

/// How scalars are cut. Wide digits mean few additions but many buckets; half as wide, every other
/// digit falls between two entries of the table and goes to a second set of buckets, which counts
/// `2^7` times the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digits {
    /// 14 bits, one set of 8192 buckets.
    Wide,
    /// 7 bits, two sets of 64 buckets.
    Narrow,
}

impl Digits {
    /// Whichever takes fewer additions for rows of this many scalars.
    pub(super) const fn for_length(scalars: usize) -> Self {
        let wide = scalars * TABLE_LEVELS + 2 * Self::Wide.buckets();
        let narrow = scalars * TABLE_LEVELS * 2 + 4 * Self::Narrow.buckets();
        if wide < narrow { Self::Wide } else { Self::Narrow }
    }

    pub(super) const fn bits(self) -> usize {
        TABLE_BITS / self.sets()
    }

    /// Sets of buckets.
    pub(super) const fn sets(self) -> usize {
        match self {
            Self::Wide => 1,
            Self::Narrow => 2,
        }
    }

    /// Buckets in a set: the absolute values `1…2^(bits-1)` of a digit.
    pub(super) const fn buckets(self) -> usize {
        1 << (self.bits() - 1)
    }

    /// Appends the terms of one row: sum `first + set·buckets + |digit| - 1` gets the table entry of the
    /// digit's column and level, subtracted if the digit is negative.
    pub(super) fn terms(self, row: &[Scalar], first: usize, columns: usize, terms: &mut Vec<Term>) {
        match self {
            Self::Wide => push_terms::<14, 1>(row, first, columns, terms),
            Self::Narrow => push_terms::<7, 2>(row, first, columns, terms),
        }
    }
}

fn push_terms<const BITS: usize, const SETS: usize>(
    row: &[Scalar],
    first: usize,
    columns: usize,
    terms: &mut Vec<Term>,
) {
    let half = 1u32 << (BITS - 1);
    for (column, scalar) in row.iter().enumerate() {
        // A fifth limb of zero, so that every digit lies in two limbs.
        let [a, b, c, d] = scalar.limbs();
        let limbs = [a, b, c, d, 0, 0];
        let mut carry = 0;
        for position in 0..TABLE_LEVELS * SETS {
            let bit = position * BITS;
            let (limb, shift) = (bit / 64, bit % 64);
            let wide = u128::from(limbs[limb]) | u128::from(limbs[limb + 1]) << 64;
            let digit = (wide >> shift) as u32 % (2 * half) + carry;
            let negative = digit > half;
            carry = u32::from(negative);
            let size = if negative { 2 * half - digit } else { digit };
            if size != 0 {
                let set = position % SETS;
                let sum = first + set * half as usize + size as usize - 1;
                let entry = (position / SETS * columns + column) as u32;
                terms.push(Term { sum: sum as u32, source: Source::new(entry, negative) });
            }
        }
    }
}
