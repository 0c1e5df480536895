//! All rows from any `R`, by transforms.
//!
//! Let `Z` vanish at the points of the `3R` rows that are not used; the column's polynomial `f` has degree
//! below `R`, so `f·Z` has degree below `4R` and its value is known at all `4R` points: `f·Z` at the known, zero
//! at the others. Its coefficients, folded onto a coset of `R` points where `Z` is nowhere zero, give `f`
//! there by a division, and from there `f` anywhere.

use rayon::prelude::*;

use super::domain::{Domain, reversed};
use super::encode::write_block;
use super::transform::{Transform, for_rows, scale_rows};
use crate::RowIndex;
use crate::field::rows::{add_scaled, scale};
use crate::field::{Factor, RowFactor, Scalar};
use crate::shape::EXPANSION;

/// Factors and transforms that depend only on which rows are known.
pub(super) struct Decoder {
    domain: Domain,
    small: Transform,
    large: Transform,
    /// For each known row: the exponent of its point, and `Z` there.
    known: Vec<(usize, RowFactor)>,
    /// `c^q` for `c` the value of `x^R` on the coset, at the place that bit reversal gives `q`.
    folds: [RowFactor; EXPANSION],
    /// For each coefficient in bit-reversed order: to the coset, together with what the large
    /// inverse transform left out.
    to_coset: Vec<RowFactor>,
    /// `1 / Z` on the coset.
    inverse_zeros: Vec<RowFactor>,
    /// Back from the coset, together with what the small inverse transform left out.
    from_coset: Vec<RowFactor>,
    /// For each coset of rows what its coefficients are multiplied by.
    cosets: Vec<Vec<RowFactor>>,
}

impl Decoder {
    pub(super) fn new(domain: Domain, known: &[RowIndex]) -> Self {
        let rows = domain.rows();
        let exponents: Vec<usize> = known.iter().map(|row| domain.exponent(*row)).collect();
        let mut used = vec![false; domain.extended()];
        exponents.iter().for_each(|exponent| used[*exponent] = true);
        let zeros: Vec<Factor> = (0..domain.extended())
            .filter(|exponent| !used[*exponent])
            .map(|exponent| domain.power(exponent))
            .collect();
        let vanishing = |point: Factor| {
            zeros.iter().fold(Factor::ONE, |product, zero| product.times(point.minus(*zero)))
        };
        // The coset through the generator of the field meets no root of unity.
        let shift = Factor::GENERATOR;
        let mut inverse_zeros: Vec<Factor> = (0..rows)
            .into_par_iter()
            .map(|index| vanishing(shift.times(domain.power(EXPANSION * index))))
            .collect();
        Factor::invert_all(&mut inverse_zeros);
        let wrap = shift.power(rows as u64);
        let left_out = Factor::from_u64(domain.extended() as u64).inverse();
        let back = shift.inverse();
        let place = |place| reversed(place, rows) as u64;
        // `g^(k·m) / R` without the division, which `from_coset` has done.
        let size = Factor::from_u64(rows as u64);
        let unscaled = |coset| {
            let factors = domain.coset_factors(coset);
            for_rows(factors.into_iter().map(|factor| factor.times(size)))
        };
        let inverse_rows = size.inverse();
        Self {
            domain,
            small: Transform::new(rows),
            large: Transform::new(domain.extended()),
            known: exponents.par_iter().map(|e| (*e, vanishing(domain.power(*e)).into())).collect(),
            folds: [0, 2, 1, 3].map(|quarter| wrap.power(quarter).into()),
            to_coset: for_rows((0..rows).map(|p| shift.power(place(p)).times(left_out))),
            inverse_zeros: for_rows(inverse_zeros),
            from_coset: for_rows((0..rows).map(|p| back.power(place(p)).times(inverse_rows))),
            cosets: (0..EXPANSION).map(unscaled).collect(),
        }
    }

    /// Coefficients of the columns in bit-reversed order from the known rows of a block.
    pub(super) fn coefficients(&self, known: &[Scalar]) -> Vec<Scalar> {
        let columns = known.len() / self.known.len();
        let mut large = vec![Scalar::ZERO; columns * self.domain.extended()];
        for ((exponent, factor), elements) in self.known.iter().zip(known.chunks_exact(columns)) {
            let row = &mut large[exponent * columns..][..columns];
            row.copy_from_slice(elements);
            scale(row, factor);
        }
        self.large.interpolate(&mut large);
        let mut small = vec![Scalar::ZERO; known.len()];
        let quarters = large.chunks_exact(columns * EXPANSION);
        for (row, quarters) in small.chunks_exact_mut(columns).zip(quarters) {
            for (quarter, fold) in quarters.chunks_exact(columns).zip(&self.folds) {
                add_scaled(row, quarter, fold);
            }
        }
        scale_rows(&mut small, &self.to_coset);
        self.small.evaluate(&mut small);
        scale_rows(&mut small, &self.inverse_zeros);
        self.small.interpolate(&mut small);
        scale_rows(&mut small, &self.from_coset);
        small
    }

    /// Evaluates the cosets that hold missing rows and writes those rows.
    pub(super) fn write(
        &self,
        coefficients: &[Scalar],
        missing: &[RowIndex],
        rows: &mut [&mut [u8]],
    ) {
        let columns = coefficients.len() / self.domain.rows();
        let coset_of = |row: &RowIndex| row.as_usize() / self.domain.rows();
        for (coset, factors) in self.cosets.iter().enumerate() {
            if !missing.iter().any(|row| coset_of(row) == coset) {
                continue;
            }
            let mut values = coefficients.to_vec();
            if coset > 0 {
                scale_rows(&mut values, factors);
            }
            self.small.evaluate(&mut values);
            let wanted =
                missing.iter().zip(rows.iter_mut()).filter(|(row, _)| coset_of(row) == coset);
            for (row, bytes) in wanted {
                let start = row.as_usize() % self.domain.rows() * columns;
                write_block(&values[start..start + columns], std::slice::from_mut(bytes));
            }
        }
    }
}
