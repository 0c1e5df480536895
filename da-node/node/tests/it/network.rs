//! Payloads through a network of nodes and back, with some of them dead or lying.

use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use cairn_da_client::collect::CollectPolicy;
use cairn_da_client::retrieval::RetrievalPolicy;
use cairn_da_client::{ClientError, Disperser, Nodes, Retriever};
use cairn_da_node::http::Injection;
use cairn_node_setup::{Server, ServerLimits};
use cairn_primitives::da::{
    CertificateStatus, Reservation, RowIndex, Shape, Timestamp, check_certificate,
};

use crate::rig::{Rig, domain, payer, payload};

fn quick() -> CollectPolicy {
    CollectPolicy {
        attempts: 2,
        pause: Duration::from_millis(20),
        deadline: Duration::from_secs(20),
        ..CollectPolicy::default()
    }
}

fn disperser() -> Disperser {
    Disperser::new(Nodes::new().unwrap(), domain(), payer(), quick())
}

fn retriever() -> Retriever {
    Retriever::new(Nodes::new().unwrap(), RetrievalPolicy::default())
}

async fn disperse(rig: &Rig, length: usize, number: u64) -> Result<Vec<u8>, ClientError> {
    let (quorum, expiry) = (rig.quorum(), rig.expiry());
    let bytes = payload(length).into();
    let done = disperser().disperse(&quorum, bytes, Reservation(number), expiry).await?;
    let certificate = done.certificate.encode();
    let status = check_certificate(&certificate, &domain(), Some(&rig.snapshot), expiry);
    assert_eq!(status, CertificateStatus::Valid);
    Ok(certificate)
}

