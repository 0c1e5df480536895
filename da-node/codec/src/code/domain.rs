//! The points at which the polynomial of a column is known.

use crate::RowIndex;
use crate::field::Factor;
use crate::shape::EXPANSION;

/// Points of the code with `R` original rows. `g = 7^((r-1)/4R)` is the primitive `4R`-th root of unity of
/// EIP-4844, `h = g^4`; row `kR + i` is the value at `g^k · h^i`, which is `g^(k + 4i)`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Domain {
    rows: usize,
}

impl Domain {
    pub(crate) const fn new(rows: usize) -> Self {
        Self { rows }
    }

    /// Original rows, `R`.
    pub(crate) const fn rows(self) -> usize {
        self.rows
    }

    /// Original and parity rows, `4R`.
    pub(crate) const fn extended(self) -> usize {
        self.rows * EXPANSION
    }

    /// `k + 4i`, the exponent of a row's point.
    pub(crate) const fn exponent(self, row: RowIndex) -> usize {
        let row = row.as_usize();
        row / self.rows + row % self.rows * EXPANSION
    }

    /// The point of a row.
    pub(crate) fn point(self, row: RowIndex) -> Factor {
        self.power(self.exponent(row))
    }

    /// `g` to this power.
    pub(crate) fn power(self, exponent: usize) -> Factor {
        Factor::root_of_unity_power(self.extended(), exponent)
    }

    /// What turns the coefficients of a column, in bit-reversed order and `R` times too large, into
    /// those of the polynomial whose values at `h^i` are the column at `g^k · h^i`: `g^(k·m) / R`.
    pub(crate) fn coset_factors(self, coset: usize) -> Vec<Factor> {
        let inverse = Factor::from_u64(self.rows as u64).inverse();
        (0..self.rows)
            .map(|place| self.power(coset * reversed(place, self.rows)).times(inverse))
            .collect()
    }
}

/// The index with its bits in reverse, in a list whose length is a power of two.
pub(crate) const fn reversed(index: usize, length: usize) -> usize {
    if length == 1 { 0 } else { index.reverse_bits() >> (usize::BITS - length.trailing_zeros()) }
}
