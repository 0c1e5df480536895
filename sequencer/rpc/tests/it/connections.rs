//! Many connections, and the end of the server.

use std::time::Duration;

use cairn_chain::ChainOptions;
use cairn_genesis::{DevOptions, dev_genesis};
use cairn_rpc::{Limits, RpcConfig};
use serde_json::json;
use tokio::net::TcpStream;

use crate::client::{PATIENCE, Raw, result, try_post};
use crate::node::{TestNode, config, open_chain};

async fn node(limits: Limits) -> TestNode {
    let directory = tempfile::tempdir().expect("a directory");
    let genesis = dev_genesis(&DevOptions::default()).expect("a genesis");
    let chain = open_chain(directory.path(), &genesis, ChainOptions::default());
    TestNode::serve(chain, directory, RpcConfig { limits, ..config() }).await
}

/// File descriptors that this process may open.
fn descriptors() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits.lines().find(|line| line.starts_with("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().nth(3));
    soft.and_then(|soft| soft.parse().ok()).unwrap_or(1024)
}

/// Resident memory of this process, bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").expect("proc");
    status.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("pages")
        * 4096
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_cost_little_and_the_node_answers_beside_them() {
    let node = node(Limits::default()).await;
    // Both ends are in this process.
    let count = (descriptors().saturating_sub(512) / 2).min(10_000);
    let before = resident();
    let mut idle = Vec::with_capacity(count);
    for _ in 0..count {
        idle.push(TcpStream::connect(node.address).await.expect("a connection"));
    }
    let started = std::time::Instant::now();
    assert_eq!(result(node.address, "eth_chainId", json!([])).await, "0x385");
    let each = resident().saturating_sub(before) / count;
    println!(
        "{count} idle connections, {each} bytes each, then answered in {:?}",
        started.elapsed()
    );
    assert!(each < 32 << 10, "{each} bytes for each idle connection");
    assert!(started.elapsed() < PATIENCE);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_limit_are_closed_and_places_come_back() {
    let node = node(Limits { connections: 2, ..Limits::default() }).await;
    let first = TcpStream::connect(node.address).await.unwrap();
    let second = TcpStream::connect(node.address).await.unwrap();
    let mut third = Raw::connect(node.address).await;
    assert_eq!(third.read_to_end().await, "", "closed at once");
    drop((first, second));
    crate::client::until("a place is free again", || async {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"}).to_string();
        try_post(node.address, body).await.filter(|answer| answer.status == 200)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_closes_idle_connections_and_its_port() {
    let limits = Limits { stop_timeout: Duration::from_millis(200), ..Limits::default() };
    let mut node = node(limits).await;
    let mut idle = Raw::connect(node.address).await;
    assert_eq!(result(node.address, "eth_chainId", json!([])).await, "0x385");
    tokio::time::timeout(PATIENCE, node.stop_server()).await.expect("it stops");
    assert_eq!(idle.read_to_end().await, "");
    assert!(TcpStream::connect(node.address).await.is_err(), "the port is closed");
}
