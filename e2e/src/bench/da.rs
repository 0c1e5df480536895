//! `cairn-bench da`: what the code of the DA network costs on one core, and how long a network of nodes takes.
//!
//! Payloads of several sizes are encoded, 64 of their rows verified, and the payload recovered from parity
//! rows alone. With `--vs c-kzg` the commitment of a full row, and the encoding as such, stand beside
//! what `c-kzg` needs for the commitment of a blob and for its EIP-7594 cells and proofs, in turns in
//! the same run. Then payloads of the same sizes go through nodes to their certificates.

mod codec;
mod dispersal;
mod rival;
mod table;

use std::time::Duration;

use clap::{Args, ValueEnum};
use eyre::{WrapErr, bail};
use serde::Serialize;

pub use dispersal::{DispersalFigures, DispersalReport};

use super::latency::median;
use super::usage::own_cpu;

/// What to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DaRival {
    /// c-kzg: blob commitments, and cells and proofs of EIP-7594.
    #[value(name = "c-kzg")]
    CKzg,
}

/// Options of `cairn-bench da`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = AFTER_DA)]
pub struct DaArgs {
    /// Bytes of a payload; may be given several times. [default: 1 KiB, 128 KiB, 1 MiB, 8 MiB, 31 MiB]
    #[arg(long = "size", value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..=32_505_856))]
    pub sizes: Vec<u32>,
    /// Active operators of the network, by which small payloads are spread.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..))]
    pub operators: u32,
    /// Rounds; the median counts.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub rounds: u32,
    /// Compares with another implementation.
    #[arg(long, value_enum)]
    pub vs: Option<DaRival>,
    /// Commits with the arithmetic that every processor has, even if this one has better. Extension and
    /// recovery still use the best.
    #[arg(long)]
    pub portable: bool,
    /// Nodes that payloads are dispersed to; 0 leaves that out.
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(0..=200))]
    pub nodes: u32,
    /// Milliseconds by which each request to a node and each answer is held back.
    #[arg(long, default_value_t = 50)]
    pub delay_ms: u64,
    /// Payloads of each size to disperse, one after the other.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub dispersals: u32,
    /// Prints one JSON object on the last line of standard output instead of a table.
    #[arg(long)]
    pub json: bool,
}

const AFTER_DA: &str = "\
All figures but those of the dispersal are processor time of one thread. A core-second per MiB is that of the payload, a MiB of verification that
of the rows checked. The single figures of the JSON object are those of the worst size from 1 MiB up (or of
all sizes, if none is so large). cells_ratio compares what c-kzg takes for cells and proofs of full blobs with our whole
encoding of the largest size, each for one MiB of payload. Tables of neither side are in the figures;
c-kzg runs without its optional precomputation (--vs c-kzg). A dispersal is measured from the payload to the
certificate that L1 would accept; all nodes and the encoder share this machine.";

impl DaArgs {
    fn sizes(&self) -> Vec<usize> {
        let default = [1 << 10, 128 << 10, 1 << 20, 8 << 20, 31 << 20];
        let sizes = if self.sizes.is_empty() { &default[..] } else { &self.sizes };
        sizes.iter().map(|size| *size as usize).collect()
    }
}

/// Figures of one size.
#[derive(Clone, Debug, Serialize)]
pub struct DaFigures {
    /// Bytes of the payload.
    pub bytes: usize,
    /// Original rows.
    pub rows: usize,
    /// Columns.
    pub columns: usize,
    /// Bytes of all rows divided by those of the payload.
    pub expansion: f64,
    /// Commitments, extension and hashes, in milliseconds.
    pub encode_ms: f64,
    /// The same for a MiB of payload, in seconds.
    pub encode_core_seconds_per_mib: f64,
    /// Checking the list of commitments, once for a matrix, in milliseconds.
    pub commitments_ms: f64,
    /// Rows verified at once.
    pub verified_rows: usize,
    /// Verifying them, in milliseconds.
    pub verify_ms: f64,
    /// The same as MiB of rows in a second.
    pub verify_mib_per_core_second: f64,
    /// Recovering the payload from parity rows alone, in milliseconds.
    pub recover_ms: f64,
}

/// Figures beside those of c-kzg.
#[derive(Clone, Debug, Serialize)]
pub struct DaRatios {
    /// Commitment of a full row, in milliseconds.
    pub commit_ms: f64,
    /// Commitment of a blob by c-kzg.
    pub their_commit_ms: f64,
    /// Cells and proofs of a blob by c-kzg, in seconds for a MiB of payload.
    pub their_cells_core_seconds_per_mib: f64,
    /// Their time for a commitment divided by ours.
    pub commit_ratio: f64,
    /// Their time for cells and proofs divided by ours for the whole encoding.
    pub cells_ratio: f64,
}

