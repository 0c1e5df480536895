//! The ethrex side of `cairn-bench root --vs ethrex`, which starts this program
//! and reads its one line of JSON. It is a program of its own because of the
//! clash described in `bench/root/plan.rs`, and so its memory is its own too.

#[path = "../../bench/root/plan.rs"]
mod plan;
mod trie;

use std::time::Instant;

use clap::Parser;
use serde_json::json;

use trie::EthrexTrie;

/// Measures ethrex-trie; started by `cairn-bench root --vs ethrex`.
#[derive(Debug, Parser)]
struct Args {
    /// Accounts in the trie.
    #[arg(long)]
    accounts: u32,
    /// Accounts that each round changes.
    #[arg(long)]
    updates: u32,
    /// Rounds.
    #[arg(long)]
    rounds: u32,
}

fn main() -> eyre::Result<()> {
    let args = Args::parse();
    let started = Instant::now();
    let mut trie = EthrexTrie::load(args.accounts)?;
    let load_seconds = started.elapsed().as_secs_f64();
    let (mut roots, mut compute_ns, mut commit_ns) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..args.rounds {
        let step = trie.round(&plan::changes(round, args.accounts, args.updates))?;
        roots.push(format!("{:#x}", step.root));
        compute_ns.push(u64::try_from(step.compute.as_nanos())?);
        commit_ns.push(u64::try_from(step.commit.as_nanos())?);
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    println!(
        "{}",
        json!({
            "load_seconds": load_seconds,
            "roots": roots,
            "compute_ns": compute_ns,
            "commit_ns": commit_ns,
            "status": status,
        })
    );
    Ok(())
}
