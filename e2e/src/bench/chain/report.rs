//! What a load did to a devnet.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

use eyre::bail;
use serde::Serialize;

use super::sample::{HeadAges, Sample};
use super::{ChainArgs, Outcome};
use crate::bench::latency::median;
use crate::bench::workload::Workload;

const MIB: f64 = 1_048_576.0;

/// Everything `cairn-bench chain` has to say.
#[derive(Clone, Debug, Serialize)]
pub struct ChainReport {
    /// Always `chain`.
    pub bench: &'static str,
    /// The load.
    pub workload: Workload,
    /// Transactions offered per second.
    pub rate: u32,
    /// Seconds of load.
    pub seconds: f64,
    /// Included with success.
    pub included: u64,
    /// Refused, failed or missing.
    pub failed: u64,
    /// Transactions in the pool that no block had yet: median, most, and in the last look.
    pub pooled: [f64; 3],
    /// By node: seconds of the safe head's age by its timestamp: median,
    /// most, and median over the last tenth.
    pub safe_age: BTreeMap<&'static str, [f64; 3]>,
    /// The same of the unsafe head.
    pub unsafe_age: BTreeMap<&'static str, [f64; 3]>,
    /// Seconds after the load until all of it was safe on every node.
    pub drained_seconds: f64,
    /// Mean seconds of the parts of a batch's way, by metric.
    pub parts: BTreeMap<&'static str, f64>,
    /// By process.
    pub processes: BTreeMap<String, ProcessFigures>,
}

/// Memory and processor time of a process.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct ProcessFigures {
    /// Median resident MiB in the second tenth of the load.
    pub early_mib: f64,
    /// In the last tenth.
    pub late_mib: f64,
    /// Most.
    pub peak_mib: f64,
    /// Processor time in cores.
    pub cores: f64,
}

impl ChainReport {
    pub(super) fn new(
        args: &ChainArgs,
        outcome: &Outcome,
        parts: BTreeMap<&'static str, f64>,
    ) -> eyre::Result<Self> {
        let samples = &outcome.samples;
        let (Some(first), Some(last)) = (samples.first(), samples.last()) else {
            bail!("nothing was seen of the load");
        };
        let pooled: Vec<f64> = samples.iter().map(|sample| sample.pooled as f64).collect();
        let ages = |age: fn(&HeadAges) -> Duration| {
            let nodes = first.heads.keys();
            nodes.map(|name| (*name, figures(samples, name, age))).collect()
        };
        let success = outcome.inclusion.included - outcome.inclusion.reverted;
        Ok(Self {
            bench: "chain",
            workload: args.workload,
            rate: args.rate,
            seconds: outcome.submission.duration.as_secs_f64(),
            included: success,
            failed: args.txs().saturating_sub(success),
            pooled: [middle(&pooled), most(&pooled), last.pooled as f64],
            safe_age: ages(|ages| ages.safe),
            unsafe_age: ages(|ages| ages.unsafe_head),
            drained_seconds: outcome.drained.as_secs_f64(),
            parts,
            processes: first
                .processes
                .keys()
                .map(|name| (name.clone(), process(samples, name)))
                .collect(),
        })
    }
}

fn figures(samples: &[Sample], node: &str, age: fn(&HeadAges) -> Duration) -> [f64; 3] {
    let of = |samples: &[Sample]| -> Vec<f64> {
        let ages = samples.iter().filter_map(|sample| sample.heads.get(node));
        ages.map(|ages| age(ages).as_secs_f64()).collect()
    };
    let all = of(samples);
    [middle(&all), most(&all), middle(&of(tenth(samples, 9)))]
}

fn process(samples: &[Sample], name: &str) -> ProcessFigures {
    let usage = |samples: &[Sample]| -> Vec<f64> {
        let all = samples.iter().filter_map(|sample| sample.processes.get(name));
        all.map(|usage| usage.memory.rss as f64 / MIB).collect()
    };
    let at = |sample: Option<&Sample>| {
        let sample = sample?;
        Some((sample.at, sample.processes.get(name)?.cpu))
    };
    let cores = match (at(samples.first()), at(samples.last())) {
        (Some((start, before)), Some((end, after))) if end > start => {
            after.saturating_sub(before).as_secs_f64() / (end - start).as_secs_f64()
        }
        _ => 0.0,
    };
    ProcessFigures {
        early_mib: middle(&usage(tenth(samples, 1))),
        late_mib: middle(&usage(tenth(samples, 9))),
        peak_mib: most(&usage(samples)),
        cores,
    }
}

/// The tenth of that number, 0 to 9.
fn tenth(samples: &[Sample], number: usize) -> &[Sample] {
    let edge = |number: usize| samples.len() * number / 10;
    &samples[edge(number)..edge(number + 1)]
}

fn middle(values: &[f64]) -> f64 {
    median(values).unwrap_or(f64::NAN)
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NAN, f64::max)
}

impl Display for ChainReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:?}: {} per second for {:.0} s, {} included, {} failed",
            self.workload, self.rate, self.seconds, self.included, self.failed
        )?;
        let [middle, most, last] = self.pooled;
        writeln!(f, "{:<34}{middle:>9.0}{most:>9.0}{last:>9.0}", "pool: median, most, at the end")?;
        let ages =
            [("age of the safe head, s", &self.safe_age), ("unsafe head, s", &self.unsafe_age)];
        for (what, nodes) in ages {
            for (node, [middle, most, late]) in nodes {
                let label = format!("{node}: {what}");
                writeln!(f, "{label:<34}{middle:>9.1}{most:>9.1}{late:>9.1}")?;
            }
        }
        writeln!(f, "{:<34}{:>9.1}", "all safe after, s", self.drained_seconds)?;
        for (part, seconds) in &self.parts {
            writeln!(f, "{part:<34}{seconds:>9.3}")?;
        }
        writeln!(f, "{:<34}{:>9}{:>9}{:>9}{:>9}", "MiB", "early", "late", "most", "cores")?;
        for (name, process) in &self.processes {
            let ProcessFigures { early_mib, late_mib, peak_mib, cores } = process;
            writeln!(f, "{name:<34}{early_mib:>9.0}{late_mib:>9.0}{peak_mib:>9.0}{cores:>9.2}")?;
        }
        Ok(())
    }
}
