//! Number-theoretic transforms of many columns at once.
//!
//! A block is some columns of all rows, row after row. A butterfly takes two whole rows of the block with one
//! root of unity, so that memory is streamed and nothing is transposed.

use crate::field::rows::{backward, forward, scale};
use crate::field::{Factor, RowFactor, Scalar};

/// The transform of one size, a power of two up to 4096, and its inverse.
#[derive(Debug)]
pub(crate) struct Transform {
    /// `ω^i` for `i < size / 2`.
    roots: Vec<RowFactor>,
    /// Their inverses.
    inverse_roots: Vec<RowFactor>,
    size: usize,
}

impl Transform {
    pub(crate) fn new(size: usize) -> Self {
        let power = |exponent| Factor::root_of_unity_power(size, exponent).into();
        Self {
            roots: (0..size / 2).map(power).collect(),
            inverse_roots: (0..size / 2).map(|exponent| power(size - exponent)).collect(),
            size,
        }
    }

    /// Values at `ω^0, ω^1, …` from coefficients in bit-reversed order, for each column.
    pub(crate) fn evaluate(&self, block: &mut [Scalar]) {
        let row = block.len() / self.size;
        // Pairs of neighbours first: sub-transforms of size two, four, ….
        let mut size = 2;
        while size <= self.size {
            let half = size / 2;
            let stride = self.size / size;
            for part in block.chunks_exact_mut(size * row) {
                let (low, high) = part.split_at_mut(half * row);
                let pairs = low.chunks_exact_mut(row).zip(high.chunks_exact_mut(row));
                for (index, (a, b)) in pairs.enumerate() {
                    forward(a, b, &self.roots[index * stride]);
                }
            }
            size *= 2;
        }
    }

    /// Coefficients in bit-reversed order, each `size` times too large, from the values at `ω^0, ω^1, …`.
    pub(crate) fn interpolate(&self, block: &mut [Scalar]) {
        let row = block.len() / self.size;
        let mut size = self.size;
        while size >= 2 {
            let half = size / 2;
            let stride = self.size / size;
            for part in block.chunks_exact_mut(size * row) {
                let (low, high) = part.split_at_mut(half * row);
                let pairs = low.chunks_exact_mut(row).zip(high.chunks_exact_mut(row));
                for (index, (a, b)) in pairs.enumerate() {
                    backward(a, b, &self.inverse_roots[index * stride]);
                }
            }
            size /= 2;
        }
    }
}

/// Multiplies each row of a block by its factor.
pub(crate) fn scale_rows(block: &mut [Scalar], factors: &[RowFactor]) {
    let row = block.len() / factors.len();
    for (elements, factor) in block.chunks_exact_mut(row).zip(factors) {
        scale(elements, factor);
    }
}

/// Factors, one for each row.
pub(crate) fn for_rows(factors: impl IntoIterator<Item = Factor>) -> Vec<RowFactor> {
    factors.into_iter().map(RowFactor::from).collect()
}
