//! `POST /v1/rows`: what is signed and what is refused.

use std::sync::OnceLock;

use alloy_primitives::hex;
use cairn_da_client::Commitments;
use cairn_da_codec::CodecError;
use cairn_da_node::admission::Disk;
use cairn_da_node::store::Held;
use cairn_primitives::da::bls::Signature;
use cairn_primitives::da::{OperatorIndex, Refusal, RefusalCode, RowIndex};

use crate::rig::{Parcel, Rig, domain, snapshot};

/// Bytes that take four original rows, so that each of four operators holds four rows.
const SEVERAL_ROWS: usize = 300_000;

pub(crate) fn http() -> &'static reqwest::Client {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    CLIENT.get_or_init(|| {
        cairn_node_setup::install_tls();
        reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap()
    })
}

/// Sends a body to a node; the signature's bytes, or the refusal with its status.
pub(crate) async fn submit(rig: &Rig, number: usize, body: Vec<u8>) -> Result<Vec<u8>, Refusal> {
    post_rows(&rig.endpoints[number], body).await
}

/// Sends a body to the node of an endpoint.
pub(crate) async fn post_rows(endpoint: &str, body: Vec<u8>) -> Result<Vec<u8>, Refusal> {
    let url = format!("{endpoint}/v1/rows");
    let response = http().post(url).body(body).send().await.unwrap();
    let status = response.status().as_u16();
    let bytes = response.bytes().await.unwrap();
    if status == 200 {
        return Ok(bytes.to_vec());
    }
    let refusal: Refusal = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(status, refusal.code.http_status(), "{refusal}");
    Err(refusal)
}

async fn refused(rig: &Rig, number: usize, body: Vec<u8>) -> Refusal {
    submit(rig, number, body).await.expect_err("signed")
}

