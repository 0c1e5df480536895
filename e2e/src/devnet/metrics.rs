//! What the parts measure of themselves, in Prometheus' text form.

use eyre::{ContextCompat, WrapErr};

use super::manifest::Manifest;
use super::service::http;

/// The metrics of a part at one moment.
#[derive(Debug)]
pub struct Metrics(String);

impl Metrics {
    /// Asks a part of a devnet.
    ///
    /// # Errors
    /// When the part has no metrics or does not give them.
    pub async fn read(manifest: &Manifest, part: &str) -> eyre::Result<Self> {
        let url = manifest.metrics.get(part).wrap_err_with(|| format!("{part} has no metrics"))?;
        let answer = http()?.get(url).send().await?.error_for_status()?;
        Ok(Self(answer.text().await?))
    }

    /// A counter or gauge, summed over its labels (`name{labels} value`); zero if it was never touched.
    ///
    /// # Errors
    /// When a value is no number.
    pub fn sum(&self, name: &str) -> eyre::Result<f64> {
        let mut sum = 0.0;
        for line in self.0.lines() {
            let Some((named, value)) = line.rsplit_once(' ') else { continue };
            if named.split('{').next() == Some(name) {
                sum += value.parse::<f64>().wrap_err_with(|| name.to_owned())?;
            }
        }
        Ok(sum)
    }

    /// The mean of a histogram; `None` if nothing was recorded.
    ///
    /// # Errors
    /// As [`Self::sum`].
    pub fn mean(&self, name: &str) -> eyre::Result<Option<f64>> {
        let (sum, count) = (self.sum(&format!("{name}_sum"))?, self.sum(&format!("{name}_count"))?);
        Ok((count > 0.0).then(|| sum / count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_name_alone_are_summed() {
        let text = "# TYPE a counter\na{x=\"1 2\"} 1\na{x=\"2\"} 2\na_total 8\n\nb 16\n";
        let metrics = Metrics(text.to_owned());
        assert_eq!(metrics.sum("a").expect("numbers"), 3.0);
        assert_eq!(metrics.sum("b").expect("numbers"), 16.0);
        assert_eq!(metrics.sum("c").expect("nothing"), 0.0);
        assert!(Metrics("a nothing".to_owned()).sum("a").is_err());
    }

    #[test]
    fn means_come_from_sums_and_counts() {
        let text = "# TYPE cairn_batcher_dispersal_seconds summary\n\
            cairn_batcher_dispersal_seconds{quantile=\"0.5\"} 9\n\
            cairn_batcher_dispersal_seconds_sum 3\ncairn_batcher_dispersal_seconds_count 2\n\
            cairn_batcher_channel_seconds_sum 0\ncairn_batcher_channel_seconds_count 0\n";
        let metrics = Metrics(text.to_owned());
        let mean = metrics.mean("cairn_batcher_dispersal_seconds").expect("numbers");
        assert!((mean.expect("two") - 1.5).abs() < 1e-9);
        assert_eq!(metrics.mean("cairn_batcher_channel_seconds").expect("numbers"), None);
    }
}
