//! Logs: queries, filters and subscriptions, on the chain of the execution-apis suite, block by
//! block, and when blocks leave the chain.

use std::path::Path;

use alloy_rlp::Decodable;
use cairn_chain::ChainOptions;
use cairn_primitives::Block;
use jsonrpsee::core::client::SubscriptionClientT;
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::WsClientBuilder;
use serde_json::{Value, json};

use crate::client::{PATIENCE, error_code, result, until};
use crate::conformance::fixtures;
use crate::node::{TestNode, config, open_chain};

/// The first block of the suite's chain with a log, and the number of the block before it.
const BEFORE: u64 = 1;

/// A node with the first blocks of the suite's chain, and the rest of it.
async fn node(fixtures: &Path, until_number: u64) -> (TestNode, Vec<Block>) {
    let genesis = std::fs::read(fixtures.join("genesis.json")).expect("genesis.json");
    let genesis = serde_json::from_slice(&genesis).expect("a genesis");
    let directory = tempfile::tempdir().expect("a directory");
    let chain = open_chain(directory.path(), &genesis, ChainOptions::default());
    let rlp = std::fs::read(fixtures.join("chain.rlp")).expect("chain.rlp");
    let mut rest = rlp.as_slice();
    let mut blocks = Vec::new();
    while !rest.is_empty() {
        blocks.push(Block::decode(&mut rest).expect("a block"));
    }
    let later = blocks.split_off(usize::try_from(until_number).expect("few blocks"));
    for block in blocks {
        chain.import(block).expect("a valid block");
    }
    (TestNode::serve(chain, directory, config()).await, later)
}

async fn changes(node: &TestNode, filter: &Value) -> Vec<Value> {
    until("changes", || async {
        let changes = result(node.address, "eth_getFilterChanges", json!([filter])).await;
        changes.as_array().filter(|list| !list.is_empty()).cloned()
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_told_when_they_come_and_again_when_their_block_leaves_the_chain() {
    let Some(fixtures) = fixtures() else { return };
    let (node, later) = node(&fixtures, BEFORE).await;
    let client = WsClientBuilder::default().build(format!("ws://{}", node.address)).await.unwrap();
    let mut told = client
        .subscribe::<Value, _>("eth_subscribe", rpc_params!["logs", json!({})], "eth_unsubscribe")
        .await
        .unwrap();
    let filter = result(node.address, "eth_newFilter", json!([{}])).await;
    let number = later[0].header.number;
    node.chain.import(later[0].clone()).expect("a valid block");
    let logs = changes(&node, &filter).await;
    let all = json!([{"fromBlock": "earliest", "toBlock": "latest"}]);
    assert_eq!(json!(logs), result(node.address, "eth_getLogs", all.clone()).await);
    assert!(!logs.is_empty() && logs.iter().all(|log| log["removed"] == false));
    node.chain.unwind_to(number - 1).expect("it unwinds");
    let removed = changes(&node, &filter).await;
    assert_eq!(removed.len(), logs.len());
    for (before, after) in logs.iter().zip(&removed) {
        let mut expected = before.clone();
        expected["removed"] = json!(true);
        assert_eq!(*after, expected);
    }
    for expected in logs.iter().chain(&removed) {
        let next = tokio::time::timeout(PATIENCE, told.next()).await.unwrap().unwrap().unwrap();
        assert_eq!(next, *expected);
    }
    assert_eq!(result(node.address, "eth_getLogs", all).await, json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_narrow_by_block_address_and_topic() {
    let Some(fixtures) = fixtures() else { return };
    let (node, _) = node(&fixtures, 10).await;
    let query = async |filter: Value| result(node.address, "eth_getLogs", json!([filter])).await;
    let all = query(json!({"fromBlock": "0x0", "toBlock": "0xa"})).await;
    let all = all.as_array().expect("logs");
    assert!(all.len() > 2, "the chain has logs");
    let one = &all[1];
    let of_block = query(json!({"blockHash": one["blockHash"]})).await;
    let expected: Vec<_> =
        all.iter().filter(|log| log["blockHash"] == one["blockHash"]).cloned().collect();
    assert_eq!(of_block, json!(expected));
    let range = json!({"fromBlock": one["blockNumber"], "toBlock": one["blockNumber"]});
    assert_eq!(query(range).await, of_block);
    let topics: Vec<Value> = one["topics"].as_array().unwrap().iter().map(|t| json!([t])).collect();
    let narrow = json!({"fromBlock": "earliest", "address": one["address"], "topics": topics});
    let found = query(narrow).await;
    assert!(found.as_array().unwrap().contains(one));
    assert!(found.as_array().unwrap().iter().all(|log| log["topics"] == one["topics"]));
    let nobody = "0x00000000000000000000000000000000000000ff";
    assert_eq!(query(json!({"fromBlock": "0x0", "address": nobody})).await, json!([]));
    let unknown = json!([{"blockHash": alloy::primitives::B256::repeat_byte(1)}]);
    assert_eq!(error_code(node.address, "eth_getLogs", unknown).await, -32000);
    for range in [json!({"fromBlock": "0xff"}), json!({"fromBlock": "0x0", "toBlock": "0xff"})] {
        assert_eq!(error_code(node.address, "eth_getLogs", json!([range])).await, -32602);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_built_block_changes_nothing_until_it_is_committed() {
    let Some(fixtures) = fixtures() else { return };
    let (node, _) = node(&fixtures, 54).await;
    let head = node.chain.heads().unsafe_head;
    let attributes = json!({
        "timestamp": "0x300", "prevRandao": alloy::primitives::B256::ZERO,
        "suggestedFeeRecipient": alloy::primitives::Address::ZERO, "withdrawals": [],
        "parentBeaconBlockRoot": alloy::primitives::B256::ZERO,
    });
    let params = json!([head.hash, attributes, [], "0x"]);
    let built = result(node.address, "testing_buildBlockV1", params).await;
    assert_eq!(node.chain.heads().unsafe_head, head);
    let committed =
        result(node.address, "testing_commitBlockV1", json!([attributes, [], "0x"])).await;
    assert_eq!(committed, built["executionPayload"]["blockHash"]);
    assert_eq!(json!(node.chain.heads().unsafe_head.hash), committed);
    let stale = json!([attributes, [], "0x"]);
    assert_eq!(error_code(node.address, "testing_commitBlockV1", stale).await, -32000);
}
