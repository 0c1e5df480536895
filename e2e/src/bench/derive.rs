//! `cairn-bench derive`: how fast a verifier applies derived blocks.
//!
//! The blocks are made first. Then they are applied to a new chain from their attributes and raw
//! transactions: decoding, sender recovery ahead of execution, execution, roots, heads, the last block
//! on disk. Beside it, in turns and on the same blocks, revm executes the same transactions serially in
//! memory, with decoding and sender recovery and nothing else.

mod apply;
mod blocks;
mod memory;
mod serial;

use std::time::Duration;

use clap::Args;
use eyre::bail;
use serde::Serialize;

use self::blocks::Blocks;
use super::latency::median;
use super::workload::{Shape, Workload};
use crate::progress::Stage;

/// Options of `cairn-bench derive`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = AFTER_DERIVE)]
pub struct DeriveArgs {
    /// Blocks that are applied.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub blocks: u32,
    /// Transactions in each of them, the deposit not counted.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub txs_per_block: u32,
    /// What the transactions do.
    #[arg(long, value_enum, default_value_t = Workload::Transfer)]
    pub workload: Workload,
    /// Accounts that send.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub senders: u32,
    /// Accounts that receive.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub recipients: u32,
    /// Payloads whose senders are recovered ahead of execution; 1 recovers and executes in turn.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub ahead: u32,
    /// Rounds of each side, each with a new chain; the median counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,
    /// Prints one JSON object on the last line of standard output instead of a table.
    #[arg(long)]
    pub json: bool,
}

const AFTER_DERIVE: &str = "\
The ratio is our speed to that of serial revm in memory: above one, the threads that recover senders gain more than
roots and the disk cost. Every block must come out with the hash that it had when it was made, and the serial run
must use the gas of each block, or the run is an error.";

impl DeriveArgs {
    pub(super) const fn shape(&self) -> Shape {
        Shape { workload: self.workload, senders: self.senders, recipients: self.recipients }
    }
}

/// Everything `cairn-bench derive` has to say.
#[derive(Clone, Debug, Serialize)]
pub struct DeriveReport {
    /// Always `derive`.
    pub bench: &'static str,
    /// The load.
    pub workload: Workload,
    /// Blocks applied.
    pub blocks: usize,
    /// Transactions in them, deposits counted.
    pub txs: u64,
    /// Gas they used.
    pub gas_used: u64,
    /// Payloads recovered ahead.
    pub ahead: u32,
    /// Cores of this machine.
    pub cores: usize,
    /// Median time to apply them.
    pub seconds: f64,
    /// Every round.
    pub rounds_seconds: Vec<f64>,
    /// Transactions per second.
    pub tps: f64,
    /// Million gas per second.
    pub mgas_per_second: f64,
    /// Median processor time per transaction, in microseconds.
    pub cpu_us_per_tx: f64,
    /// Median time of serial revm in memory.
    pub serial_seconds: f64,
    /// Every round of it.
    pub serial_rounds_seconds: Vec<f64>,
    /// Transactions per second of it.
    pub serial_tps: f64,
    /// Our speed to that of serial revm.
    pub ratio: f64,
}

/// Runs the measurement and prints its result.
pub(super) fn run(args: &DeriveArgs) -> eyre::Result<()> {
    let blocks = {
        let _stage =
            Stage::begin(format!("making {} blocks of {}", args.blocks, args.txs_per_block));
        blocks::make(args)?
    };
    let (mut ours, mut cpu, mut theirs) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=args.rounds {
        let _stage = Stage::begin(format!("round {round}"));
        theirs.push(serial::run(&blocks)?.as_secs_f64());
        let applied = apply::run(&blocks, args.ahead)?;
        ours.push(applied.time.as_secs_f64());
        cpu.push(applied.cpu.as_secs_f64());
    }
    let report = report(args, &blocks, ours, &cpu, theirs)?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", super::table::derive(&report));
    }
    Ok(())
}

fn report(
    args: &DeriveArgs,
    blocks: &Blocks,
    ours: Vec<f64>,
    cpu: &[f64],
    theirs: Vec<f64>,
) -> eyre::Result<DeriveReport> {
    let (Some(seconds), Some(cpu), Some(serial)) = (median(&ours), median(cpu), median(&theirs))
    else {
        bail!("nothing was applied");
    };
    let (txs, gas_used) = (blocks.txs(), blocks.gas_used());
    Ok(DeriveReport {
        bench: "derive",
        workload: args.workload,
        blocks: blocks.measured.len(),
        txs,
        gas_used,
        ahead: args.ahead,
        cores: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        seconds,
        rounds_seconds: ours,
        tps: txs as f64 / seconds,
        mgas_per_second: gas_used as f64 / seconds / 1e6,
        cpu_us_per_tx: cpu * 1e6 / txs as f64,
        serial_seconds: serial,
        serial_rounds_seconds: theirs,
        serial_tps: txs as f64 / serial,
        ratio: serial / seconds,
    })
}

/// What one application took.
#[derive(Clone, Copy, Debug)]
struct Applied {
    time: Duration,
    cpu: Duration,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_do_all_of_every_workload() {
        for workload in [Workload::Transfer, Workload::Erc20, Workload::Mixed] {
            let args = DeriveArgs {
                blocks: 3,
                txs_per_block: 25,
                workload,
                senders: 10,
                recipients: 20,
                ahead: 2,
                rounds: 1,
                json: false,
            };
            let blocks = blocks::make(&args).expect("blocks");
            assert_eq!((blocks.measured.len(), blocks.txs()), (3, 78));
            serial::run(&blocks).expect("the gas of each block");
            apply::run(&blocks, args.ahead).expect("the hash of each block");
        }
    }
}
