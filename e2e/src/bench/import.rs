//! `cairn-bench import`: how fast the node imports blocks with full validation.
//!
//! A node makes the chain, which is written to a file of concatenated RLP blocks;
//! `cairn-sequencer import` then reads it into a new data directory. The time is
//! that of the whole process: start, sender recovery, execution, roots, the
//! last block on disk, end.

mod produce;

use std::ffi::OsString;
use std::path::Path;
use std::time::{Duration, Instant};

use alloy_primitives::B256;
use clap::Args;
use eyre::{WrapErr, bail};
use serde::Serialize;

use super::latency::median;
use super::usage::ProcessUsage;
use super::workload::{Shape, Workload};
use crate::process::{ChildProcess, sequencer_binary};
use crate::progress::Stage;
use produce::{Produced, produce};

/// Between two looks at the importing process.
const POLL: Duration = Duration::from_millis(5);

/// Options of `cairn-bench import`.
#[derive(Clone, Debug, Args)]
pub struct ImportArgs {
    /// Blocks with transactions, more or less; one is made each second.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub blocks: u32,
    /// Transactions in each of them, more or less.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub txs_per_block: u32,
    /// What the transactions do.
    #[arg(long, value_enum, default_value_t = Workload::Mixed)]
    pub workload: Workload,
    /// Accounts that send.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub senders: u32,
    /// Accounts that receive.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub recipients: u32,
    /// Imports, each into a new data directory; the median counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,
    /// Prints one JSON object on the last line of standard output instead of a table.
    #[arg(long)]
    pub json: bool,
}

impl ImportArgs {
    const fn shape(&self) -> Shape {
        Shape { workload: self.workload, senders: self.senders, recipients: self.recipients }
    }
}

/// Everything `cairn-bench import` has to say.
#[derive(Clone, Debug, Serialize)]
pub struct ImportReport {
    /// Always `import`.
    pub bench: &'static str,
    /// The load.
    pub workload: Workload,
    /// Blocks imported.
    pub blocks: u64,
    /// Transactions in them.
    pub txs: u64,
    /// Gas they used.
    pub gas_used: u64,
    /// Size of the file, in bytes.
    pub file_bytes: u64,
    /// Median time of an import.
    pub seconds: f64,
    /// Every import.
    pub rounds_seconds: Vec<f64>,
    /// Transactions per second.
    pub tps: f64,
    /// Million gas per second.
    pub mgas_per_second: f64,
    /// Median processor time per transaction, in microseconds.
    pub cpu_us_per_tx: f64,
    /// Largest resident set of any import, in MiB.
    pub peak_rss_mib: f64,
}

/// One import.
#[derive(Clone, Copy, Debug)]
struct Imported {
    time: Duration,
    cpu: Duration,
    peak_rss: u64,
}

/// Runs the measurement and prints its result.
pub(super) async fn run(args: &ImportArgs) -> eyre::Result<()> {
    let folder = tempfile::Builder::new().prefix("cairn-bench-import-").tempdir()?;
    let chain = produce(args, folder.path()).await?;
    let mut rounds = Vec::new();
    for round in 0..args.rounds {
        let _stage = Stage::begin(format!("importing, round {}", round + 1));
        let datadir = folder.path().join(format!("data-{round}"));
        rounds.push(import(&chain, &datadir, folder.path()).await?);
        std::fs::remove_dir_all(&datadir).wrap_err("a data directory cannot be removed")?;
    }
    let report = report(args, &chain, &rounds)?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", super::table::import(&report));
    }
    Ok(())
}

async fn import(chain: &Produced, datadir: &Path, folder: &Path) -> eyre::Result<Imported> {
    let program = sequencer_binary()?;
    let log = folder.join("import.log");
    std::fs::write(&log, b"").wrap_err("the log cannot be written")?;
    let args: [OsString; 7] = [
        "import".into(),
        "--genesis".into(),
        chain.genesis.clone().into(),
        "--datadir".into(),
        datadir.into(),
        "--chain".into(),
        chain.file.clone().into(),
    ];
    let start = Instant::now();
    let mut child = ChildProcess::spawn("import", &program, &args, &[], &log)?;
    let mut usage = ProcessUsage::of(child.pid())?;
    let status = loop {
        if let Some(status) = child.exit_status()? {
            break status;
        }
        // Fails once the process has ended; the figures before stand then.
        usage = ProcessUsage::of(child.pid()).unwrap_or(usage);
        tokio::time::sleep(POLL).await;
    };
    let time = start.elapsed();
    if !status.success() || !reached(&std::fs::read_to_string(&log)?, chain.head) {
        bail!("the import ended with {status} or another head\n{}", child.log_tail());
    }
    Ok(Imported { time, cpu: usage.cpu, peak_rss: usage.memory.peak_rss })
}

/// Whether the import says that it ended at `head`.
fn reached(output: &str, head: B256) -> bool {
    let head = head.to_string();
    output.lines().any(|line| line.starts_with("head ") && line.ends_with(&head))
}

fn report(args: &ImportArgs, chain: &Produced, rounds: &[Imported]) -> eyre::Result<ImportReport> {
    let rounds_seconds: Vec<f64> = rounds.iter().map(|round| round.time.as_secs_f64()).collect();
    let cpu: Vec<f64> = rounds.iter().map(|round| round.cpu.as_secs_f64()).collect();
    let (Some(seconds), Some(cpu)) = (median(&rounds_seconds), median(&cpu)) else {
        bail!("nothing was imported");
    };
    let peak_rss = rounds.iter().map(|round| round.peak_rss).max().unwrap_or_default();
    Ok(ImportReport {
        bench: "import",
        workload: args.workload,
        blocks: chain.blocks,
        txs: chain.txs,
        gas_used: chain.gas_used,
        file_bytes: chain.file_bytes,
        seconds,
        rounds_seconds,
        tps: chain.txs as f64 / seconds,
        mgas_per_second: chain.gas_used as f64 / seconds / 1e6,
        cpu_us_per_tx: cpu * 1e6 / chain.txs as f64,
        peak_rss_mib: peak_rss as f64 / f64::from(1 << 20),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_head_counts_as_reached() {
        let head = B256::repeat_byte(0xab);
        let said = format!("imported 3 blocks in 1 s\nhead 3 {head}\n");
        assert!(reached(&said, head));
        assert!(!reached(&said, B256::repeat_byte(0xac)));
        assert!(!reached("", head));
    }
}
