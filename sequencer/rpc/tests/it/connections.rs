//! Many connections, and the end of the server.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use cairn_chain::ChainOptions;
use cairn_genesis::{DevOptions, dev_genesis};
use cairn_rpc::{Limits, RpcConfig};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};

use crate::client::{PATIENCE, Raw, result, try_post};
use crate::node::{TestNode, config, open_chain};

async fn node(limits: Limits) -> TestNode {
    let directory = tempfile::tempdir().expect("a directory");
    let genesis = dev_genesis(&DevOptions::default()).expect("a genesis");
    let chain = open_chain(directory.path(), &genesis, ChainOptions::default());
    TestNode::serve(chain, directory, RpcConfig { limits, ..config() }).await
}

/// Connections that a node has to bear.
const CONNECTIONS: u64 = 10_000;
/// File descriptors for everything else: store, runtime, pipes.
const OTHER_FILES: u64 = 512;
/// Where [`opens_connections_for_another_process`] connects to, and how often.
const CONNECT_TO: &str = "CAIRN_TEST_CONNECT_TO";
const CONNECT_COUNT: &str = "CAIRN_TEST_CONNECT_COUNT";

/// Raises the soft limit of open files to the hard one, and gives how many connections that leaves
/// place for, at most those wanted.
fn affordable() -> u64 {
    let files = rlimit::increase_nofile_limit(u64::MAX).expect("a limit of open files");
    files.saturating_sub(OTHER_FILES).min(CONNECTIONS)
}

/// Resident memory of this process, bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/statm").expect("proc");
    status.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok()).expect("pages")
        * 4096
}

/// The clients' ends of many connections in a process of their own, open until it is dropped.
struct Clients(Child);

impl Clients {
    /// Waits until all are open.
    async fn open(to: SocketAddr, count: u64) -> Self {
        let child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "connections::opens_connections_for_another_process"])
            .args(["--ignored", "--nocapture"])
            .env(CONNECT_TO, to.to_string())
            .env(CONNECT_COUNT, count.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn();
        let mut child = child.expect("a process");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let told = format!("opened {count}");
        let opened = async {
            while let Some(line) = lines.next_line().await.expect("its output") {
                if line.ends_with(&told) {
                    return;
                }
            }
            panic!("not all {count} connections could be opened");
        };
        tokio::time::timeout(PATIENCE, opened).await.expect("connections open");
        Self(child)
    }
}

/// The other end of the test below; by itself it does nothing.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs as a process of another test"]
async fn opens_connections_for_another_process() {
    let Ok(to) = std::env::var(CONNECT_TO) else { return };
    let count = std::env::var(CONNECT_COUNT).expect("a count").parse().expect("a number");
    assert!(affordable() >= count, "the other process has the same limit");
    let mut open = Vec::new();
    for _ in 0..count {
        open.push(TcpStream::connect(&to).await.expect("a connection"));
    }
    println!("opened {}", open.len());
    // Ends when the other process does.
    let mut rest = Vec::new();
    tokio::io::stdin().read_to_end(&mut rest).await.expect("a pipe");
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_cost_little_and_the_node_answers_beside_them() {
    let node = node(Limits::default()).await;
    let count = affordable();
    if count < CONNECTIONS {
        println!("the hard limit of open files allows {count} connections only");
    }
    let before = resident();
    let mut clients = Clients::open(node.address, count).await;
    let started = std::time::Instant::now();
    // Accepted after all of them.
    assert_eq!(result(node.address, "eth_chainId", json!([])).await, "0x385");
    let each = resident().saturating_sub(before) as u64 / count;
    println!(
        "{count} idle connections, {each} bytes each, then answered in {:?}",
        started.elapsed()
    );
    assert!(each < 32 << 10, "{each} bytes for each idle connection");
    assert!(started.elapsed() < PATIENCE);
    assert!(matches!(clients.0.try_wait(), Ok(None)), "they were open all the time");
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
