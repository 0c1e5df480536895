//! `db`: a store from outside.

use std::path::Path;

use cairn_chain::open_store;
use cairn_primitives::ChainSpec;
use cairn_state::{Options, Store};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::{DbArgs, DbCommand};
use crate::config::state_dir;
use crate::node::stored_genesis;

/// Runs the subcommand on the store of a stopped node.
pub(crate) fn run(args: &DbArgs) -> eyre::Result<()> {
    match &args.command {
        DbCommand::Stats(args) => stats(&open(&args.datadir)?, args.json),
        DbCommand::Verify(args) => verify(&open(&args.datadir)?, args.json),
    }
}

fn open(datadir: &Path) -> eyre::Result<Store> {
    let genesis = stored_genesis(datadir)?
        .ok_or_else(|| eyre::eyre!("{} is no data directory of a node", datadir.display()))?;
    let spec = ChainSpec::from_genesis(&genesis)?;
    Ok(open_store(&state_dir(datadir), Options::default(), &spec, &genesis)?)
}

fn stats(store: &Store, json: bool) -> eyre::Result<()> {
    let tip = store.tip()?;
    let stats = store.stats()?;
    if json {
        let columns: Vec<_> = stats
            .columns
            .iter()
            .map(|c| serde_json::json!({"name": c.name, "keys": c.keys, "diskBytes": c.disk_bytes}))
            .collect();
        let object = serde_json::json!({
            "tip": {"number": tip.number, "hash": tip.hash},
            "diskBytes": stats.disk_bytes(),
            "columns": columns,
        });
        println!("{object}");
        return Ok(());
    }
    println!("tip {} {}", tip.number, tip.hash);
    println!("{:<20} {:>14} {:>14} {:>14}", "column", "keys (about)", "disk bytes", "buffer bytes");
    for column in &stats.columns {
        println!(
            "{:<20} {:>14} {:>14} {:>14}",
            column.name, column.keys, column.disk_bytes, column.buffer_bytes
        );
    }
    println!("{:<20} {:>14} {:>14}", "total", "", stats.disk_bytes());
    Ok(())
}

fn verify(store: &Store, json: bool) -> eyre::Result<()> {
    let style = ProgressStyle::with_template("{bar:40} {percent} % {msg}")?;
    let bar = ProgressBar::new(1000).with_style(style);
    let report = store.verify(|progress| {
        bar.set_position(progress.per_mille.into());
        bar.set_message(format!("{} accounts, {} slots", progress.accounts, progress.slots));
    })?;
    bar.finish_and_clear();
    let difference = report.difference.as_ref().map(ToString::to_string);
    if json {
        let object = serde_json::json!({
            "tip": {"number": report.tip.number, "hash": report.tip.hash},
            "stateRoot": report.state_root,
            "accounts": report.accounts,
            "slots": report.slots,
            "nodes": report.nodes,
            "difference": difference,
        });
        println!("{object}");
    } else {
        println!("tip {} {}", report.tip.number, report.tip.hash);
        println!("rebuilt state root {}", report.state_root);
        println!(
            "{} accounts, {} slots, {} trie nodes",
            report.accounts, report.slots, report.nodes
        );
    }
    match difference {
        None => Ok(()),
        Some(difference) => eyre::bail!("the store is damaged: {difference}"),
    }
}
