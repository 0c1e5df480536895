use axum::routing::get;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::*;

const PATIENCE: Duration = Duration::from_secs(30);
const ANSWER: usize = 1 << 20;

async fn start(limits: ServerLimits) -> Server {
    let router = Router::new().route("/", get(|| async { vec![7_u8; ANSWER] }));
    Server::start(([127, 0, 0, 1], 0).into(), router, limits).await.unwrap()
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.local_addr()).await.unwrap()
}

/// Asks once and reads all of the answer; `None` where the connection is closed before.
async fn ask(stream: &mut TcpStream) -> Option<usize> {
    stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await.ok()?;
    let mut bytes = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.expect("no answer").ok()?;
    (bytes.len() > ANSWER).then_some(bytes.len())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_and_never_reads_loses_its_connection() {
    let limits = ServerLimits {
        connections: 1,
        answer_grace: Duration::from_millis(500),
        ..ServerLimits::default()
    };
    let server = start(limits).await;
    let mut reader = connect(&server).await;
    let asking = async {
        // Ends when the server has closed: until then the buffers between take, or the write waits.
        while reader.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, asking).await.expect("the connection is held");
    // The only connection there may be is free again.
    assert!(ask(&mut connect(&server).await).await.is_some());
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_so_many_connections_and_not_more() {
    let server = start(ServerLimits { connections_per_peer: 2, ..ServerLimits::default() }).await;
    let (mut first, second) = (connect(&server).await, connect(&server).await);
    // Accepted in order, so the third comes when both are counted.
    assert_eq!(ask(&mut connect(&server).await).await, None);
    assert!(ask(&mut first).await.is_some());
    drop((first, second));
    let started = tokio::time::Instant::now();
    while ask(&mut connect(&server).await).await.is_none() {
        assert!(started.elapsed() < PATIENCE, "the count is not given back");
    }
    server.stop().await;
}

#[tokio::test]
async fn an_address_in_use_is_told() {
    let server = start(ServerLimits::default()).await;
    let second = Server::start(server.local_addr(), Router::new(), ServerLimits::default()).await;
    match second {
        Err(SetupError::Listen { address, .. }) => assert_eq!(address, server.local_addr()),
        other => panic!("{other:?}"),
    }
    server.stop().await;
}
