//! The suites on the fixtures.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Instant;

use cairn_conformance::{
    Fixtures, Fork, Options, Report, RunError, fixtures, run_blockchain_tests, run_rlp_tests,
    run_state_tests, run_transaction_tests,
};

/// Runs a suite on a part of the fixtures, prints what came of it and fails on any failure.
fn judge(part: &str, run: impl FnOnce(PathBuf) -> Result<Report, RunError>) -> Option<Report> {
    let directory = match fixtures(part).unwrap() {
        Fixtures::At(directory) => directory,
        Fixtures::Absent => {
            println!("skipped: no fixtures for {part}");
            return None;
        }
    };
    let started = Instant::now();
    let report = run(directory).unwrap();
    println!("{report}{part}: {:.1} s", started.elapsed().as_secs_f64());
    assert!(report.is_success(), "{part}: {} cases failed", report.failed());
    assert!(report.passed() > 0, "{part}: no case ran");
    Some(report)
}

#[test]
fn every_cancun_state_test_passes() {
    judge("ethereum-tests/GeneralStateTests", |dir| run_state_tests(&dir, &Options::default()));
}

#[test]
fn every_state_test_of_the_other_forks_after_the_merge_passes() {
    let forks = [Fork::Paris, Fork::Shanghai, Fork::Prague, Fork::Osaka];
    judge("ethereum-tests/GeneralStateTests", |dir| {
        run_state_tests(&dir, &Options { forks: &forks, ..Options::default() })
    });
}

#[test]
fn every_chain_after_the_merge_is_imported() {
    judge("ethereum-tests/BlockchainTests/ValidBlocks", |dir| {
        // These wait for the disk more than they compute.
        let workers = NonZeroUsize::new(8).unwrap();
        run_blockchain_tests(&dir, &Options { workers, ..Options::default() })
    });
}

#[test]
fn every_transaction_test_passes() {
    judge("ethereum-tests/TransactionTests", |dir| {
        run_transaction_tests(&dir, &Options::default())
    });
}

#[test]
fn every_rlp_test_passes() {
    judge("ethereum-tests/RLPTests", |dir| run_rlp_tests(&dir, &Options::default()));
}
