//! Simulations beyond the fixtures.

use std::time::Duration;

use cairn_genesis::{DevOptions, dev_accounts, dev_genesis};
use serde_json::{Value, json};

use super::fixtures::fixtures;
use super::node::Node;
use crate::{MethodLimits, RpcConfig};

const CONTRACT: &str = "0xc200000000000000000000000000000000000000";
const SENDER: &str = "0xc000000000000000000000000000000000000000";

fn node() -> Node {
    Node::new(&dev_genesis(&DevOptions::default()).unwrap(), RpcConfig::default())
}

async fn simulate(node: &Node, request: Value, block: &str) -> Result<Value, Value> {
    node.call("eth_simulateV1", json!([request, block])).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_op_chain_simulates_with_its_own_header_fields() {
    let node = node();
    let sender = dev_accounts(1).unwrap()[0].address;
    let call = json!({"from": sender, "to": CONTRACT, "value": "0x1"});
    let request = json!({
        "blockStateCalls": [{"calls": [call]}, {"calls": [call]}],
        "traceTransfers": true,
    });
    let blocks = simulate(&node, request, "latest").await.unwrap();
    let (_, genesis) = node.chain.header(0.into()).unwrap().unwrap();
    let passer = json!(genesis.withdrawals_root);
    for (at, block) in blocks.as_array().unwrap().iter().enumerate() {
        assert_eq!(block["withdrawalsRoot"], passer);
        assert_eq!(block["extraData"], json!(genesis.extra_data));
        assert_eq!(block["calls"][0]["status"], "0x1");
        assert_eq!(block["calls"][0]["logs"].as_array().unwrap().len(), 1);
        assert_eq!(block["number"], format!("{:#x}", at + 1));
    }
    assert_eq!(blocks[1]["parentHash"], blocks[0]["hash"]);
    assert_ne!(blocks[1]["stateRoot"], blocks[0]["stateRoot"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_calls_fail_the_simulation_with_their_code() {
    let node = node();
    let one = |call: Value, validation| json!({"blockStateCalls": [{"calls": [call]}], "validation": validation});
    for (request, code) in [
        (one(json!({"gas": "0x0"}), false), -38013),
        (one(json!({"gas": "0xffffffffffff"}), false), -38015),
        (one(json!({"from": SENDER, "value": "0x1"}), false), -38014),
        (one(json!({"from": SENDER, "nonce": "0x1", "gasPrice": "0x77359400"}), true), -38011),
        (one(json!({"gasPrice": "0x1", "maxFeePerGas": "0x1"}), false), -32000),
        (one(json!({"input": format!("0x{}", "00".repeat(49_153))}), false), -38025),
        (json!({"blockStateCalls": []}), -32602),
        (json!({"blockStateCalls": 1}), -32602),
    ] {
        let error = simulate(&node, request.clone(), "latest").await.unwrap_err();
        assert_eq!(error["code"], code, "{request}: {error}");
    }
    let stale = json!({
        "blockStateCalls": [{
            "stateOverrides": {SENDER: {"nonce": "0x5", "balance": "0xffffffffffffffff"}},
            "calls": [{"from": SENDER, "nonce": "0x0", "gas": "0x5208", "gasPrice": "0x77359400"}],
        }],
        "validation": true,
    });
    let error = simulate(&node, stale, "latest").await.unwrap_err();
    assert_eq!(error["code"], -38010, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn halts_and_reverts_stand_in_the_result_of_their_call() {
    let overrides = json!({CONTRACT: {"code": "0xfe"}, SENDER: {"code": "0x60aa5f5260205ffd"}});
    let calls = json!([{"to": CONTRACT, "gas": "0xffff"}, {"to": SENDER}]);
    let request = json!({"blockStateCalls": [{"stateOverrides": overrides, "calls": calls}]});
    let blocks = simulate(&node(), request, "latest").await.unwrap();
    let calls = &blocks[0]["calls"];
    assert_eq!(calls[0]["error"], json!({"code": -32015, "message": "invalid opcode: INVALID"}));
    assert_eq!(calls[0]["gasUsed"], "0xffff");
    assert_eq!(calls[1]["error"]["code"], 3);
    assert_eq!(calls[1]["returnData"], "0x");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destroyed_contract_hands_its_ether_over_as_a_log() {
    let beneficiary = "c500000000000000000000000000000000000000";
    let code = format!("0x73{beneficiary}ff");
    let overrides = json!({CONTRACT: {"code": code, "balance": "0x1e8480"}});
    let request = json!({
        "blockStateCalls": [{"stateOverrides": overrides, "calls": [{"to": CONTRACT}]}],
        "traceTransfers": true,
    });
    let blocks = simulate(&node(), request, "latest").await.unwrap();
    let log = &blocks[0]["calls"][0]["logs"][0];
    assert_eq!(log["address"], "0xeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee");
    assert_eq!(log["data"], format!("0x{:0>64}", "1e8480"));
    assert_eq!(log["topics"][2], format!("0x{beneficiary:0>64}"));
    // It is no log of the receipt.
    assert_eq!(blocks[0]["logsBloom"], format!("0x{}", "0".repeat(512)));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_simulation_on_an_old_block_has_the_root_of_that_block() {
    let Some(dir) = fixtures() else { return };
    let node = Node::of_fixtures(&dir);
    // Withdrawals but no other change: the same root as paying them by an override.
    let paid = json!({"blockStateCalls": [{
        "blockOverrides": {"withdrawals": [
            {"index": "0x0", "validatorIndex": "0x0", "address": SENDER, "amount": "0x2"},
        ]},
    }]});
    let set = json!({"blockStateCalls": [{
        "stateOverrides": {SENDER: {"balance": "0x77359400"}},
    }]});
    for block in ["latest", "0x30"] {
        let paid = simulate(&node, paid.clone(), block).await.unwrap();
        let set = simulate(&node, set.clone(), block).await.unwrap();
        assert_eq!(paid[0]["stateRoot"], set[0]["stateRoot"], "{block}");
        assert_ne!(paid[0]["withdrawalsRoot"], set[0]["withdrawalsRoot"]);
    }
    // Before the merge a block ends with its reward.
    let empty = json!({"blockStateCalls": [{}]});
    let old = simulate(&node, empty, "0x1").await.unwrap();
    assert!(old[0].get("withdrawals").is_none() && old[0].get("baseFeePerGas").is_none());
    let (_, second) = node.chain.header(2.into()).unwrap().unwrap();
    assert_ne!(old[0]["stateRoot"], json!(second.parent_hash));
}

#[tokio::test(flavor = "multi_thread")]
async fn nulls_count_as_absent() {
    let request = json!({
        "blockStateCalls": [null, {"stateOverrides": {SENDER: null}, "calls": [null]}],
        "validation": null, "traceTransfers": null, "returnFullTransactions": null,
    });
    let plain = json!({"blockStateCalls": [{}, {"calls": [{}]}]});
    let node = node();
    let blocks = simulate(&node, request, "latest").await.unwrap();
    assert_eq!(blocks, simulate(&node, plain, "latest").await.unwrap());
    assert_eq!(blocks.as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_without_calls_are_held_to_the_time_limit() {
    let methods = MethodLimits { evm_timeout: Duration::ZERO, ..MethodLimits::default() };
    let config = RpcConfig { methods, ..RpcConfig::default() };
    let node = Node::new(&dev_genesis(&DevOptions::default()).unwrap(), config);
    let error = simulate(&node, json!({"blockStateCalls": [{}]}), "latest").await.unwrap_err();
    assert_eq!(error["message"], "execution aborted (timeout = 0s)");
}
