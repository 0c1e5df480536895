//! `debug_traceBlock` with blocks that the chain does not have, and limits of whole traces.

use std::time::Duration;

use alloy_consensus::Sealable;
use alloy_primitives::{Bytes, TxKind};
use cairn_chain::BlockRef;
use cairn_genesis::{DevOptions, dev_genesis};
use cairn_primitives::{Block, BlockBody, Header, TxEnvelope};
use op_alloy_consensus::TxDeposit;
use serde_json::{Value, json};

use super::node::Node;
use crate::RpcConfig;

fn node(change: impl FnOnce(&mut RpcConfig)) -> Node {
    let mut config = RpcConfig::default();
    change(&mut config);
    Node::new(&dev_genesis(&DevOptions::default()).unwrap(), config)
}

/// A child of the genesis block.
fn child(node: &Node) -> Header {
    let (hash, genesis) = node.chain.header(BlockRef::Earliest).unwrap().unwrap();
    Header {
        parent_hash: hash,
        number: genesis.number + 1,
        timestamp: genesis.timestamp + 1,
        ..genesis
    }
}

/// A deposit that runs `code`.
fn deposit(code: &[u8], gas_limit: u64) -> TxEnvelope {
    let input = Bytes::copy_from_slice(code);
    let deposit = TxDeposit { to: TxKind::Create, gas_limit, input, ..TxDeposit::default() };
    TxEnvelope::Deposit(deposit.seal_slow())
}

async fn trace(
    node: &Node,
    header: Header,
    transactions: Vec<TxEnvelope>,
    config: Value,
) -> Result<Value, String> {
    let body = BlockBody { transactions, ommers: Vec::new(), withdrawals: Some(Vec::new().into()) };
    let rlp = Bytes::from(alloy_rlp::encode(Block { header, body }));
    let answer = node.call("debug_traceBlock", json!([rlp, config])).await;
    answer.map_err(|error| error["message"].as_str().unwrap().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_fits_its_parent_is_traced() {
    let node = node(|_| ());
    let transactions = vec![deposit(&[0x00], 100_000), deposit(&[0x00], 100_000)];
    let config = json!({"tracer": "callTracer"});
    let traces = trace(&node, child(&node), transactions, config).await.unwrap();
    assert_eq!(traces.as_array().unwrap().len(), 2);
    assert_eq!(traces[1]["result"]["type"], "CREATE");
    assert_eq!(traces[1]["result"]["gas"], "0x186a0");
}

#[tokio::test(flavor = "multi_thread")]
async fn gas_that_no_block_has_is_refused_before_it_buys_memory() {
    let node = node(|_| ());
    // MSTORE at 2^36: memory of 64 GiB, for less than 2^60 gas.
    let mut code = vec![0x5f, 0x64, 0x10, 0, 0, 0, 0, 0x52];
    code.push(0x00);
    let (huge, fits) = (1 << 60, child(&node).gas_limit);
    let vast = Header { gas_limit: u64::MAX, ..child(&node) };
    let refused = trace(&node, vast, vec![deposit(&code, huge)], json!({})).await.unwrap_err();
    assert!(refused.starts_with("invalid gas limit: have 18446744073709551615"), "{refused}");
    let greedy = vec![deposit(&code, huge)];
    let refused = trace(&node, child(&node), greedy, json!({})).await.unwrap_err();
    let want = format!("gas limit reached: have {fits}, want {huge}");
    assert!(refused.ends_with(&want), "{refused}");
    // The first leaves too little for the second.
    let pair = vec![deposit(&[0x00], 100_000), deposit(&[0x00], fits)];
    let refused = trace(&node, child(&node), pair, json!({})).await.unwrap_err();
    assert!(refused.contains("gas limit reached") && refused.ends_with(&fits.to_string()));
    let stranger = Header { number: 7, ..child(&node) };
    let refused = trace(&node, stranger, Vec::new(), json!({})).await.unwrap_err();
    assert!(refused.starts_with("parent 0x") && refused.ends_with(" not found"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_time_limit_holds_for_a_whole_trace_and_callers_cannot_raise_it() {
    let limit = Duration::from_millis(200);
    let node = node(|config| config.methods.trace_timeout_max = limit);
    // Each ends when its gas does, long after the limit all together and long before it alone.
    let endless = [0x5b, 0x5f, 0x56];
    let share = child(&node).gas_limit / 1_000;
    let transactions: Vec<_> = (0..1_000).map(|_| deposit(&endless, share)).collect();
    let config = json!({"tracer": "noopTracer", "timeout": "1h"});
    let refused = trace(&node, child(&node), transactions, config).await.unwrap_err();
    assert_eq!(refused, "execution aborted (timeout = 200ms)");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gas_cap_bounds_the_memory_of_a_call() {
    let node = node(|_| ());
    let to = "0xc100000000000000000000000000000000000000";
    // MSTORE at an offset of four bytes: 50 M gas pay for 5.09 MB and no more.
    for (offset, fits) in [("004c4b40", true), ("004f5880", false)] {
        let code = format!("0x5f63{offset}52");
        let params = json!([{"to": to}, "latest", {to: {"code": code}}]);
        let answer = node.call("eth_call", params).await;
        assert_eq!(answer.is_ok(), fits, "{offset}: {answer:?}");
    }
}
