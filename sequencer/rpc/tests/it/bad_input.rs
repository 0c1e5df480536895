//! Hostile and careless requests: typed errors, and the node goes on.

use std::time::Duration;

use cairn_chain::ChainOptions;
use cairn_genesis::{DevOptions, dev_genesis};
use cairn_rpc::{Limits, MethodLimits, RpcConfig};
use serde_json::{Value, json};

use crate::client::{Raw, call, error_code, head, post, result};
use crate::node::{TestNode, config, open_chain};
use crate::sending::{signer, transfer};

/// A node without a sequencer and with small limits.
async fn node(limits: Limits) -> TestNode {
    let directory = tempfile::tempdir().expect("a directory");
    let genesis = dev_genesis(&DevOptions::default()).expect("a genesis");
    let chain = open_chain(directory.path(), &genesis, ChainOptions::default());
    TestNode::serve(chain, directory, RpcConfig { limits, ..config() }).await
}

async fn assert_alive(node: &TestNode) {
    assert_eq!(result(node.address, "eth_chainId", json!([])).await, "0x385");
}

#[tokio::test(flavor = "multi_thread")]
async fn malformed_json_is_a_parse_error() {
    let node = node(Limits::default()).await;
    for body in ["", "{", "nonsense", "[1,", "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":", "\u{0}"] {
        let answer = post(node.address, body).await;
        assert_eq!(answer.code(), -32700, "{body:?}: {answer:?}");
    }
    for body in
        ["[]", "{}", "1", "null", "{\"id\":1}", "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"x\"}"]
    {
        let code = post(node.address, body).await.code();
        assert!([-32600, -32700].contains(&code), "{body:?}: {code}");
    }
    assert_alive(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deep_json_is_refused_without_being_worked_on() {
    let node = node(Limits::default()).await;
    for depth in [65, 1_000, 100_000] {
        let params = format!("[{}{}]", "[".repeat(depth), "]".repeat(depth));
        let body =
            format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_call\",\"params\":{params}}}");
        assert_eq!(post(node.address, body).await.code(), -32600, "depth {depth}");
        let bare = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(post(node.address, bare).await.body.contains("error"), "depth {depth}");
    }
    assert_alive(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_limit_is_refused() {
    let node = node(Limits { request_bytes: 10_000, ..Limits::default() }).await;
    let padding = " ".repeat(10_000);
    let body = format!("{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_chainId\"}}{padding}");
    let answer = post(node.address, body).await;
    assert_eq!(answer.status, 413);
    assert!(answer.code() < 0);
    // Announced, but never sent: refused at once, without a wait for the body.
    let mut raw = Raw::connect(node.address).await;
    raw.send(head(1 << 40).as_bytes()).await;
    assert!(raw.read_to_end().await.starts_with("HTTP/1.1 413"));
    // Without a length, in chunks.
    let mut raw = Raw::connect(node.address).await;
    raw.send(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n4000\r\n").await;
    raw.send(" ".repeat(0x4000).as_bytes()).await;
    assert!(raw.read_to_end().await.starts_with("HTTP/1.1 413"));
    assert_alive(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_over_the_limit_is_refused_and_one_at_the_limit_is_answered_in_order() {
    let node = node(Limits { batch_entries: 100, batch_concurrency: 8, ..Limits::default() }).await;
    let batch = |entries: usize| {
        let entry = |id| {
            json!({"jsonrpc": "2.0", "id": id, "method": "eth_getBalance",
            "params": [format!("0x{id:040x}"), "latest"]})
        };
        Value::Array((0..entries).map(entry).collect()).to_string()
    };
    let answers = post(node.address, batch(100)).await.json();
    let ids: Vec<u64> =
        answers.as_array().unwrap().iter().map(|a| a["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (0..100).collect::<Vec<_>>());
    assert!(answers.as_array().unwrap().iter().all(|a| a["result"].is_string()), "{answers}");
    assert!(post(node.address, batch(101)).await.code() < 0);
    assert_alive(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_answers_bad_entries_beside_good_ones_and_no_notifications() {
    let node = node(Limits::default()).await;
    let batch = json!([
        {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"},
        {"jsonrpc": "2.0", "method": "eth_chainId"},
        {"jsonrpc": "2.0", "id": 2, "method": "eth_nonsense"},
        5,
        {"jsonrpc": "2.0", "id": 3, "method": "eth_getBalance", "params": []},
    ]);
    let answers = post(node.address, batch.to_string()).await.json();
    let codes: Vec<Option<i64>> =
        answers.as_array().unwrap().iter().map(|a| a["error"]["code"].as_i64()).collect();
    assert_eq!(codes, [None, Some(-32601), Some(-32600), Some(-32602)], "{answers}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_over_the_limit_is_an_error() {
    let node = node(Limits { response_bytes: 500, ..Limits::default() }).await;
    assert!(error_code(node.address, "eth_getBlockByNumber", json!(["latest", true])).await < 0);
    let entry = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"});
    let batch = Value::Array(vec![entry; 100]).to_string();
    assert!(post(node.address, batch).await.code() < 0);
    assert_alive(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_a_batch_are_not_begun_once_its_answer_is_too_large() {
    let directory = tempfile::tempdir().expect("a directory");
    let genesis = dev_genesis(&DevOptions::default()).expect("a genesis");
    let chain = open_chain(directory.path(), &genesis, ChainOptions::default());
    let limits = Limits { response_bytes: 500, ..Limits::default() };
    let methods = MethodLimits { filters: 100, ..MethodLimits::default() };
    let config = RpcConfig { limits, methods, ..config() };
    let node = TestNode::serve(chain, directory, config).await;
    // The first waits for a transaction that cannot run, and the answers of the others with it.
    let wait = json!({"jsonrpc": "2.0", "id": 0, "method": "eth_sendRawTransactionSync",
        "params": [transfer(&signer(0), 5), 500]});
    let entry = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_newBlockFilter"});
    let batch: Vec<Value> = std::iter::once(wait).chain(vec![entry; 99]).collect();
    assert!(post(node.address, Value::Array(batch).to_string()).await.code() < 0);
    // Entries that were begun each left a filter; there is place for many more.
    for _ in 0..50 {
        result(node.address, "eth_newBlockFilter", json!([])).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_are_built_by_default_under_ethereum_rules_but_not_committed() {
    let mut config = config();
    config.ports[0].namespaces.clear();
    let mut ethereum = dev_genesis(&DevOptions::default()).expect("a genesis");
    ethereum.config.extra_fields.clear();
    let optimism = dev_genesis(&DevOptions::default()).expect("a genesis");
    for (genesis, build) in [(ethereum, -32602), (optimism, -32601)] {
        let directory = tempfile::tempdir().expect("a directory");
        let chain = open_chain(directory.path(), &genesis, ChainOptions::default());
        let node = TestNode::serve(chain, directory, config.clone()).await;
        assert_eq!(error_code(node.address, "testing_buildBlockV1", json!([])).await, build);
        assert_eq!(error_code(node.address, "testing_commitBlockV1", json!([])).await, -32601);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn websockets_of_foreign_pages_are_refused() {
    let node = node(Limits::default()).await;
    let upgrade = |origin: &str| {
        format!(
            "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
             sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             {origin}\r\n"
        )
    };
    for (origin, status) in [
        ("", "101"),
        ("origin: http://localhost:3000\r\n", "101"),
        ("origin: https://evil.example\r\n", "403"),
    ] {
        let mut raw = Raw::connect(node.address).await;
        raw.send(upgrade(origin).as_bytes()).await;
        assert_eq!(raw.read_some().await.split(' ').nth(1), Some(status), "{origin}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_methods_are_named_in_their_error() {
    let node = node(Limits::default()).await;
    let answer = call(node.address, "eth_nonsense", json!([])).await;
    assert_eq!(answer["error"]["code"], -32601);
    assert_eq!(
        answer["error"]["message"],
        "the method eth_nonsense does not exist/is not available"
    );
    let long = "x".repeat(100_000);
    let answer = call(node.address, &long, json!([])).await;
    assert!(answer["error"]["message"].as_str().unwrap().len() < 200, "names are cut");
    assert_eq!(error_code(node.address, "eth_subscribe", json!(["newHeads"])).await, -32601);
}

#[tokio::test(flavor = "multi_thread")]
async fn namespaces_that_a_port_does_not_name_are_not_served() {
    let mut config = config();
    config.ports[0].namespaces = vec!["eth".into()];
    let directory = tempfile::tempdir().expect("a directory");
    let genesis = dev_genesis(&DevOptions::default()).expect("a genesis");
    let chain = open_chain(directory.path(), &genesis, ChainOptions::default());
    let node = TestNode::serve(chain, directory, config).await;
    assert_alive(&node).await;
    assert_eq!(error_code(node.address, "net_version", json!([])).await, -32601);
    assert_eq!(error_code(node.address, "testing_buildBlockV1", json!([])).await, -32601);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_parameters_are_invalid_params_everywhere() {
    let node = node(Limits::default()).await;
    let address = "0x0000000000000000000000000000000000000000";
    for (method, params) in [
        ("eth_getBalance", json!([])),
        ("eth_getBalance", json!([null])),
        ("eth_getBalance", json!([5, "latest"])),
        ("eth_getBalance", json!(["0x12", "latest"])),
        ("eth_getBalance", json!([address, "newest"])),
        ("eth_getBalance", json!([address, "0x01"])),
        ("eth_getBalance", json!([address, {"blockNumber": "0x1", "blockHash": "0x2"}])),
        ("eth_getBalance", json!([address, "latest", "more"])),
        ("eth_getBalance", json!({"address": address})),
        ("eth_getStorageAt", json!([address, "0xzz", "latest"])),
        ("eth_getBlockByNumber", json!(["latest"])),
        ("eth_getBlockByNumber", json!(["latest", "true"])),
        ("eth_getBlockByHash", json!(["0x1", true])),
        ("eth_getTransactionByBlockNumberAndIndex", json!(["latest", 0])),
        ("eth_feeHistory", json!(["x", "latest", []])),
        ("eth_getLogs", json!([{"fromBlock": "0x5", "toBlock": "0x1"}])),
        ("eth_getLogs", json!([{"topics": "0x"}])),
        ("eth_sendRawTransaction", json!(["01"])),
        ("eth_sendRawTransaction", json!([[]])),
        ("web3_sha3", json!(["0x123"])),
        ("debug_getRawBlock", json!(["2"])),
    ] {
        let code = error_code(node.address, method, params.clone()).await;
        assert_eq!(code, -32602, "{method} {params}");
    }
    assert_alive(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_body_is_answered_with_a_timeout() {
    let limits = Limits { body_timeout: Duration::from_millis(50), ..Limits::default() };
    let node = node(limits).await;
    let mut raw = Raw::connect(node.address).await;
    raw.send(head(100).as_bytes()).await;
    raw.send(b"{\"jsonrpc\"").await;
    let answer = raw.read_to_end().await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("request body timed out"), "{answer}");
    assert_alive(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_and_half_said_requests_are_closed() {
    let limits = Limits { header_timeout: Duration::from_millis(50), ..Limits::default() };
    let node = node(limits).await;
    let mut silent = Raw::connect(node.address).await;
    let mut half = Raw::connect(node.address).await;
    half.send(b"POST / HTTP/1.1\r\nhost: loc").await;
    silent.read_to_end().await;
    half.read_to_end().await;
    let mut garbage = Raw::connect(node.address).await;
    garbage.send(&[0xff; 4096]).await;
    garbage.read_to_end().await;
    assert_alive(&node).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_hosts_are_refused() {
    let node = node(Limits::default()).await;
    let mut raw = Raw::connect(node.address).await;
    raw.send(
        b"POST / HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\ncontent-length: 0\r\n\r\n",
    )
    .await;
    assert!(raw.read_to_end().await.starts_with("HTTP/1.1 403"));
    assert_alive(&node).await;
}
