//! `GeneralStateTests`: one transaction on a given state.
//!
//! A case is two blocks on an empty genesis. The first brings the test's accounts, the second the
//! transaction. Both are committed to a real store, the store is verified, and everything is
//! unwound again, down to the empty state. So each case also exercises commit, unwind and both
//! roots of the store, incremental and rebuilt.

mod case;
mod file;
mod scratch;

use std::path::Path;
use std::sync::Arc;

use alloy_genesis::Genesis;
use cairn_evm::EvmConfig;
use cairn_primitives::ChainSpec;

use self::case::{Case, run_case};
use self::file::StateTest;
use self::scratch::Scratch;
use crate::exceptions::Suite;
use crate::failure::{CaseError, RunError};
use crate::run::{Cases, Runner, run};
use crate::{Fork, Options, Report};

/// Runs every state test under a directory, for the forks of the options.
///
/// # Errors
/// [`RunError`] where nothing could be run. Failures of cases are in the report.
pub fn run_state_tests(directory: &Path, options: &Options<'_>) -> Result<Report, RunError> {
    let report = run(&StateTests { forks: options.forks }, directory, options)?;
    if report.directories.is_empty() && report.excepted.is_empty() {
        let wanted: Vec<_> = options.forks.iter().map(ToString::to_string).collect();
        return Err(RunError::NoCase {
            path: directory.to_path_buf(),
            files: report.files,
            wanted: wanted.join(", "),
        });
    }
    Ok(report)
}

struct StateTests<'a> {
    forks: &'a [Fork],
}

impl Runner for StateTests<'_> {
    type Test = StateTest;
    type Worker = Scratch;
    const SUITE: Suite = Suite::State;

    fn run_test(&self, scratch: &mut Scratch, test: &StateTest, cases: &mut Cases<'_>) {
        for (name, posts) in &test.post {
            let Some(fork) = Fork::from_name(name).filter(|fork| self.forks.contains(fork)) else {
                posts.iter().for_each(|_| cases.skip(name));
                continue;
            };
            let mut cases = cases.with_fork(fork);
            let evm = match evm_config(test, fork) {
                Ok(evm) => evm,
                Err(error) => {
                    cases.take(0, Err(error));
                    continue;
                }
            };
            for (index, post) in posts.iter().enumerate() {
                let case = Case { test, fork, post, evm: &evm };
                if !cases.run(index, || run_case(scratch, &case)) {
                    // Nobody knows what a failed case left behind.
                    scratch.discard();
                }
            }
        }
    }
}

/// The chain that a fork's section means.
fn evm_config(test: &StateTest, fork: Fork) -> Result<EvmConfig, CaseError> {
    let mut config = fork.config(test.config.chain_id()?);
    test.config.apply(&mut config)?;
    let genesis = Genesis { config, ..Genesis::default() };
    Ok(EvmConfig::new(Arc::new(ChainSpec::from_genesis(&genesis)?)))
}
