//! `eth_subscribe` over WebSocket, and filters over HTTP.

use std::time::Duration;

use cairn_rpc::{Limits, RpcConfig};
use jsonrpsee::core::client::{ClientT, Subscription, SubscriptionClientT};
use jsonrpsee::rpc_params;
use jsonrpsee::ws_client::{WsClient, WsClientBuilder};
use serde_json::{Value, json};

use crate::client::{PATIENCE, Raw, error_code, result, text_frame, until};
use crate::node::{TestNode, config};
use crate::sending::{LARGE, dev, large, signer, transfer};

async fn client(node: &TestNode) -> WsClient {
    WsClientBuilder::default().build(format!("ws://{}", node.address)).await.expect("a client")
}

async fn subscribe(client: &WsClient, params: Vec<Value>) -> Subscription<Value> {
    let mut sent = jsonrpsee::core::params::ArrayParams::new();
    for param in params {
        sent.insert(param).expect("a parameter");
    }
    let subscription = client.subscribe("eth_subscribe", sent, "eth_unsubscribe").await;
    subscription.expect("a subscription")
}

async fn next(subscription: &mut Subscription<Value>) -> Value {
    let next = tokio::time::timeout(PATIENCE, subscription.next()).await.expect("in time");
    next.expect("a notification").expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn new_heads_come_one_after_the_other() {
    let node = dev().await;
    let client = client(&node).await;
    let mut heads = subscribe(&client, vec![json!("newHeads")]).await;
    let first = next(&mut heads).await;
    let second = next(&mut heads).await;
    assert_eq!(second["parentHash"], first["hash"]);
    let header = result(node.address, "eth_getHeaderByHash", json!([second["hash"]])).await;
    assert_eq!(header, second);
    heads.unsubscribe().await.expect("it ends");
}

#[tokio::test(flavor = "multi_thread")]
async fn pending_transactions_come_as_hashes_and_whole() {
    let node = dev().await;
    let client = client(&node).await;
    let mut hashes = subscribe(&client, vec![json!("newPendingTransactions")]).await;
    let mut whole = subscribe(&client, vec![json!("newPendingTransactions"), json!(true)]).await;
    let raw = transfer(&signer(0), 0);
    let hash: Value =
        client.request("eth_sendRawTransaction", rpc_params![raw]).await.expect("sent");
    assert_eq!(next(&mut hashes).await, hash);
    let tx = next(&mut whole).await;
    assert_eq!(tx["hash"], hash);
    assert_eq!(tx["blockHash"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_subscriptions_and_filters_are_refused() {
    let node = dev().await;
    let client = client(&node).await;
    for params in [json!("news"), json!(5)] {
        let refused = client
            .subscribe::<Value, _>("eth_subscribe", rpc_params![params], "eth_unsubscribe")
            .await;
        assert!(refused.is_err());
    }
    assert_eq!(error_code(node.address, "eth_getFilterChanges", json!(["0x1"])).await, -32000);
    let pending = json!([{"fromBlock": "pending"}]);
    assert_eq!(error_code(node.address, "eth_newFilter", pending).await, -32602);
}

#[tokio::test(flavor = "multi_thread")]
async fn filters_collect_what_happens_until_they_are_asked() {
    let node = dev().await;
    let blocks = result(node.address, "eth_newBlockFilter", json!([])).await;
    let pending = result(node.address, "eth_newPendingTransactionFilter", json!([])).await;
    let logs = result(node.address, "eth_newFilter", json!([{}])).await;
    let hash =
        result(node.address, "eth_sendRawTransaction", json!([transfer(&signer(0), 0)])).await;
    let hashes = until("a block hash", || async {
        let changes = result(node.address, "eth_getFilterChanges", json!([blocks])).await;
        changes.as_array().filter(|list| !list.is_empty()).cloned()
    })
    .await;
    let block = result(node.address, "eth_getBlockByHash", json!([hashes[0], false])).await;
    assert_eq!(block["hash"], hashes[0]);
    let seen = until("the transaction", || async {
        let changes = result(node.address, "eth_getFilterChanges", json!([pending])).await;
        changes.as_array().filter(|list| !list.is_empty()).cloned()
    })
    .await;
    assert_eq!(seen, [hash]);
    // Transfers leave no logs.
    assert_eq!(result(node.address, "eth_getFilterChanges", json!([logs])).await, json!([]));
    assert_eq!(result(node.address, "eth_getFilterLogs", json!([logs])).await, json!([]));
    for filter in [blocks, pending, logs] {
        assert_eq!(result(node.address, "eth_uninstallFilter", json!([filter])).await, true);
        assert_eq!(result(node.address, "eth_uninstallFilter", json!([filter])).await, false);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_does_not_read_is_disconnected_and_the_node_goes_on() {
    let limits = Limits {
        subscription_buffer: 1,
        write_timeout: Duration::from_millis(100),
        ..Limits::default()
    };
    let config = RpcConfig { limits, ..config() };
    let node = TestNode::dev(config, Duration::from_millis(200)).await;
    let mut deaf = Raw::connect(node.address).await;
    let upgrade = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                   sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    deaf.send(upgrade.as_bytes()).await;
    deaf.send(&text_frame(
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"eth_subscribe\",\
          \"params\":[\"newPendingTransactions\",true]}",
    ))
    .await;
    // More than the buffers of both sockets hold.
    let sender = signer(0);
    for nonce in 0..100 {
        let raw = large(&sender, nonce);
        result(node.address, "eth_sendRawTransaction", json!([raw])).await;
    }
    let read = deaf.read_to_end().await;
    assert!(read.starts_with("HTTP/1.1 101"), "{}", &read[..read.len().min(200)]);
    assert!(read.len() < 100 * LARGE, "it was cut off after {} bytes", read.len());
    assert_eq!(result(node.address, "eth_chainId", json!([])).await, "0x385");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_closes_websockets() {
    let mut node = dev().await;
    let client = client(&node).await;
    let mut heads = subscribe(&client, vec![json!("newHeads")]).await;
    next(&mut heads).await;
    tokio::time::timeout(PATIENCE, node.stop_server()).await.expect("it stops");
    tokio::time::timeout(PATIENCE, client.on_disconnect()).await.expect("it is closed");
}
