//! The command line of `cairn-fuzz`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use eyre::{bail, ensure};

use super::{Campaign, Findings, Limits, Target, targets};

/// Executes decoders with changed inputs and counts.
#[derive(Debug, Parser)]
#[command(name = "cairn-fuzz", version)]
pub struct Cli {
    /// Targets; all without one.
    pub targets: Vec<String>,
    /// Seconds for each target.
    #[arg(long, default_value_t = 60)]
    pub seconds: u64,
    /// Seed of the random choices. [default: a random one, which is printed]
    #[arg(long)]
    pub seed: Option<u64>,
    /// Folder for inputs that fail.
    #[arg(long, default_value = "fuzz-failures")]
    pub folder: PathBuf,
    /// Lists the targets.
    #[arg(long)]
    pub list: bool,
}

/// Runs the targets one after the other.
///
/// # Errors
/// An unknown target, or an input that fails; then the error says where it is.
pub fn run(cli: &Cli) -> eyre::Result<()> {
    let all = targets::all();
    if cli.list {
        all.iter().for_each(|(name, _)| println!("{name}"));
        return Ok(());
    }
    for name in &cli.targets {
        ensure!(all.iter().any(|(known, _)| known == name), "no target {name}; see --list");
    }
    let seed = cli.seed.unwrap_or_else(rand::random);
    let limits = Limits { time: Duration::from_secs(cli.seconds), executions: u64::MAX };
    let mut failures = Vec::new();
    for (name, target) in all {
        if cli.targets.is_empty() || cli.targets.iter().any(|wanted| wanted == name) {
            failures.extend(fuzz(target()?, seed, limits, cli)?.failures);
        }
    }
    if failures.is_empty() {
        return Ok(());
    }
    bail!("{} inputs fail; put them into e2e/fuzz/<target>/: {failures:?}", failures.len())
}

fn fuzz(target: Target, seed: u64, limits: Limits, cli: &Cli) -> eyre::Result<Findings> {
    let name = target.name;
    let bar = crate::progress::Bar::begin(&format!("fuzz {name}: seconds"), cli.seconds);
    let mut shown = 0;
    let findings = Campaign::new(target, seed, &cli.folder).run(limits, |findings| {
        let seconds = findings.time.as_secs();
        bar.advance(seconds.saturating_sub(shown));
        shown = shown.max(seconds);
    })?;
    drop(bar);
    let Findings { executions, accepted, time, slowest, corpus, failures } = &findings;
    println!(
        "{name}: {executions} executions in {:.0} s ({:.0}/s), {:.1} % accepted, {} outcomes, {} inputs \
         in the corpus, slowest {:.1} ms, {} failures, seed {seed}",
        time.as_secs_f64(),
        *executions as f64 / time.as_secs_f64().max(1e-9),
        *accepted as f64 * 100.0 / (*executions).max(1) as f64,
        corpus.outcomes().len(),
        corpus.len(),
        slowest.as_secs_f64() * 1e3,
        failures.len(),
    );
    for (outcome, count) in corpus.outcomes() {
        println!("  {count:>12}  {}", outcome.name());
    }
    Ok(findings)
}
