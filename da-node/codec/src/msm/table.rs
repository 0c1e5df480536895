//! The table of a fixed list of points, and sums over it.

use rayon::prelude::*;

use super::digits::{Digits, TABLE_BITS, TABLE_LEVELS};
use super::engine::{Engine, Exceptional};
use super::lists::sum_terms;
use super::reduction::reduce;
use crate::curve::{P1, P1Affine, linear_combination};
use crate::field::Scalar;

/// Points whose multiples by powers of `2^14` are kept: 19 for each point.
#[derive(Debug)]
pub(crate) struct FixedBase<E: Engine> {
    engine: E,
    points: Vec<P1Affine>,
    /// Level after level: `2^(14·level)·P` for every point.
    table: Vec<E::Point>,
}

/// Terms that one call of the engine sorts and sums at once: those of a full row.
const TERMS_AT_ONCE: usize = 4096 * TABLE_LEVELS;

impl<E: Engine> FixedBase<E> {
    /// Builds the table on the threads of the current pool.
    ///
    /// # Errors
    /// [`Exceptional`] if a point is infinity, or if doubling meets a point of order two.
    pub(crate) fn new(engine: E, points: Vec<P1Affine>) -> Result<Self, Exceptional> {
        if points.iter().any(P1Affine::is_infinity) {
            return Err(Exceptional);
        }
        let mut level: Vec<E::Point> = points.iter().map(|point| engine.load(point)).collect();
        let mut table = Vec::with_capacity(points.len() * TABLE_LEVELS);
        table.extend_from_slice(&level);
        for _ in 1..TABLE_LEVELS {
            level
                .par_chunks_mut(DOUBLED_AT_ONCE)
                .try_for_each(|points| engine.double(points, TABLE_BITS))?;
            table.extend_from_slice(&level);
        }
        Ok(Self { engine, points, table })
    }

    /// Rows of so many scalars that are best combined in one call.
    pub(crate) const fn rows_at_once(scalars: usize) -> usize {
        let terms = scalars * TABLE_LEVELS * Digits::for_length(scalars).sets();
        if terms == 0 || terms > TERMS_AT_ONCE { 1 } else { TERMS_AT_ONCE / terms }
    }

    /// `Σ row[i]·P[i]` for each row, on the calling thread. Rows are as long as the longest of them,
    /// and at most as long as the list of points.
    pub(crate) fn combine(&self, rows: &[&[Scalar]]) -> Vec<P1> {
        let longest = rows.iter().map(|row| row.len()).max().unwrap_or(0);
        assert!(longest <= self.points.len(), "a point for each scalar");
        let digits = Digits::for_length(longest);
        rows.chunks(Self::rows_at_once(longest))
            .flat_map(|rows| {
                self.combine_at_once(rows, digits)
                    .unwrap_or_else(|Exceptional| self.combine_completely(rows))
            })
            .collect()
    }

    /// The way of [`combine`](Self::combine) for rows that are summed together.
    fn combine_at_once(&self, rows: &[&[Scalar]], digits: Digits) -> Result<Vec<P1>, Exceptional> {
        let buckets = digits.sets() * digits.buckets();
        let scalars: usize = rows.iter().map(|row| row.len()).sum();
        let mut terms = Vec::with_capacity(scalars * TABLE_LEVELS * digits.sets());
        for (index, row) in rows.iter().enumerate() {
            digits.terms(row, index * buckets, self.points.len(), &mut terms);
        }
        let sums = sum_terms(&self.engine, &self.table, &terms, rows.len() * buckets)?;
        reduce(&self.engine, digits, &sums, rows.len())
    }

    /// The slow way, which no points can upset.
    fn combine_completely(&self, rows: &[&[Scalar]]) -> Vec<P1> {
        rows.iter().map(|row| linear_combination(&self.points[..row.len()], row)).collect()
    }
}

/// Points that one thread doubles together.
const DOUBLED_AT_ONCE: usize = 512;

#[cfg(test)]
impl<E: Engine> FixedBase<E> {
    pub(super) fn combine_at_once_for_tests(&self, row: &[Scalar]) -> Result<Vec<P1>, Exceptional> {
        self.combine_at_once(&[row], Digits::for_length(row.len()))
    }
}