/// Everything `cairn-bench da` has to say.
#[derive(Clone, Debug, Serialize)]
pub struct DaReport {
    /// Always `da`.
    pub bench: &'static str,
    /// Arithmetic in use.
    pub engine: &'static str,
    /// Operators.
    pub operators: u32,
    /// Building the tables, in milliseconds.
    pub tables_ms: f64,
    /// Worst of the large sizes.
    pub encode_core_seconds_per_mib: f64,
    /// Worst of the large sizes.
    pub verify_mib_per_core_second: f64,
    /// Every size.
    pub sizes: Vec<DaFigures>,
    /// Only in a comparison.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub ratios: Option<DaRatios>,
    /// Only with nodes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispersal: Option<DispersalReport>,
    /// The most memory that this process held before the dispersal, in MiB.
    pub peak_rss_mib: f64,
}

/// Runs the measurement and prints its result.
pub(super) async fn run(args: &DaArgs) -> eyre::Result<()> {
    let owned = args.clone();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().wrap_err("no thread")?;
    let work = tokio::task::spawn_blocking(move || {
        let report = pool.install(|| codec::measure(&owned))?;
        // The nodes use every core.
        let dispersal = dispersal::measure(&owned)?;
        eyre::Ok(DaReport { dispersal, ..report })
    });
    let report = work.await.wrap_err("the measurement ended early")??;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", table::da(&report));
    }
    Ok(())
}

/// Shorter work is repeated for so long in each round.
const LEAST: Duration = Duration::from_millis(20);

/// Processor time of this process for one execution, in seconds.
fn once<T>(mut work: impl FnMut() -> eyre::Result<T>) -> eyre::Result<f64> {
    let started = own_cpu()?;
    let mut times = 0u32;
    loop {
        std::hint::black_box(work()?);
        times += 1;
        let spent = own_cpu()?.saturating_sub(started);
        if spent >= LEAST {
            return Ok(spent.as_secs_f64() / f64::from(times));
        }
    }
}

/// Median of the rounds.
fn middle(rounds: &[f64]) -> eyre::Result<f64> {
    match median(rounds) {
        Some(seconds) => Ok(seconds),
        None => bail!("no round was run"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_the_figures_are_in_the_json() -> eyre::Result<()> {
        let args = DaArgs {
            sizes: vec![1000],
            operators: 16,
            rounds: 1,
            vs: None,
            portable: false,
            nodes: 4,
            delay_ms: 5,
            dispersals: 3,
            json: true,
        };
        let dispersal = dispersal::measure(&args)?;
        let report = DaReport { dispersal, ..codec::measure(&args)? };
        let json = serde_json::to_value(&report)?;
        for field in ["encode_core_seconds_per_mib", "verify_mib_per_core_second"] {
            assert!(json[field].as_f64().is_some_and(|figure| figure > 0.0), "{field}");
        }
        assert!(json.get("commit_ratio").is_none());
        let size = &json["dispersal"]["sizes"][0];
        // There and back, at the least.
        assert!(size["certified"]["p50_ms"].as_f64().is_some_and(|time| time >= 10.0), "{size}");
        assert!(size["carried_ratio"].as_f64().is_some_and(|ratio| ratio > 4.0), "{size}");
        let without = dispersal::measure(&DaArgs { nodes: 0, ..args })?;
        assert!(without.is_none());
        assert_eq!(json["sizes"][0]["rows"], 4);
        let ratios = DaRatios {
            commit_ms: 1.0,
            their_commit_ms: 5.0,
            their_cells_core_seconds_per_mib: 2.0,
            commit_ratio: 5.0,
            cells_ratio: 20.0,
        };
        let json = serde_json::to_value(DaReport { ratios: Some(ratios), ..report.clone() })?;
        assert_eq!(
            (json["commit_ratio"].as_f64(), json["cells_ratio"].as_f64()),
            (Some(5.0), Some(20.0))
        );
        let text = table::da(&report);
        assert!(text.contains("4 x 9") && text.contains("dispersal to 4 nodes"), "{text}");
        Ok(())
    }

    #[test]
    fn the_rounds_are_measured_in_processor_time() -> eyre::Result<()> {
        let mut runs = 0;
        let seconds = once(|| {
            runs += 1;
            let sum: u64 = (0..1_000_000u64).map(std::hint::black_box).sum();
            Ok(sum)
        })?;
        assert!(seconds * f64::from(runs) >= LEAST.as_secs_f64() * 0.99);
        assert!(middle(&[]).is_err());
        Ok(())
    }
}
