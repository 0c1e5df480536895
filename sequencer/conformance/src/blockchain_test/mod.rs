//! `BlockchainTests`: a genesis block, blocks in RLP, and the chain that they must give.
//!
//! Each test has a store and a chain of its own, and its blocks go through
//! [`Chain::import`](cairn_chain::Chain::import) as those of the `import` command do. Networks that
//! start before the merge are left out and counted by name.

mod case;
mod file;
mod post_state;

use std::path::Path;

use self::case::run_case;
use self::file::BlockchainTest;
use crate::exceptions::Suite;
use crate::failure::RunError;
use crate::run::{Cases, Runner, run};
use crate::{Network, Options, Report};

/// Runs every blockchain test under a directory, valid and invalid blocks alike. The forks of the
/// options do not matter.
///
/// # Errors
/// [`RunError`] where nothing could be run. Failures of cases are in the report.
pub fn run_blockchain_tests(directory: &Path, options: &Options<'_>) -> Result<Report, RunError> {
    run(&BlockchainTests, directory, options)
}

struct BlockchainTests;

impl Runner for BlockchainTests {
    type Test = BlockchainTest;
    type Worker = ();
    const SUITE: Suite = Suite::Blockchain;

    fn run_test(&self, (): &mut (), test: &BlockchainTest, cases: &mut Cases<'_>) {
        match Network::from_name(&test.network) {
            Some(network) => {
                cases.run(0, || run_case(network, test));
            }
            None => cases.skip(&test.network),
        }
    }
}
