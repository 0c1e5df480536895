//! `statetest`: ethereum/tests state tests through the executor, the store and its root.

use cairn_conformance::{Options, Progress, run_state_tests};
use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::StatetestArgs;

/// Runs the tests; fails when one does.
pub(crate) fn run(args: &StatetestArgs) -> eyre::Result<()> {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} files")?;
    let bar = ProgressBar::new(0).with_style(style);
    let progress = |done: Progress| {
        bar.set_length(done.files as u64);
        bar.set_position(done.files_done as u64);
    };
    let options = Options { progress: Some(&progress), ..Options::default() };
    let report = run_state_tests(&args.dir, &options)?;
    bar.finish_and_clear();
    print!("{report}");
    if args.json {
        println!("{}", report.to_json());
    }
    eyre::ensure!(report.is_success(), "{} cases failed", report.failed());
    Ok(())
}
