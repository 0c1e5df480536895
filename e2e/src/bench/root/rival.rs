//! Runs the `cairn-bench-ethrex` program and reads what it measured.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use alloy_primitives::B256;
use eyre::{WrapErr, bail, eyre};
use serde::Deserialize;

use super::{RootArgs, RootFigures, Step, figures};
use crate::bench::usage::Memory;
use crate::progress::Stage;

const PROGRAM: &str = "cairn-bench-ethrex";

/// The line the program prints.
#[derive(Debug, Deserialize)]
struct Measured {
    load_seconds: f64,
    roots: Vec<B256>,
    compute_ns: Vec<u64>,
    commit_ns: Vec<u64>,
    /// Its `/proc/self/status` at the end.
    status: String,
}

/// Measures ethrex-trie with the same accounts and changes.
///
/// # Errors
/// When the program is missing or fails, or a root differs from `ours`.
pub(super) async fn measure(args: &RootArgs, ours: &[B256]) -> eyre::Result<RootFigures> {
    let _stage = Stage::begin(format!("ethrex-trie: {} accounts", args.accounts));
    let program = program()?;
    let output = tokio::process::Command::new(&program)
        .args(["--accounts", &args.accounts.to_string()])
        .args(["--updates", &args.updates.to_string()])
        .args(["--rounds", &args.rounds.to_string()])
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .wrap_err_with(|| format!("cannot run {}", program.display()))?;
    if !output.status.success() {
        bail!("{PROGRAM} failed: {}", output.status);
    }
    let measured: Measured =
        serde_json::from_slice(&output.stdout).wrap_err("unreadable figures of ethrex-trie")?;
    let steps = measured.steps()?;
    compare(ours, &steps)?;
    let load = Duration::from_secs_f64(measured.load_seconds);
    figures("ethrex-trie", args, load, &steps, Memory::parse(&measured.status)?, None)
}

impl Measured {
    fn steps(&self) -> eyre::Result<Vec<Step>> {
        if self.roots.len() != self.compute_ns.len() || self.roots.len() != self.commit_ns.len() {
            bail!("the figures of ethrex-trie are incomplete");
        }
        let times = self.compute_ns.iter().zip(&self.commit_ns);
        let step = |(root, (compute, commit)): (&B256, (&u64, &u64))| Step {
            root: *root,
            compute: Duration::from_nanos(*compute),
            commit: Duration::from_nanos(*commit),
        };
        Ok(self.roots.iter().zip(times).map(step).collect())
    }
}

/// A time is worth nothing if the result is wrong.
fn compare(ours: &[B256], theirs: &[Step]) -> eyre::Result<()> {
    if ours.len() != theirs.len() {
        bail!("{} rounds of ours, {} of ethrex-trie", ours.len(), theirs.len());
    }
    for (round, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
        if *ours != theirs.root {
            bail!("round {round}: our root is {ours}, that of ethrex-trie {}", theirs.root);
        }
    }
    Ok(())
}

/// The program is built into the same folder as this one.
fn program() -> eyre::Result<PathBuf> {
    let own = std::env::current_exe().wrap_err("own executable is unknown")?;
    let name = format!("{PROGRAM}{}", std::env::consts::EXE_SUFFIX);
    let place = own.with_file_name(name);
    if place.is_file() {
        return Ok(place);
    }
    Err(eyre!("{} is not built", place.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_differing_root_is_an_error_that_names_its_round() {
        let step = |byte| Step {
            root: B256::repeat_byte(byte),
            compute: Duration::ZERO,
            commit: Duration::ZERO,
        };
        let ours = [B256::repeat_byte(1), B256::repeat_byte(2)];
        compare(&ours, &[step(1), step(2)]).expect("equal");
        let error = compare(&ours, &[step(1), step(3)]).expect_err("not equal").to_string();
        assert!(error.contains("round 1"), "{error}");
        assert!(compare(&ours, &[step(1)]).is_err());
    }

    #[test]
    fn figures_of_unequal_length_are_refused() {
        let line = r#"{"load_seconds":1,"roots":[],"compute_ns":[1],"commit_ns":[],"status":""}"#;
        let measured: Measured = serde_json::from_str(line).expect("JSON");
        assert!(measured.steps().is_err());
    }
}
