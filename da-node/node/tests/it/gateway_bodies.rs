//! A gateway whose users announce much and send little, or send a lot.

use std::net::SocketAddr;
use std::time::Duration;

use alloy_primitives::B256;
use cairn_da_client::collect::CollectPolicy;
use cairn_da_client::registry::Registry;
use cairn_da_client::retrieval::RetrievalPolicy;
use cairn_da_client::{Disperser, Nodes, Retriever};
use cairn_da_node::Clock;
use cairn_da_node::gateway::{Gateway, GatewayConfig, router};
use cairn_node_setup::{Server, ServerLimits};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};

use crate::l1::{Clockwork, L1};
use crate::rig::payer;
use crate::submit::http;

const PATIENCE: Duration = Duration::from_secs(30);
const MIB: usize = 1 << 20;

/// A gateway of a registry that has no operators: what is asked for gets as far as the quorum.
pub(crate) async fn gateway(l1: &L1, config: GatewayConfig) -> Gateway {
    let registry = Registry::new(l1.provider(None), l1.domain()).await.unwrap();
    gateway_of(registry, config)
}

pub(crate) fn gateway_of(registry: Registry, config: GatewayConfig) -> Gateway {
    let nodes = Nodes::new().unwrap();
    let policy = CollectPolicy { attempts: 1, ..CollectPolicy::default() };
    let disperser = Disperser::new(nodes.clone(), registry.domain(), payer(), policy);
    let retriever = Retriever::new(nodes, RetrievalPolicy::default());
    Gateway::start(registry, disperser, retriever, config, Clock::default()).unwrap()
}

/// A gateway and its server, whose bodies may fall behind by so many seconds.
async fn serve(l1: &L1, config: GatewayConfig, grace: u64) -> (Gateway, Server) {
    let gateway = gateway(l1, config).await;
    let body_grace = Duration::from_secs(grace);
    let limits = ServerLimits { body_grace, ..ServerLimits::default() };
    let listen = "127.0.0.1:0".parse().unwrap();
    let server = Server::start(listen, router(gateway.clone(), limits), limits).await.unwrap();
    (gateway, server)
}

fn clockwork() -> Clockwork {
    Clockwork { epoch_length: 86_400, seed_delay: 1 }
}

/// A request whose body does not come, but for some first bytes.
async fn announce(
    from: [u8; 4],
    to: SocketAddr,
    path: &str,
    length: usize,
    sent: usize,
) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    let mut stream = socket.connect(to).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&vec![7; sent]).await.unwrap();
    stream
}

/// The status of the answer, once there is one.
async fn status(stream: &mut TcpStream) -> String {
    let mut line = [0; 12];
    timeout(PATIENCE, stream.read_exact(&mut line)).await.expect("no answer").unwrap();
    String::from_utf8_lossy(&line).into_owned()
}

async fn da_status(at: SocketAddr) -> Value {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "da_status", "params": [B256::ZERO]});
    let response = http().post(format!("http://{at}")).body(body.to_string()).send().await.unwrap();
    assert_eq!(response.status(), 200);
    serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
}

/// What becomes of a payload: the gateway has read it whole when it says that there is no quorum.
async fn put(at: SocketAddr, length: usize) -> String {
    let request = http().post(format!("http://{at}/put")).body(vec![7; length]);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 503);
    response.text().await.unwrap()
}

async fn until_taken(gateway: &Gateway, bytes: usize) {
    let start = Instant::now();
    while gateway.body_bytes() != bytes {
        assert!(start.elapsed() < PATIENCE, "{} bytes are taken", gateway.body_bytes());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn announced_lengths_shut_nobody_out() {
    let Some(l1) = L1::start(clockwork()).await else { return };
    let (gateway, server) = serve(&l1, GatewayConfig::default(), 60).await;
    let at = server.local_addr();
    // Twice of all that the gateway would hold, if they came.
    let mut idle = Vec::new();
    for _ in 0..17 {
        idle.push(announce([127, 0, 0, 1], at, "/", 63 * MIB, 10).await);
    }
    assert_eq!(da_status(at).await["result"], Value::Null);
    assert!(put(at, 31 * MIB).await.contains("no quorum"), "the payload was not read");
    until_taken(&gateway, 0).await;
    // None of them was answered, so all are still there.
    for stream in &mut idle {
        let mut byte = [0];
        let answered = timeout(Duration::from_millis(1), stream.read(&mut byte)).await;
        assert!(answered.is_err(), "an idle sender was given up");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_below_the_lowest_rate_is_given_up() {
    let Some(l1) = L1::start(clockwork()).await else { return };
    let (_gateway, server) = serve(&l1, GatewayConfig::default(), 1).await;
    // At the lowest rate, what came would have sixteen seconds more.
    let mut slow = announce([127, 0, 0, 1], server.local_addr(), "/put", 31 * MIB, 4 * MIB).await;
    let start = Instant::now();
    // The rest may be drained for five seconds before the answer.
    assert_eq!(status(&mut slow).await, "HTTP/1.1 408");
    assert!(start.elapsed() < Duration::from_secs(14), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_holds_a_quarter_of_the_room() {
    let Some(l1) = L1::start(clockwork()).await else { return };
    let config = GatewayConfig { bodies_bytes: 4 * MIB, ..GatewayConfig::default() };
    let (gateway, server) = serve(&l1, config, 60).await;
    let at = server.local_addr();
    let greedy = [127, 0, 0, 2];
    let mut held = announce(greedy, at, "/put", MIB, MIB - 1).await;
    // All of it but the first 64 KiB.
    until_taken(&gateway, MIB - (64 << 10)).await;
    let mut refused = announce(greedy, at, "/put", MIB, MIB).await;
    assert_eq!(status(&mut refused).await, "HTTP/1.1 503");
    let mut text = vec![0; 512];
    let read = timeout(PATIENCE, refused.read(&mut text)).await.unwrap().unwrap();
    let text = String::from_utf8_lossy(&text[..read]);
    assert!(text.contains("the gateway is busy"), "{text}");
    // Others are served meanwhile, and so are small calls of whoever it is.
    assert!(put(at, MIB).await.contains("no quorum"), "another address was shut out");
    let small = json!({"jsonrpc": "2.0", "id": 1, "method": "da_status", "params": [B256::ZERO]});
    let client = reqwest::Client::builder().no_proxy().local_address(Some(greedy.into()));
    let client = client.build().unwrap();
    let response = client.post(format!("http://{at}")).body(small.to_string()).send().await;
    assert_eq!(response.unwrap().status(), 200);
    // What was held is given back with the answer.
    held.write_all(&[7]).await.unwrap();
    assert_eq!(status(&mut held).await, "HTTP/1.1 503");
    let again = client.post(format!("http://{at}/put")).body(vec![7; MIB]).send().await.unwrap();
    assert!(again.text().await.unwrap().contains("no quorum"));
    until_taken(&gateway, 0).await;
}
