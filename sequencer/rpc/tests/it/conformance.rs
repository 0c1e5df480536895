//! The execution-apis suite: its chain imported under Ethereum rules, every recorded request
//! replayed over HTTP, answers compared as JSON (errors by code).

use std::path::PathBuf;

use alloy_rlp::Decodable;
use cairn_chain::{ChainOptions, Head, Imported};
use cairn_primitives::Block;

use crate::client::post;
use crate::exceptions::EXCEPTIONS;
use crate::io_file::{IoFile, difference, read_all};
use crate::node::{TestNode, config, open_chain};

/// Share of the files that must pass, outside and inside `eth_simulateV1`, in percent.
const TARGET_OTHER: usize = 95;
const TARGET_SIMULATE: usize = 60;

/// Directory of the fixtures; `None` where there is none and that is no failure.
pub(crate) fn fixtures() -> Option<PathBuf> {
    cairn_test_setup::fixtures("execution-apis")
}

/// Imports the chain of the suite and makes its last block head, safe and finalized.
async fn node(fixtures: &std::path::Path) -> TestNode {
    let genesis = std::fs::read(fixtures.join("genesis.json")).expect("genesis.json");
    let genesis = serde_json::from_slice(&genesis).expect("a genesis");
    let directory = tempfile::tempdir().expect("a directory");
    let chain = open_chain(directory.path(), &genesis, ChainOptions::default());
    let rlp = std::fs::read(fixtures.join("chain.rlp")).expect("chain.rlp");
    let mut rest = rlp.as_slice();
    let mut last = None;
    while !rest.is_empty() {
        let block = Block::decode(&mut rest).expect("a block");
        let number = block.header.number;
        last = Some(block.header.hash_slow());
        let imported = chain.import(block).unwrap_or_else(|e| panic!("block {number}: {e}"));
        assert_eq!(imported, Imported::Head, "block {number}");
    }
    let last = last.expect("blocks");
    chain.set_head(Head::Safe, last).expect("a safe head");
    chain.set_head(Head::Finalized, last).expect("a finalized head");
    TestNode::serve(chain, directory, config()).await
}

/// Replays a file; gives what differs first.
async fn replay(node: &TestNode, file: &IoFile) -> Option<String> {
    for (request, expected) in &file.exchanges {
        let received = post(node.address, request.to_string()).await.json();
        let found = difference(expected, &received, file.speconly);
        if found.is_some() {
            return found;
        }
    }
    None
}

#[derive(Default)]
struct Tally {
    passed: usize,
    total: usize,
}

impl Tally {
    fn percent(&self) -> usize {
        self.passed * 100 / self.total.max(1)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_execution_apis_suite_passes() {
    let Some(fixtures) = fixtures() else { return };
    let files = read_all(&fixtures);
    let node = node(&fixtures).await;
    let (mut simulate, mut other) = (Tally::default(), Tally::default());
    let mut surprises = Vec::new();
    for file in &files {
        let tally =
            if file.name.starts_with("eth_simulateV1") { &mut simulate } else { &mut other };
        tally.total += 1;
        let reason = EXCEPTIONS.iter().find(|(name, _)| *name == file.name);
        match (replay(&node, file).await, reason) {
            (None, None) => tally.passed += 1,
            (None, Some(_)) => surprises.push(format!("{} passes: strike it off", file.name)),
            (Some(found), None) => surprises.push(format!("{}: {found}", file.name)),
            (Some(found), Some((_, reason))) => {
                println!("known failure {}: {reason} ({found})", file.name);
            }
        }
    }
    println!("eth_simulateV1: {}/{}", simulate.passed, simulate.total);
    println!("other methods: {}/{}", other.passed, other.total);
    for (name, _) in EXCEPTIONS {
        assert!(files.iter().any(|file| file.name == *name), "{name} is no file of the suite");
    }
    let read = files.len();
    assert_eq!(simulate.total + other.total, read, "every file is replayed");
    assert!(read > 0, "no files");
    assert!(surprises.is_empty(), "{} surprises:\n{}", surprises.len(), surprises.join("\n"));
    assert!(other.percent() >= TARGET_OTHER, "other methods below {TARGET_OTHER} %");
    assert!(simulate.percent() >= TARGET_SIMULATE, "simulateV1 below {TARGET_SIMULATE} %");
}
