//! Latency figures.

use std::time::Duration;

use serde::Serialize;

/// Percentiles by nearest rank over all samples, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Percentiles {
    /// Half of the samples are at most this.
    pub p50_ms: f64,
    /// Nine of ten.
    pub p90_ms: f64,
    /// Ninety-nine of a hundred.
    pub p99_ms: f64,
    /// The worst.
    pub max_ms: f64,
}

impl Percentiles {
    /// `None` without samples. Sorts in place.
    #[must_use]
    pub fn of(samples: &mut [Duration]) -> Option<Self> {
        samples.sort_unstable();
        let last = samples.last()?;
        let at = |percent: usize| {
            // Nearest rank: the smallest sample with at least that share below or at it.
            let rank = (samples.len() * percent).div_ceil(100).max(1);
            millis(samples[rank - 1])
        };
        Some(Self { p50_ms: at(50), p90_ms: at(90), p99_ms: at(99), max_ms: millis(*last) })
    }
}

/// Milliseconds with three digits behind the point.
pub(super) fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// The middle value, or the mean of the two middle ones; `None` of nothing.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        length if length % 2 == 1 => Some(sorted[middle]),
        _ => Some(f64::midpoint(sorted[middle - 1], sorted[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_millis(values: impl Iterator<Item = u64>) -> Percentiles {
        let mut samples: Vec<Duration> = values.map(Duration::from_millis).collect();
        Percentiles::of(&mut samples).expect("samples")
    }

    #[test]
    fn percentiles_of_a_hundred_are_their_ranks() {
        let figures = of_millis((1..=100).rev());
        let expected = Percentiles { p50_ms: 50.0, p90_ms: 90.0, p99_ms: 99.0, max_ms: 100.0 };
        assert_eq!(figures, expected);
    }

    #[test]
    fn one_outlier_in_a_thousand_shows_only_in_the_maximum() {
        let figures = of_millis((0..1_000).map(|n| if n == 500 { 9_000 } else { 2 }));
        assert_eq!((figures.p99_ms, figures.max_ms), (2.0, 9_000.0));
    }

    #[test]
    fn a_single_sample_is_every_percentile() {
        let figures = of_millis(std::iter::once(7));
        assert_eq!((figures.p50_ms, figures.p99_ms), (7.0, 7.0));
    }

    #[test]
    fn the_median_ignores_one_bad_round() {
        assert_eq!(median(&[5.0, 1.0, 6.0]), Some(5.0));
        assert_eq!(median(&[4.0, 1.0]), Some(2.5));
        assert_eq!(median(&[]), None);
    }
}
