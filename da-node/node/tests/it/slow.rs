//! Senders who are slow, endless or gone.

use std::time::Duration;

use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::B256;
use cairn_da_node::admission::Limits;
use cairn_node_setup::ServerLimits;
use cairn_primitives::da::Submission;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use crate::rig::{Parcel, Rig};
use crate::submit::submit;

const PATIENCE: Duration = Duration::from_secs(20);

fn impatient() -> ServerLimits {
    ServerLimits {
        connections: 4,
        header_time: Duration::from_secs(1),
        body_grace: Duration::from_secs(1),
        body_bytes_per_second: 1 << 20,
        answer_grace: Duration::from_secs(1),
        ..ServerLimits::default()
    }
}

async fn connect(rig: &Rig) -> TcpStream {
    let address = rig.endpoints[1].strip_prefix("http://").unwrap();
    TcpStream::connect(address).await.unwrap()
}

pub(crate) fn head(length: &str) -> String {
    format!("POST /v1/rows HTTP/1.1\r\nhost: x\r\n{length}\r\n\r\n")
}

/// What the server answers before it closes; an answer that never ends fails the test.
pub(crate) async fn answer(mut stream: TcpStream) -> String {
    let mut text = Vec::new();
    let read = timeout(PATIENCE, stream.read_to_end(&mut text)).await;
    // A reset after the answer is as good as a close.
    let _ = read.expect("the server neither answers nor closes");
    String::from_utf8_lossy(&text).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_that_do_not_end_close_the_connection() {
    let rig = Rig::start_with(2, Limits::default(), impatient()).await;
    let mut stream = connect(&rig).await;
    stream.write_all(b"POST /v1/rows HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let start = Instant::now();
    answer(stream).await;
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_given_up() {
    let rig = Rig::start_with(2, Limits::default(), impatient()).await;
    let parcel = rig.parcel(5000, 1);
    let body = parcel.body(1);
    // Nothing at all, a part of the header, and all but the last byte.
    for sent in [0, 60, body.len() - 1] {
        let mut stream = connect(&rig).await;
        let head = head(&format!("content-length: {}", body.len()));
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body[..sent]).await.unwrap();
        let text = answer(stream).await;
        assert!(text.starts_with("HTTP/1.1 408"), "{sent}: {text}");
        assert!(text.contains("\"timeout\""), "{text}");
    }
    assert_free(&rig, &parcel).await;
}

/// Nothing is in flight, and the reservation can be used.
async fn assert_free(rig: &Rig, parcel: &Parcel) {
    let start = Instant::now();
    while rig.node(1).node.with_admission(|admission| admission.in_flight()) != (0, 0) {
        assert!(start.elapsed() < PATIENCE, "still in flight");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    submit(rig, 1, parcel.body(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_body_is_cut_off() {
    let rig = Rig::start_with(2, Limits::default(), impatient()).await;
    let parcel = rig.parcel(5000, 1);
    let mut stream = connect(&rig).await;
    stream.write_all(head("transfer-encoding: chunked").as_bytes()).await.unwrap();
    let body = parcel.body(1);
    stream.write_all(format!("{:x}\r\n", body.len()).as_bytes()).await.unwrap();
    stream.write_all(&body).await.unwrap();
    let chunk = [b"\r\n10000\r\n".to_vec(), vec![7; 0x10000]].concat();
    let start = Instant::now();
    let mut sent = 0_u64;
    while stream.write_all(&chunk).await.is_ok() {
        sent += 1;
        assert!(start.elapsed() < PATIENCE, "{sent} chunks were taken");
    }
    assert!(sent * 0x10000 < 128 << 20, "{sent} chunks were taken");
    assert_free(&rig, &parcel).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_who_hangs_up_frees_its_reservation() {
    let limits = ServerLimits { body_grace: Duration::from_secs(60), ..ServerLimits::default() };
    let rig = Rig::start_with(2, Limits::default(), limits).await;
    let parcel = rig.parcel(5000, 1);
    let body = parcel.body(1);
    let mut stream = connect(&rig).await;
    stream.write_all(head(&format!("content-length: {}", body.len())).as_bytes()).await.unwrap();
    stream.write_all(&body[..body.len() / 2]).await.unwrap();
    let start = Instant::now();
    while rig.node(1).node.with_admission(|admission| admission.in_flight().0) == 0 {
        assert!(start.elapsed() < PATIENCE, "the submission did not begin");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(stream);
    assert_free(&rig, &parcel).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_make_room_for_others() {
    let rig = Rig::start_with(2, Limits::default(), impatient()).await;
    let mut idle = Vec::new();
    for _ in 0..4 {
        idle.push(connect(&rig).await);
    }
    let parcel = rig.parcel(5000, 1);
    timeout(PATIENCE, submit(&rig, 1, parcel.body(1))).await.unwrap().unwrap();
    drop(idle);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_asks_and_never_reads_loses_its_connection() {
    let rig = Rig::start_with(2, Limits::default(), ServerLimits { connections: 1, ..impatient() });
    let rig = rig.await;
    let parcel = rig.parcel(1 << 20, 1);
    submit(&rig, 1, parcel.body(1)).await.unwrap();
    let mut stream = connect(&rig).await;
    let (hash, row) = (parcel.header.hash(), parcel.rows_of(1)[0]);
    let request = format!("GET /v1/rows/{hash}/{row} HTTP/1.1\r\nhost: x\r\n\r\n");
    let asking = async {
        while stream.write_all(request.as_bytes()).await.is_ok() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, asking).await.expect("the connection is held");
    // The only connection there may be is free again.
    let other = rig.parcel(5000, 2);
    timeout(PATIENCE, submit(&rig, 1, other.body(1))).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lowest_rate_holds_all_along() {
    // The whole body may take a minute, its first bytes a second.
    let limits = ServerLimits { body_bytes_per_second: 2000, ..impatient() };
    let rig = Rig::start_with(2, Limits::default(), limits).await;
    let parcel = rig.parcel(50_000, 1);
    let body = parcel.body(1);
    assert!(limits.body_bytes_per_second * 20 < body.len() as u64, "{} bytes", body.len());
    let head = head(&format!("content-length: {}", body.len()));
    let mut stream = connect(&rig).await;
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(&body[..Submission::PREFIX_BYTES]).await.unwrap();
    let start = Instant::now();
    let text = answer(stream).await;
    assert!(text.starts_with("HTTP/1.1 408"), "{text}");
    assert!(text.contains("only 155 bytes"), "{text}");
    // What follows the answer is up to five seconds for the rest of the body.
    assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
    assert_eq!(rig.node(1).node.with_admission(|admission| admission.in_flight()), (0, 0));
    // A sender who is slow, but not too slow, is served.
    let mut stream = connect(&rig).await;
    stream.write_all(head.as_bytes()).await.unwrap();
    for piece in body.chunks(body.len().div_ceil(8)) {
        stream.write_all(piece).await.unwrap();
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    let text = answer(stream).await;
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn payers_who_send_headers_alone_do_not_stop_signing() {
    // Room for two bodies like the honest one.
    let limits = Limits { in_flight_bytes: 3 << 20, ..Limits::default() };
    let patient = ServerLimits { body_grace: Duration::from_secs(60), ..ServerLimits::default() };
    let rig = Rig::start_with(2, limits, patient).await;
    let honest = rig.parcel(600_000, 1);
    let body = honest.body(1);
    assert!(body.len() > 1 << 20, "{} bytes", body.len());
    // Their headers are good, and signed by keys that nobody saw before.
    let mut idle = Vec::new();
    for number in 10..19 {
        let key = PrivateKeySigner::from_bytes(&B256::repeat_byte(number)).unwrap();
        let mut parcel = rig.parcel(600_000, 1);
        parcel.header.payer = key.address();
        let hash = parcel.header.hash();
        parcel.signature = key.sign_message_sync(hash.as_slice()).unwrap().into();
        let body = parcel.body(1);
        let mut stream = connect(&rig).await;
        let head = head(&format!("content-length: {}", body.len()));
        stream.write_all(head.as_bytes()).await.unwrap();
        stream.write_all(&body[..Submission::PREFIX_BYTES]).await.unwrap();
        idle.push(stream);
    }
    let in_flight = || rig.node(1).node.with_admission(|admission| admission.in_flight());
    let start = Instant::now();
    // All of them wait for their bodies, for which each holds its first room.
    while in_flight() != (9, 9 << 16) {
        assert!(start.elapsed() < PATIENCE, "{:?}", in_flight());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    submit(&rig, 1, body).await.unwrap();
    assert_eq!(in_flight(), (9, 9 << 16));
    drop(idle);
}