async fn retrieve(rig: &Rig, certificate: &[u8]) -> Result<Vec<u8>, ClientError> {
    let now = Timestamp(rig.expiry().0 - 3600);
    retriever().retrieve_certified(&domain(), &rig.quorum(), certificate, now).await
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_of_all_sizes_come_back() {
    let rig = Rig::start(16).await;
    for (number, length) in [1, 31, 32, 1000, 4096, 130_000, 400_000].into_iter().enumerate() {
        let certificate = disperse(&rig, length, number as u64).await.unwrap();
        assert_eq!(retrieve(&rig, &certificate).await.unwrap(), payload(length), "{length}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thirds_certify_and_less_do_not() {
    let mut rig = Rig::start(16).await;
    for number in 0..5 {
        rig.stop(number).await;
    }
    let certificate = disperse(&rig, 5000, 1).await.unwrap();
    assert_eq!(retrieve(&rig, &certificate).await.unwrap(), payload(5000));
    rig.stop(5).await;
    match disperse(&rig, 5000, 2).await {
        Err(ClientError::NotCertified(shortfall)) => {
            // It gives up with the sixth failure and does not wait for the ten that could sign.
            assert!(shortfall.signed <= 10 && shortfall.needed == 11, "{shortfall}");
            let refused = |(_, failure): &&(_, String)| failure.contains("refused");
            assert_eq!(shortfall.failures.iter().filter(refused).count(), 6, "{shortfall}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn payloads_come_back_from_parity_alone_and_with_half_the_network_dead() {
    let mut rig = Rig::start(16).await;
    let certificate = disperse(&rig, 20_000, 1).await.unwrap();
    let header = disperse_header(&certificate);
    // Everyone who holds an original row goes, up to half of the network.
    let table = rig.snapshot.slot_table(&header);
    let mut stopped = 0;
    for number in 0..16 {
        let rows = table.rows_of(cairn_primitives::da::OperatorIndex(number));
        if rows.iter().any(|row| row.0 < header.shape.rows()) {
            rig.stop(usize::from(number)).await;
            stopped += 1;
        }
    }
    assert_eq!(stopped, 4, "one operator has one slot, and four rows are original");
    assert_eq!(retrieve(&rig, &certificate).await.unwrap(), payload(20_000));
    for number in 0..16 {
        if rig.nodes[number].is_some() && stopped < 12 {
            rig.stop(number).await;
            stopped += 1;
        }
    }
    assert_eq!(retrieve(&rig, &certificate).await.unwrap(), payload(20_000));
    let last = rig.nodes.iter().position(Option::is_some).unwrap();
    rig.stop(last).await;
    match retrieve(&rig, &certificate).await {
        Err(ClientError::NotRetrieved(missing)) => assert_eq!(missing.needed, 4, "{missing}"),
        other => panic!("{other:?}"),
    }
}

fn disperse_header(certificate: &[u8]) -> cairn_primitives::da::Header {
    cairn_primitives::da::Header::decode(&certificate[..90]).unwrap()
}

/// Answers any row and header with bytes of its own.
async fn liar(shape: Shape, header_bytes: usize) -> Server {
    let row = move |Path((_, row)): Path<(String, u16)>| async move {
        let length = shape.sent_row_bytes(RowIndex(row));
        vec![(row % 7) as u8; if row.is_multiple_of(3) { length + 1 } else { length }]
    };
    let router = Router::new()
        .route("/v1/rows/{hash}/{row}", get(row))
        .route("/v1/headers/{hash}", get(move || async move { vec![7; header_bytes] }));
    let listen = "127.0.0.1:0".parse().unwrap();
    Server::start(listen, router, ServerLimits::default()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn six_of_sixteen_dead_or_lying_do_not_matter() {
    let mut rig = Rig::start(16).await;
    let length = 60_000;
    let certificate = disperse(&rig, length, 1).await.unwrap();
    let shape = disperse_header(&certificate).shape;
    let liar = liar(shape, 90 + 65 + shape.commitment_bytes()).await;
    for number in 0..6 {
        rig.stop(number).await;
        if number.is_multiple_of(2) {
            rig.endpoints[number] = format!("http://{}", liar.local_addr());
        }
    }
    assert_eq!(retrieve(&rig, &certificate).await.unwrap(), payload(length));
    liar.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_domain_or_after_its_expiry_is_not_followed() {
    let rig = Rig::start(4).await;
    let certificate = disperse(&rig, 100, 1).await.unwrap();
    let late = Timestamp(rig.expiry().0 + 3600);
    let result = retriever().retrieve_certified(&domain(), &rig.quorum(), &certificate, late).await;
    assert!(matches!(result, Err(ClientError::Certificate(CertificateStatus::Expired))));
    let elsewhere = cairn_primitives::da::Domain { chain_id: 1, ..domain() };
    let now = Timestamp(rig.expiry().0 - 3600);
    let result = retriever().retrieve_certified(&elsewhere, &rig.quorum(), &certificate, now).await;
    assert!(matches!(result, Err(ClientError::Certificate(CertificateStatus::WrongSignature))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_network_still_has_the_payload() {
    let mut rig = Rig::start(4).await;
    let certificate = disperse(&rig, 3000, 1).await.unwrap();
    for number in 0..4 {
        rig.restart(number).await;
    }
    assert_eq!(retrieve(&rig, &certificate).await.unwrap(), payload(3000));
}

#[tokio::test(flavor = "multi_thread")]
async fn empty_and_oversized_payloads_are_refused() {
    let rig = Rig::start(4).await;
    for length in [0, 31 * 1024 * 1024 + 1] {
        let result = disperse(&rig, length, 1).await;
        assert!(matches!(result, Err(ClientError::Payload(_))), "{length}: {result:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_megabyte_is_certified_within_four_seconds_over_slow_links() {
    let delay = Duration::from_millis(50);
    let rig = Rig::start_faulty(16, Injection { delay, failures_percent: 0 }).await;
    // The first one builds the codec's tables.
    disperse(&rig, 1000, 100).await.unwrap();
    let (quorum, length) = (rig.quorum(), 1 << 20);
    let mut times = Vec::new();
    for number in 0..7 {
        let (bytes, expiry) = (payload(length).into(), rig.expiry());
        let done = disperser().disperse(&quorum, bytes, Reservation(number), expiry).await;
        let done = done.unwrap();
        println!("encoded in {:?}, certified in {:?}", done.encoding, done.collecting);
        times.push(done.encoding + done.collecting);
    }
    times.sort();
    println!("p50 {:?}, worst {:?}", times[3], times[6]);
    assert!(times[6] <= Duration::from_secs(4), "{times:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn failures_that_pass_are_overcome() {
    let injection = Injection { failures_percent: 30, ..Injection::default() };
    let rig = Rig::start_faulty(16, injection).await;
    let policy = CollectPolicy {
        attempts: 10,
        pause: Duration::from_millis(10),
        longest_pause: Duration::from_millis(50),
        ..quick()
    };
    let disperser = Disperser::new(Nodes::new().unwrap(), domain(), payer(), policy);
    let bytes = payload(20_000).into();
    let done = disperser.disperse(&rig.quorum(), bytes, Reservation(1), rig.expiry()).await;
    let certificate = done.unwrap().certificate.encode();
    let policy = RetrievalPolicy { failures_per_operator: 20, ..RetrievalPolicy::default() };
    let retriever = Retriever::new(Nodes::new().unwrap(), policy);
    let now = Timestamp(rig.expiry().0 - 3600);
    let back = retriever.retrieve_certified(&domain(), &rig.quorum(), &certificate, now).await;
    assert_eq!(back.unwrap(), payload(20_000));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_largest_payload_comes_back() {
    let rig = Rig::start(16).await;
    let policy = CollectPolicy {
        attempt_time: Duration::from_secs(60),
        deadline: Duration::from_secs(120),
        ..quick()
    };
    let disperser = Disperser::new(Nodes::new().unwrap(), domain(), payer(), policy);
    let (bytes, length) = (payload(31 << 20), 31 << 20);
    let quorum = rig.quorum();
    let done = disperser.disperse(&quorum, bytes.into(), Reservation(1), rig.expiry()).await;
    let done = done.unwrap();
    println!("{length} bytes: encoded in {:?}, certified in {:?}", done.encoding, done.collecting);
    let policy =
        RetrievalPolicy { deadline: Duration::from_secs(120), ..RetrievalPolicy::default() };
    let retriever = Retriever::new(Nodes::new().unwrap(), policy);
    let started = std::time::Instant::now();
    let back = retriever.retrieve(&quorum, &done.certificate.header).await.unwrap();
    println!("{length} bytes: retrieved in {:?}", started.elapsed());
    assert!(back == payload(length), "other bytes came back");
}

#[tokio::test(flavor = "multi_thread")]
async fn ranges_come_from_their_rows_and_from_others_when_those_are_gone() {
    let mut rig = Rig::start(16).await;
    let length = 300_000;
    let certificate = disperse(&rig, length, 1).await.unwrap();
    let header = disperse_header(&certificate);
    let row = u32::from(header.shape.columns()) * 31;
    let whole = payload(length);
    let end = length as u32;
    let ranges = [0..1, 0..0, row - 1..row + 1, 5..3 * row + 7, end - 1..end, 0..end];
    let check = async |rig: &Rig| {
        for range in ranges.clone() {
            let bytes = retriever().read(&rig.quorum(), &header, range.clone()).await.unwrap();
            assert_eq!(bytes, whole[range.start as usize..range.end as usize], "{range:?}");
        }
    };
    check(&rig).await;
    let beyond = retriever().read(&rig.quorum(), &header, end..end + 1).await;
    assert!(matches!(beyond, Err(ClientError::Range { .. })), "{beyond:?}");
    // Whoever holds the first row goes.
    let holder = rig.snapshot.slot_table(&header).holders()[0][0];
    rig.stop(holder.as_usize()).await;
    check(&rig).await;
    let liar = liar(header.shape, 90 + 65 + header.shape.commitment_bytes()).await;
    rig.endpoints[holder.as_usize()] = format!("http://{}", liar.local_addr());
    check(&rig).await;
    liar.stop().await;
}
