//! Clients that ask and do not read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use cairn_chain::ChainOptions;
use cairn_genesis::{DevOptions, dev_genesis};
use cairn_rpc::{Limits, RpcConfig};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::task::JoinHandle;

use crate::client::{PATIENCE, Raw, head, result, text_frame, try_post, until};
use crate::node::{TestNode, config, open_chain};

const UPGRADE: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\n\
    upgrade: websocket\r\nsec-websocket-version: 13\r\n\
    sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

async fn node(limits: Limits) -> TestNode {
    let directory = tempfile::tempdir().expect("a directory");
    let genesis = dev_genesis(&DevOptions::default()).expect("a genesis");
    let chain = open_chain(directory.path(), &genesis, ChainOptions::default());
    TestNode::serve(chain, directory, RpcConfig { limits, ..config() }).await
}

/// A call whose answer repeats an id of that many bytes.
fn echo(bytes: usize) -> String {
    json!({"jsonrpc": "2.0", "id": "i".repeat(bytes), "method": "eth_chainId"}).to_string()
}

/// Writes a message over and over until the connection ends. Counts what was taken.
fn flood(mut to: OwnedWriteHalf, message: Vec<u8>) -> (JoinHandle<()>, Arc<AtomicUsize>) {
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    let task = tokio::spawn(async move {
        while to.write_all(&message).await.is_ok() {
            count.fetch_add(message.len(), Ordering::Relaxed);
        }
    });
    (task, taken)
}

async fn websocket(node: &TestNode) -> TcpStream {
    let mut raw = Raw::connect(node.address).await;
    raw.send(UPGRADE).await;
    assert!(raw.read_some().await.starts_with("HTTP/1.1 101"));
    raw.0
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_that_does_not_read_is_not_listened_to_and_closed_in_the_end() {
    let limits = Limits { write_timeout: Duration::from_secs(2), ..Limits::default() };
    let node = node(limits).await;
    let (_deaf, to) = websocket(&node).await.into_split();
    let (ended, taken) = flood(to, text_frame(&echo(60_000)));
    tokio::time::timeout(PATIENCE, ended).await.expect("it is closed").unwrap();
    // What the buffers of both sockets hold, for questions and for answers.
    let taken = taken.load(Ordering::Relaxed);
    assert!(taken < 64 << 20, "{taken} bytes of questions were taken");
    assert_eq!(result(node.address, "eth_chainId", json!([])).await, "0x385");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_websocket_that_reads_too_slowly_is_closed() {
    let limits = Limits {
        write_timeout: Duration::from_millis(500),
        write_rate: u64::MAX,
        ..Limits::default()
    };
    let node = node(limits).await;
    let (mut from, to) = websocket(&node).await.into_split();
    let (ended, _) = flood(to, text_frame(&echo(60_000)));
    // It always reads, but the rate asked for is more than any client reads.
    let read = async {
        let mut some = [0; 4096];
        while from.read(&mut some).await.is_ok_and(|bytes| bytes > 0) {}
    };
    tokio::time::timeout(PATIENCE, read).await.expect("it is closed");
    tokio::time::timeout(PATIENCE, ended).await.expect("it is closed").unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn unread_answers_are_kept_within_the_budget_and_small_calls_are_answered_beside_them() {
    let limits =
        Limits { kept_bytes: 13_000_000, connection_kept_bytes: 13_000_000, ..Limits::default() };
    let node = node(limits).await;
    let question = echo(4_000_000);
    let request = [head(question.len()).as_bytes(), question.as_bytes()].concat();
    let deaf: Vec<_> = futures::future::join_all((0..2).map(|_| async {
        let (from, to) = Raw::connect(node.address).await.0.into_split();
        (from, flood(to, request.clone()).0)
    }))
    .await;
    let refused = until("a refusal", || async {
        let answer = try_post(node.address, echo(3_000_000)).await?.json();
        answer.get("error").cloned()
    })
    .await;
    assert_eq!(refused["code"], -32005, "{refused}");
    assert_eq!(result(node.address, "eth_chainId", json!([])).await, "0x385");
    for (_, flood) in &deaf {
        flood.abort();
    }
    drop(deaf);
    until("place for a large answer", || async {
        let answer = try_post(node.address, echo(3_000_000)).await?.json();
        answer.get("result").cloned()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_booked_as_they_come_and_refused_beyond_the_budget() {
    let limits = Limits { kept_bytes: 100_000, ..Limits::default() };
    let node = node(limits).await;
    // Whichever of the two bodies is read last is refused, so that a half that lost the race for
    // the budget is sent again.
    let (half, refused) = until("a refusal", || async {
        let mut half = Raw::connect(node.address).await;
        let body = vec![b' '; 90_000];
        half.0.write_all(&[head(120_000).as_bytes(), &body].concat()).await.ok()?;
        let answer = try_post(node.address, echo(30_000)).await?;
        (answer.status == 503).then_some((half, answer))
    })
    .await;
    assert_eq!(refused.code(), -32005, "{refused:?}");
    assert_eq!(result(node.address, "eth_chainId", json!([])).await, "0x385");
    drop(half);
    until("place for a body", || async {
        let answer = try_post(node.address, echo(30_000)).await?;
        (answer.status == 200).then_some(())
    })
    .await;
}
