//! `statetest`: ethereum/tests state tests through the executor, the store and its root.

use crate::cli::StatetestArgs;

/// Runs the tests; fails when one does.
pub(crate) fn run(args: &StatetestArgs) -> eyre::Result<()> {
    let options = cairn_conformance::StateTestOptions::default();
    let report = cairn_conformance::run_state_tests(&args.dir, &options)?;
    report.print(args.json)?;
    eyre::ensure!(report.is_success(), "state tests failed");
    Ok(())
}
