//! `cairn-bench root`: what the state root of a block costs on a large state.
//!
//! A store of N accounts is built in a temporary folder. Each round changes M
//! accounts chosen at random, computes the root and commits, so that every round
//! stands on the one before. With `--vs ethrex` the same changes go into
//! `ethrex-trie`, and both roots must agree.

mod ours;
mod plan;
mod rival;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use alloy_primitives::B256;
use clap::{Args, ValueEnum};
use eyre::{WrapErr, bail};
use serde::Serialize;

use super::latency::{median, millis};
use super::usage::Memory;
use crate::progress::Bar;
use ours::CairnStore;

/// A trie to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Rival {
    /// ethrex-trie on its own in-memory database.
    Ethrex,
}

/// Options of `cairn-bench root`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = AFTER_ROOT)]
pub struct RootArgs {
    /// Accounts in the store.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub accounts: u32,
    /// Accounts that each round changes.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub updates: u32,
    /// Rounds; the median counts.
    #[arg(long, default_value_t = 11, value_parser = clap::value_parser!(u32).range(1..=1_000))]
    pub rounds: u32,
    /// Does the same with another trie.
    #[arg(long, value_enum)]
    pub vs: Option<Rival>,
    /// Folder in which the temporary store is made. [default: the system's]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Prints one JSON object on the last line of standard output instead of a table.
    #[arg(long)]
    pub json: bool,
}

const AFTER_ROOT: &str = "\
Timed is the same on both sides: hashing the changed addresses, reading the nodes on their paths, and computing
the new root and the nodes to be stored. Not timed: reading the accounts before and the commit (shown apart). Our
store is RocksDB on disk with its default caches, filled as a node fills them after a start; ethrex-trie keeps all nodes in memory, reads them in
sorted batches (prefetch_sorted) and runs in a process of its own. The ratio is of updates per second.";

impl RootArgs {
    /// No more than there are.
    fn changed(&self) -> u32 {
        self.updates.min(self.accounts)
    }
}

/// Where a round spent its time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    root: B256,
    compute: Duration,
    commit: Duration,
}

/// One side of the result.
#[derive(Clone, Debug, Serialize)]
pub struct RootFigures {
    /// What was measured.
    pub name: &'static str,
    /// Time to build the store or trie of all accounts.
    pub load_seconds: f64,
    /// Median time of a round's root, in milliseconds.
    pub root_ms: f64,
    /// Every round.
    pub rounds_ms: Vec<f64>,
    /// Updates per second at the median.
    pub updates_per_second: f64,
    /// Median time of a round's commit, in milliseconds.
    pub commit_ms: f64,
    /// Time of the first proof of the first round's state, after all rounds, in milliseconds; absent
    /// for what keeps no old state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old_proof_ms: Option<f64>,
    /// Time of a second proof of the same state.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_old_proof_ms: Option<f64>,
    /// Resident memory of this process after the last round, in MiB.
    pub rss_mib: f64,
    /// The most it has been since the process started.
    pub peak_rss_mib: f64,
    /// Size on disk, in MiB; absent for what lives in memory.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disk_mib: Option<f64>,
}

/// Everything `cairn-bench root` has to say.
#[derive(Clone, Debug, Serialize)]
pub struct RootReport {
    /// Always `root`.
    pub bench: &'static str,
    /// Accounts in the store.
    pub accounts: u32,
    /// Changed accounts per round.
    pub updates: u32,
    /// Our store.
    pub ours: RootFigures,
    /// The other trie; only in a comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub theirs: Option<RootFigures>,
    /// Updates per second, ours divided by theirs; only in a comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<f64>,
}

/// Runs the measurement and prints its result.
pub(super) async fn run(args: &RootArgs) -> eyre::Result<()> {
    let (ours, roots) = our_side(args)?;
    let theirs = match args.vs {
        None => None,
        Some(Rival::Ethrex) => Some(rival::measure(args, &roots).await?),
    };
    let ratio = theirs.as_ref().map(|theirs| ours.updates_per_second / theirs.updates_per_second);
    let (accounts, updates) = (args.accounts, args.changed());
    let report = RootReport { bench: "root", accounts, updates, ours, theirs, ratio };
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", super::table::root(&report));
    }
    Ok(())
}

fn our_side(args: &RootArgs) -> eyre::Result<(RootFigures, Vec<B256>)> {
    let started = Instant::now();
    let bar = Bar::begin("cairn: loading accounts", args.accounts.into());
    let mut store = CairnStore::load(args.accounts, args.dir.as_deref(), &bar)?;
    let load = started.elapsed();
    drop(bar);
    let bar = Bar::begin("cairn: measuring rounds", args.rounds.into());
    let mut steps = Vec::new();
    for round in 0..args.rounds {
        steps.push(store.round(&plan::changes(round, args.accounts, args.updates))?);
        bar.advance(1);
    }
    let status = std::fs::read_to_string("/proc/self/status").wrap_err("own memory")?;
    let disk = Some(store.disk_bytes()?);
    let roots = steps.iter().map(|step| step.root).collect();
    let mut figures = figures("cairn", args, load, &steps, Memory::parse(&status)?, disk)?;
    let (first, next) = store.old_proofs()?;
    figures.old_proof_ms = Some(millis(first));
    figures.next_old_proof_ms = Some(millis(next));
    Ok((figures, roots))
}

fn figures(
    name: &'static str,
    args: &RootArgs,
    load: Duration,
    steps: &[Step],
    memory: Memory,
    disk: Option<u64>,
) -> eyre::Result<RootFigures> {
    let rounds_ms: Vec<f64> = steps.iter().map(|step| millis(step.compute)).collect();
    let commits: Vec<f64> = steps.iter().map(|step| millis(step.commit)).collect();
    let (Some(root_ms), Some(commit_ms)) = (median(&rounds_ms), median(&commits)) else {
        bail!("no round was run");
    };
    let mib = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    Ok(RootFigures {
        name,
        load_seconds: load.as_secs_f64(),
        root_ms,
        updates_per_second: f64::from(args.changed()) / root_ms * 1e3,
        rounds_ms,
        commit_ms,
        old_proof_ms: None,
        next_old_proof_ms: None,
        rss_mib: mib(memory.rss),
        peak_rss_mib: mib(memory.peak_rss),
        disk_mib: disk.map(mib),
    })
}
