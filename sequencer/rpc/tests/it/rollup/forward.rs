//! Transactions passed on to the sequencer.

use std::net::SocketAddr;
use std::time::Duration;

use cairn_rpc::{RpcConfig, SequencerEndpoint};
use serde_json::{Value, json};

use super::new_chain;
use crate::client::{call, result, until};
use crate::node::{TestNode, config};
use crate::sending::{dev, signer, transfer};

/// A node that passes transactions on to `sequencer`.
async fn follower(sequencer: SocketAddr, config: RpcConfig) -> TestNode {
    let (chain, directory) = new_chain();
    let upstream = SequencerEndpoint::new(&format!("http://{sequencer}"), &config).unwrap();
    TestNode::serve_with(chain, directory, config, |backend| backend.with_upstream(upstream)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn transactions_and_refusals_pass_through_a_node_that_is_no_sequencer() {
    let sequencer = dev().await;
    let node = follower(sequencer.address, config()).await;
    let hash =
        result(node.address, "eth_sendRawTransaction", json!([transfer(&signer(0), 0)])).await;
    assert!(hash.is_string());
    let synced =
        result(node.address, "eth_sendRawTransactionSync", json!([transfer(&signer(0), 1)])).await;
    assert_eq!(synced["status"], "0x1");
    let raws = [transfer(&signer(1), 0), transfer(&signer(1), 1)];
    let entries: Vec<Value> = (1..).zip(&raws)
        .map(|(id, raw)| {
            json!({"jsonrpc": "2.0", "id": id, "method": "eth_sendRawTransaction", "params": [raw]})
        })
        .collect();
    let answers = crate::client::post(node.address, json!(entries).to_string()).await.json();
    assert!(answers.as_array().unwrap().iter().all(|a| a["result"].is_string()), "{answers}");
    until("the sequencer has them", || async {
        let count = json!([format!("{:?}", signer(1).address()), "pending"]);
        let count = result(sequencer.address, "eth_getTransactionCount", count).await;
        (count == "0x2").then_some(())
    })
    .await;
    for (method, raw) in [
        // Nobody has given it anything.
        ("eth_sendRawTransaction", json!(transfer(&signer(50), 0))),
        ("eth_sendRawTransaction", json!("0x02c0")),
        ("eth_sendRawTransactionConditional", json!("0x02c0")),
    ] {
        let direct = call(sequencer.address, method, json!([raw])).await;
        let passed = call(node.address, method, json!([raw])).await;
        assert!(direct["error"].is_object(), "{method}: {direct}");
        assert_eq!(direct["error"], passed["error"], "{method}");
    }
    assert_eq!(node.pool.status().pending, 0);
    // Nobody builds here: what is pending is what is newest.
    let address = format!("{:?}", signer(0).address());
    for method in ["eth_getBalance", "eth_getTransactionCount", "eth_getCode"] {
        let pending = result(node.address, method, json!([address, "pending"])).await;
        assert_eq!(pending, result(node.address, method, json!([address, "latest"])).await);
    }
    let pending = result(node.address, "eth_getBlockByNumber", json!(["pending", false])).await;
    let latest = result(node.address, "eth_getBlockByNumber", json!(["latest", false])).await;
    assert_eq!(pending["number"], latest["number"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sequencer_that_is_gone_or_silent_costs_a_bounded_wait() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config();
    config.methods.forward_timeout = Duration::from_millis(200);
    let node = follower(silent.local_addr().unwrap(), config.clone()).await;
    let answer = call(node.address, "eth_sendRawTransaction", json!(["0x00"])).await;
    assert_eq!(answer["error"]["message"], "the sequencer did not answer in time");
    let gone = silent.local_addr().unwrap();
    drop(silent);
    config.methods.forward_timeout = Duration::from_secs(20);
    let node = follower(gone, config).await;
    let answer = call(node.address, "eth_sendRawTransaction", json!(["0x00"])).await;
    assert_eq!(answer["error"]["message"], "the sequencer could not be reached");
    assert!(SequencerEndpoint::new("no address", &RpcConfig::default()).is_err());
}
