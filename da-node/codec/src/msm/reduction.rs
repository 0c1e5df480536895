//! From buckets to the sum of the row: `Σ digit · bucket(digit)`.
//!
//! A digit is `high·2^half + low`. The engine sums the buckets of each high and of each low half, which
//! adds every bucket twice but cheaply; what remains are two short weighted sums.

use super::digits::Digits;
use super::engine::{Engine, Exceptional};
use super::lists::{Source, Sums, Term, sum_terms};
use crate::curve::{P1, P1Affine};

/// Reduces the buckets of several rows, set after set, to one point for each row.
pub(super) fn reduce<E: Engine>(
    engine: &E,
    digits: Digits,
    buckets: &Sums<E::Point>,
    rows: usize,
) -> Result<Vec<P1>, Exceptional> {
    let layout = Layout::new(digits);
    let sets = rows * digits.sets();
    let mut terms = Vec::with_capacity(2 * buckets.points.len());
    for (index, place) in buckets.places().enumerate() {
        let Some(place) = place else { continue };
        let (set, digit) = (index / digits.buckets(), index % digits.buckets() + 1);
        let source = Source::new(place, false);
        let first = set * layout.sums();
        let (high, low) = (digit >> layout.half, digit % (1 << layout.half));
        if high > 0 {
            terms.push(Term { sum: (first + high - 1) as u32, source });
        }
        if low > 0 {
            terms.push(Term { sum: (first + layout.highs + low - 1) as u32, source });
        }
    }
    let sums = sum_terms(engine, &buckets.points, &terms, sets * layout.sums())?;
    let points: Vec<Option<P1Affine>> =
        sums.iter().map(|point| point.map(|point| engine.store(point))).collect();
    let weighted: Vec<P1> =
        points.chunks_exact(layout.sums()).map(|points| layout.finish(points)).collect();
    Ok(weighted.chunks_exact(digits.sets()).map(|sets| join_sets(digits, sets)).collect())
}

/// The sets of a row, lowest first, each `2^bits` times the one before.
fn join_sets(digits: Digits, sets: &[P1]) -> P1 {
    let shift = |sum: P1| (0..digits.bits()).fold(sum, |sum, _| sum.doubled());
    sets.iter().rev().fold(P1::INFINITY, |sum, set| shift(sum).plus(set))
}

/// How digits are cut in two.
struct Layout {
    /// Bits of the low half.
    half: usize,
    /// Sums by high half, from one up.
    highs: usize,
    /// Sums by low half, from one up.
    lows: usize,
}

impl Layout {
    const fn new(digits: Digits) -> Self {
        let half = digits.bits() / 2;
        Self { half, highs: digits.buckets() >> half, lows: (1 << half) - 1 }
    }

    const fn sums(&self) -> usize {
        self.highs + self.lows
    }

    fn finish(&self, points: &[Option<P1Affine>]) -> P1 {
        let (highs, lows) = points.split_at(self.highs);
        let high = weighted_sum(highs);
        (0..self.half).fold(high, |sum, _| sum.doubled()).plus(&weighted_sum(lows))
    }
}

/// `Σ (i + 1) · points[i]`: every tail is counted once.
fn weighted_sum(points: &[Option<P1Affine>]) -> P1 {
    let mut tail = P1::INFINITY;
    let mut sum = P1::INFINITY;
    for point in points.iter().rev() {
        if let Some(point) = point {
            tail = tail.plus_affine(point);
        }
        sum = sum.plus(&tail);
    }
    sum
}
