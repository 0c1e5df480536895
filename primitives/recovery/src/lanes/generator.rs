//! Multiples of the generator `G` and of `2^128·G`.

use std::sync::OnceLock;

use k256::elliptic_curve::BatchNormalize;
use k256::elliptic_curve::sec1::ToEncodedPoint;
use k256::{AffinePoint, ProjectivePoint};

use super::vector::Row;
use crate::scalars::GENERATOR_DIGIT_BITS;

/// Multiples in a table: digits have a sign.
const MULTIPLES: usize = 1 << (GENERATOR_DIGIT_BITS - 1);

/// The multiples `1..=512` of two points, 64 KiB: row `m - 1` is multiple `m`, four words of `x`, four of `y`.
#[derive(Debug)]
pub(crate) struct Generator {
    /// Of `G`.
    pub(crate) low: Vec<Row>,
    /// Of `2^128·G`.
    pub(crate) high: Vec<Row>,
}

impl Generator {
    /// The tables, made when they are first asked for, in about a millisecond.
    pub(crate) fn tables() -> &'static Self {
        static TABLES: OnceLock<Generator> = OnceLock::new();
        TABLES.get_or_init(|| {
            let low = ProjectivePoint::GENERATOR;
            let high = (0..128).fold(low, |point, _| point.double());
            Self { low: multiples(low), high: multiples(high) }
        })
    }
}

fn multiples(point: ProjectivePoint) -> Vec<Row> {
    let sums = std::iter::successors(Some(point), |sum| Some(sum + &point));
    let points: Vec<ProjectivePoint> = sums.take(MULTIPLES).collect();
    ProjectivePoint::batch_normalize(points.as_slice()).iter().map(to_row).collect()
}

/// A point other than infinity.
pub(crate) fn to_row(point: &AffinePoint) -> Row {
    let encoded = point.to_encoded_point(false);
    let mut row = Row::default();
    // One byte of format, then 32 of `x` and 32 of `y`, most significant first.
    let (words, _) = encoded.as_bytes()[1..].as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        row.0[index / 4 * 4 + 3 - index % 4] = u64::from_be_bytes(*word);
    }
    row
}
