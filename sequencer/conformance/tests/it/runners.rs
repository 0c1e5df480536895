//! A runner that cannot fail proves nothing: each change to a good file must be noticed.

use std::path::Path;

use cairn_conformance::{
    Exception, Fork, Options, Report, RunError, Suite, run_blockchain_tests, run_rlp_tests,
    run_state_tests, run_transaction_tests,
};
use serde_json::{Value, json};

use crate::scratch::{data, directory};

type Run = fn(&Path, &Options<'_>) -> Result<Report, RunError>;

fn state_report(test: &Value, options: &Options<'_>) -> Report {
    run_state_tests(directory(&test.to_string()).path(), options).unwrap()
}

/// Runs `add11` with one change; gives back the only reason for failure.
fn state_failure(change: impl FnOnce(&mut Value)) -> String {
    let mut test = data("state_test.json");
    change(&mut test["add11"]);
    only_failure(&state_report(&test, &Options::default()))
}

fn chain_failure(change: impl FnOnce(&mut Value)) -> String {
    let mut test = data("blockchain_test.json");
    change(&mut test["shanghaiExample_Cancun"]);
    let directory = directory(&test.to_string());
    only_failure(&run_blockchain_tests(directory.path(), &Options::default()).unwrap())
}

fn only_failure(report: &Report) -> String {
    assert!(!report.is_success(), "the change was not noticed");
    assert_eq!((report.passed(), report.failures.len()), (0, 1), "{report}");
    report.failures[0].reason.clone()
}

#[test]
fn intact_files_pass() {
    let report = state_report(&data("state_test.json"), &Options::default());
    assert_eq!((report.passed(), report.failed(), report.files), (1, 0, 1), "{report}");
    let directory = directory(&data("blockchain_test.json").to_string());
    let report = run_blockchain_tests(directory.path(), &Options::default()).unwrap();
    assert_eq!((report.passed(), report.failed(), report.files), (1, 0, 1), "{report}");
}

#[test]
fn wrong_results_of_a_state_test_are_noticed() {
    let wrong = "0x1111111111111111111111111111111111111111111111111111111111111111";
    let case = |field: &'static str, value: &'static str| {
        state_failure(move |test| test["post"]["Cancun"][0][field] = json!(value))
    };
    assert!(case("hash", wrong).starts_with("state root: got 0xe8010ce5"));
    assert!(case("logs", wrong).starts_with("hash of the logs: got 0x1dcc4de8"));
    assert!(case("expectException", "X.Y").starts_with("accepted, the file expects X.Y"));
    assert!(case("txbytes", "0xc0").starts_with("valid transaction refused"));
    let sender = "0x00000000000000000000000000000000000000aa";
    let reason = state_failure(|test| test["transaction"]["sender"] = json!(sender));
    assert!(reason.starts_with("sender: got 0xa94f"), "{reason}");
}

#[test]
fn unknown_shapes_are_failures() {
    let no_env = state_failure(|test| drop(test.as_object_mut().unwrap().remove("env")));
    assert!(no_env.starts_with("unknown shape: missing field `env`"), "{no_env}");
    let wide = state_failure(|test| {
        test["env"]["currentTimestamp"] = json!("0x10000000000000000");
    });
    assert!(wide.starts_with("unknown shape: currentTimestamp"), "{wide}");
    for content in ["", "[]", "{}", "{\"a\": 1}"] {
        let directory = directory(content);
        let options = Options::default();
        let runs: [Run; 4] =
            [run_state_tests, run_blockchain_tests, run_transaction_tests, run_rlp_tests];
        for run in runs {
            assert_eq!(run(directory.path(), &options).unwrap().failed(), 1, "{content:?}");
        }
    }
}

#[test]
fn a_run_that_proves_nothing_is_an_error() {
    let empty = tempfile::tempdir().unwrap();
    let run = run_state_tests(empty.path(), &Options::default());
    assert!(matches!(run, Err(RunError::Empty(_))));
    let directory = directory(&data("state_test.json").to_string());
    let options = Options { forks: &[Fork::Osaka], ..Options::default() };
    let run = run_state_tests(directory.path(), &options);
    assert!(matches!(run, Err(RunError::NoCase { files: 1, .. })));
    assert!(run_state_tests(&empty.path().join("absent"), &Options::default()).is_err());
}

#[test]
fn an_exception_that_passes_is_a_failure() {
    let exception = |name, file| {
        let (suite, index, reason) = (Suite::State, Some(0), "just so");
        [Exception { suite, file, name, index, reason }]
    };
    let listed = exception(Some("add11"), "part/test.json");
    let options = Options { exceptions: &listed, ..Options::default() };
    let mut test = data("state_test.json");
    let reason = only_failure(&state_report(&test, &options));
    assert_eq!(reason, "stands in the exceptions list (just so) and passes now: remove the entry");
    let dangling = exception(Some("add12"), "part/test.json");
    let report = state_report(&test, &Options { exceptions: &dangling, ..Options::default() });
    assert_eq!((report.passed(), report.failed()), (1, 1), "{report}");

    test["add11"]["post"]["Cancun"][0]["logs"] = json!(format!("0x{}", "1".repeat(64)));
    let report = state_report(&test, &options);
    assert!(report.is_success(), "{report}");
    assert_eq!((report.passed(), report.excepted.len()), (0, 1), "{report}");
    let other = exception(None, "other/test.json");
    let report = state_report(&test, &Options { exceptions: &other, ..Options::default() });
    assert_eq!(report.failed(), 1, "{report}");
}

#[test]
fn wrong_ends_of_a_chain_are_noticed() {
    let word = format!("0x{}", "1".repeat(64));
    let reason = chain_failure(|test| test["lastblockhash"] = json!(word));
    assert!(reason.starts_with("last block hash"), "{reason}");
    let reason = chain_failure(|test| test["genesisBlockHeader"]["hash"] = json!(word));
    assert!(reason.starts_with("genesis hash"), "{reason}");
    let sender = "0xa94f5374fce5edbc8e2a8697c15331677e6ebf0b";
    let reason = chain_failure(|test| test["postState"][sender]["nonce"] = json!("0x07"));
    assert!(reason.starts_with("account: got 0xa94f"), "{reason}");
    let beacon_roots = "0x000f3df6d732807ef1319fb7b8bb8522d0beac02";
    let reason = chain_failure(|test| {
        test["postState"][beacon_roots]["storage"]["0x03b6"] = json!("0x01");
    });
    assert!(reason.starts_with("storage: got 0x000F3d"), "{reason}");
    // An account that the file does not have shows in the root of those that it has.
    let reason = chain_failure(|test| {
        test["postState"].as_object_mut().unwrap().remove(sender);
    });
    assert!(reason.starts_with("root of the file's accounts"), "{reason}");
    let reason = chain_failure(|test| test["blocks"][0]["expectException"] = json!("Some.Error"));
    assert_eq!(reason, "accepted, the file expects Some.Error");
}

#[test]
fn networks_before_the_merge_are_counted_as_skipped() {
    let mut test = data("blockchain_test.json");
    test["shanghaiExample_Cancun"]["network"] = json!("BerlinToLondonAt5");
    let directory = directory(&test.to_string());
    let report = run_blockchain_tests(directory.path(), &Options::default()).unwrap();
    assert_eq!(report.skipped.get("BerlinToLondonAt5"), Some(&1));
    assert_eq!(report.passed() + report.failed(), 0);
}

#[test]
fn the_json_has_what_scripts_read() {
    let mut test = data("state_test.json");
    test["add11"]["post"]["Cancun"][0]["logs"] = json!(format!("0x{}", "1".repeat(64)));
    let json = state_report(&test, &Options::default()).to_json();
    assert_eq!(json["passed"], 0);
    assert_eq!(json["failed"], 1);
    assert_eq!(json["total"], 1);
    assert_eq!(json["files"], 1);
    assert_eq!(json["failures"][0]["file"], "part/test.json");
    assert_eq!(json["failures"][0]["name"], "add11");
    assert_eq!(json["failures"][0]["index"], 0);
    assert!(json["failures"][0]["reason"].as_str().unwrap().starts_with("hash of the logs"));
}