#[tokio::test(flavor = "multi_thread")]
async fn good_rows_are_stored_and_signed_for() {
    let rig = Rig::start(4).await;
    let parcel = rig.parcel(5000, 1);
    for number in 0..4 {
        let bytes = submit(&rig, number, parcel.body(number)).await.unwrap();
        let signature = Signature::from_bytes(&bytes).unwrap();
        let key = rig.snapshot.operator(OperatorIndex(number as u16)).unwrap().key;
        assert!(key.verify(domain().attestation(&parcel.header, rig.snapshot.seed()), &signature));
        let hash = parcel.header.hash();
        assert_eq!(rig.node(number).node.store().rows_of(hash).unwrap(), parcel.rows_of(number));
        // Asking again gives the same signature.
        assert_eq!(submit(&rig, number, parcel.body(number)).await.unwrap(), bytes);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_checks_run_than_there_are_cores() {
    let rig = Rig::start(2).await;
    let node = rig.node(1).node.clone();
    let cores = std::thread::available_parallelism().unwrap().get();
    assert_eq!(node.checks().available_permits(), cores);
    let all = node.checks().clone().acquire_many_owned(cores as u32).await.unwrap();
    let (first, second) = (rig.parcel(5000, 1), rig.parcel(5000, 2));
    let mut waiting = Box::pin(submit(&rig, 1, first.body(1)));
    let in_flight = || node.with_admission(|admission| admission.in_flight().0);
    let wait = std::time::Duration::from_millis(500);
    assert!(tokio::time::timeout(wait, &mut waiting).await.is_err(), "checked without a permit");
    assert_eq!(in_flight(), 1);
    // A sender who goes away while it waits is forgotten.
    let gone = tokio::time::timeout(wait, submit(&rig, 1, second.body(1))).await;
    assert!(gone.is_err());
    while in_flight() != 1 {
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    drop(all);
    waiting.await.unwrap();
    submit(&rig, 1, second.body(1)).await.unwrap();
    assert_eq!(node.checks().available_permits(), cores);
}

/// The rows of operator 1 that are not of the matrix, as a client finds them one by one.
fn wrong_ones(parcel: &Parcel, rows: &[Vec<u8>]) -> Vec<RowIndex> {
    let commitments = Commitments::check(&parcel.header, &parcel.commitments()).unwrap();
    let numbers = parcel.rows_of(1);
    let rows: Vec<_> = numbers.into_iter().zip(rows.iter().map(|row| &row[..])).collect();
    match commitments.verify(&rows) {
        Ok(()) => Vec::new(),
        Err(CodecError::BadRows(bad)) => bad.iter().map(|bad| RowIndex(bad.row.0)).collect(),
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_rows_are_refused_and_leave_nothing_behind() {
    let rig = Rig::start(4).await;
    let mut parcel = rig.parcel(SEVERAL_ROWS, 1);
    let good = parcel.rows(1);
    let commitments = parcel.commitments();
    assert!(good.len() > 2);
    let numbers = parcel.rows_of(1);
    let listed: Vec<_> = numbers.iter().map(|row| format!("row {row}")).collect();
    // A bit in each row, so that original and parity rows are both among them. The node says which rows
    // it wanted and not which one is wrong; that there is nothing else wrong with the body, the client's check says.
    for at in 0..good.len() {
        let mut rows = good.clone();
        rows[at][63] ^= 1;
        assert_eq!(wrong_ones(&parcel, &rows), [numbers[at]]);
        let refusal = refused(&rig, 1, parcel.body_of(1, &commitments, &rows)).await;
        assert_eq!(refusal.code, RefusalCode::WrongRow, "{refusal}");
        assert!(refusal.message.ends_with(&listed.join(", ")), "{refusal}");
    }
    // Errors that cancel when rows are summed: the node's coefficients are not the sender's to know.
    let parity: Vec<_> =
        (0..good.len()).filter(|at| numbers[*at].0 >= parcel.header.shape.rows()).collect();
    let mut cancelling = good.clone();
    let lowest = (31..good[0].len()).step_by(32);
    let fits = |at: &usize| good[parity[0]][*at] < 255 && good[parity[1]][*at] > 0;
    let at = lowest.into_iter().find(fits).unwrap();
    cancelling[parity[0]][at] += 1;
    cancelling[parity[1]][at] -= 1;
    assert_eq!(wrong_ones(&parcel, &cancelling), [numbers[parity[0]], numbers[parity[1]]]);
    let refusal = refused(&rig, 1, parcel.body_of(1, &commitments, &cancelling)).await;
    assert_eq!(refusal.code, RefusalCode::WrongRow, "{refusal}");
    let mut swapped = good.clone();
    swapped.swap(0, 1);
    let refusal = refused(&rig, 1, parcel.body_of(1, &commitments, &swapped)).await;
    assert_eq!(refusal.code, RefusalCode::WrongRow);
    let refusal = refused(&rig, 1, parcel.body_of(1, &commitments, &parcel.rows(0))).await;
    assert_eq!(refusal.code, RefusalCode::WrongRow, "rows of another operator");
    // The element of a parity row; in an original row it cannot be written.
    let parity = parcel.rows_of(1).iter().position(|row| row.0 >= parcel.header.shape.rows());
    let mut large = good.clone();
    large[parity.unwrap()][32..64].fill(0xff);
    let refusal = refused(&rig, 1, parcel.body_of(1, &commitments, &large)).await;
    assert_eq!(refusal.code, RefusalCode::WrongElement, "{refusal}");
    let hash = parcel.header.hash();
    assert_eq!(rig.node(1).node.store().header(hash).unwrap(), Held::Unknown);
    // The reservation is free, since nothing was signed.
    parcel.header.expiry.0 += 1;
    parcel.sign();
    assert!(submit(&rig, 1, parcel.body(1)).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn commitments_must_be_the_headers_and_points_of_the_group() {
    let rig = Rig::start(4).await;
    let mut parcel = rig.parcel(SEVERAL_ROWS, 1);
    let good = parcel.commitments();
    let mut other = good.clone();
    other[..48].copy_from_slice(&good[48..96]);
    let refusal = refused(&rig, 1, parcel.body_of(1, &other, &parcel.rows(1))).await;
    assert_eq!(refusal.code, RefusalCode::WrongCommitments);
    assert!(refusal.message.contains("root"), "{refusal}");
    // Points that the header names, but that are none: off the curve, and outside the subgroup.
    let off_curve = (1..=255).map(compressed).find(|point| !on_curve(point)).unwrap();
    let outside = (1..=255).map(compressed).find(on_curve).unwrap();
    for (point, what) in [(off_curve, "not on the curve"), (outside, "outside the subgroup")] {
        let mut list = parcel.commitments();
        list[..48].copy_from_slice(&point);
        parcel.header.hashes_root = root_of(&list);
        parcel.sign();
        let refusal = refused(&rig, 1, parcel.body_of(1, &list, &parcel.rows(1))).await;
        assert_eq!(refusal.code, RefusalCode::WrongCommitments);
        assert!(refusal.message.contains(what), "{refusal}");
    }
}

/// The compressed point with a small `x`, whether there is one or not.
fn compressed(x: u8) -> [u8; 48] {
    let mut bytes = [0; 48];
    bytes[0] = 0x80;
    bytes[47] = x;
    bytes
}

fn on_curve(point: &[u8; 48]) -> bool {
    let key = blst::min_pk::PublicKey::uncompress(point);
    key.is_ok()
}

fn root_of(commitments: &[u8]) -> alloy_primitives::B256 {
    let (list, _) = commitments.as_chunks::<48>();
    let hashes: Vec<_> =
        list.iter().map(|point| cairn_da_codec::Commitment(*point).versioned_hash()).collect();
    cairn_primitives::da::hashes_root(&hashes).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_are_no_submissions_are_refused() {
    let rig = Rig::start(4).await;
    let parcel = rig.parcel(5000, 1);
    let body = parcel.body(1);
    for length in [0, 1, 89, 90, 154, 155, body.len() - 1] {
        let refusal = refused(&rig, 1, body[..length].to_vec()).await;
        assert_eq!(refusal.code, RefusalCode::Malformed, "{length}");
    }
    let refusal = refused(&rig, 1, [&body[..], &[0]].concat()).await;
    assert_eq!(refusal.code, RefusalCode::Malformed);
    let mut other_version = body.clone();
    other_version[0] = 2;
    let refusal = refused(&rig, 1, other_version).await;
    assert_eq!(refusal.code, RefusalCode::Malformed);
    assert!(refusal.message.contains("version 2"), "{refusal}");
    let mut forged = body;
    forged[100] ^= 1;
    let refusal = refused(&rig, 1, forged).await;
    assert_eq!(refusal.code, RefusalCode::PayerSignature);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reservation_is_good_for_one_header_across_restarts() {
    let mut rig = Rig::start(4).await;
    let parcel = rig.parcel(5000, 1);
    let signature = submit(&rig, 1, parcel.body(1)).await.unwrap();
    let other = rig.parcel(6000, 1);
    let refusal = refused(&rig, 1, other.body(1)).await;
    assert_eq!(refusal.code, RefusalCode::ReservationUsed);
    assert!(refusal.message.contains(&hex::encode(parcel.header.hash())), "{refusal}");
    rig.restart(1).await;
    let refusal = refused(&rig, 1, other.body(1)).await;
    assert_eq!(refusal.code, RefusalCode::ReservationUsed);
    assert_eq!(submit(&rig, 1, parcel.body(1)).await.unwrap(), signature);
    assert!(submit(&rig, 1, rig.parcel(6000, 2).body(1)).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn two_headers_that_race_for_a_reservation_get_one_signature() {
    let rig = Rig::start(4).await;
    let mut signed = 0;
    for reservation in 0..5 {
        let parcels = [3000, 4000, 5000].map(|length| rig.parcel(length, reservation));
        let bodies = parcels.each_ref().map(|parcel| submit(&rig, 1, parcel.body(1)));
        let results = futures::future::join_all(bodies).await;
        signed += results.iter().filter(|result| result.is_ok()).count();
        let refusals = results.into_iter().filter_map(Result::err);
        assert!(refusals.into_iter().all(|it| it.code == RefusalCode::ReservationUsed));
    }
    assert_eq!(signed, 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_l1_that_changes_the_seed_changes_the_rows_that_are_signed_for() {
    let rig = Rig::start(4).await;
    let parcel = rig.parcel(SEVERAL_ROWS, 1);
    submit(&rig, 1, parcel.body(1)).await.unwrap();
    // The epoch's seed is another one after a reorganisation.
    let moved = snapshot(4, 99);
    rig.node(1).tell(&moved);
    let rows = moved.rows_of(OperatorIndex(1), &parcel.header);
    assert_ne!(rows, parcel.rows_of(1));
    let refusal = refused(&rig, 1, parcel.body(1)).await;
    assert!(matches!(refusal.code, RefusalCode::WrongRow | RefusalCode::Malformed), "{refusal}");
    let bytes: Vec<_> = rows.iter().map(|row| parcel.row(*row)).collect();
    let body = parcel.body_with(&parcel.commitments(), rows.iter().copied().zip(&bytes));
    submit(&rig, 1, body).await.unwrap();
    let held = rig.node(1).node.store().rows_of(parcel.header.hash()).unwrap();
    assert!(rows.iter().chain(&parcel.rows_of(1)).all(|row: &RowIndex| held.contains(row)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_refuses_and_still_serves() {
    let rig = Rig::start(4).await;
    let parcel = rig.parcel(5000, 1);
    submit(&rig, 1, parcel.body(1)).await.unwrap();
    rig.node(1).set_disk(Disk::Low { free: 12, wanted: 34 });
    let refusal = refused(&rig, 1, rig.parcel(5000, 2).body(1)).await;
    assert_eq!(refusal.code, RefusalCode::DiskFull);
    assert!(refusal.message.contains("12 bytes free"), "{refusal}");
    assert!(refusal.retry_after_seconds.is_some());
    let (hash, row) = (parcel.header.hash(), parcel.rows_of(1)[0]);
    let url = format!("{}/v1/rows/{hash}/{row}", rig.endpoints[1]);
    assert_eq!(http().get(url).send().await.unwrap().status(), 200);
    let health = http().get(format!("{}/health", rig.endpoints[1])).send().await.unwrap();
    assert_eq!(health.status(), 503);
    assert!(health.text().await.unwrap().contains("12 bytes free"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_wrong_signs_nothing_it_should_not_and_prunes_nothing() {
    let rig = Rig::start(4).await;
    let parcel = rig.parcel(5000, 1);
    submit(&rig, 1, parcel.body(1)).await.unwrap();
    rig.node(1).clock.set_offset(30 * 86_400);
    let refusal = refused(&rig, 1, rig.parcel(5000, 2).body(1)).await;
    assert_eq!(refusal.code, RefusalCode::Expired);
    assert_eq!(rig.node(1).node.prune().unwrap(), 0);
    rig.node(1).clock.set_offset(-30 * 86_400);
    let refusal = refused(&rig, 1, rig.parcel(5000, 2).body(1)).await;
    assert_eq!(refusal.code, RefusalCode::ExpiryTooLate);
}
