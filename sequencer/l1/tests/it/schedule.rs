//! Blob parameters: of the schedule, of L1, and what happens where they differ.

use std::sync::Arc;

use alloy_eips::eip7840::BlobParams;
use cairn_l1::{BlobSchedule, L1Client, L1Config, L1Error, NextStep};
use serde_json::{Value, json};

use crate::anvil::{Anvil, CHAIN_ID, config};
use crate::proxy::{Fault, Proxy};

/// Prague's parameters from the beginning, and others later.
fn schedule(prague_time: u64, later: u64) -> BlobSchedule {
    let entry = |params: BlobParams| json!(params);
    let config = json!({
        "chainId": CHAIN_ID, "cancunTime": 0, "pragueTime": prague_time, "bpo1Time": later,
        "blobSchedule": {
            "cancun": entry(BlobParams::cancun()),
            "prague": entry(BlobParams::prague()),
            "bpo1": entry(BlobParams::bpo1()),
        },
    });
    BlobSchedule::parse(&config.to_string(), CHAIN_ID).unwrap()
}

fn client(url: &str, schedule: Option<BlobSchedule>) -> Arc<L1Client> {
    Arc::new(L1Client::new(L1Config { schedule, ..config(&[url]) }).unwrap())
}

async fn max_at(client: &L1Client, time: u64) -> Option<u64> {
    client.blob_params(time).await.unwrap().map(|params| params.max_blob_count)
}

fn asked(proxy: &Proxy) -> usize {
    proxy.calls().iter().filter(|call| *call == "eth_config").count()
}

/// An answer of `eth_config`.
fn told(current: (u64, BlobParams), next: Option<(u64, BlobParams)>) -> Value {
    let fork = |(time, params): (u64, BlobParams)| json!({"activationTime": time, "blobSchedule": params, "precompiles": {}});
    json!({"current": fork(current), "next": next.map(fork)})
}

#[tokio::test]
async fn a_schedule_reaches_back_and_is_held_against_l1() {
    let Some(anvil) = Anvil::start(&["--hardfork", "prague"]).await else { return };
    let proxy = Proxy::start(&anvil.url).await;
    // As anvil says it: Prague from the beginning.
    let client = client(&proxy.url, Some(schedule(0, 1 << 40)));
    assert_eq!(max_at(&client, 1000).await, Some(9));
    assert_eq!(max_at(&client, 2000).await, Some(9));
    assert_eq!(asked(&proxy), 1, "it is not asked for each block");
    assert_eq!(max_at(&client, (1 << 40) - 1).await, Some(9));
    assert_eq!(max_at(&client, 1 << 40).await, Some(15));
    assert_eq!(asked(&proxy), 2);
}

#[tokio::test]
async fn other_parameters_than_are_scheduled_are_an_end() {
    let Some(anvil) = Anvil::start(&["--hardfork", "prague"]).await else { return };
    let client = client(&anvil.url, Some(schedule(1 << 40, 1 << 41)));
    let error = client.blob_params(5).await.unwrap_err();
    let L1Error::Schedule { chain_id: CHAIN_ID, scheduled, told, .. } = &error else {
        panic!("{error}")
    };
    assert_eq!((scheduled.max_blob_count, told.max_blob_count), (6, 9));
    assert_eq!(error.next_step(), NextStep::Stop);
    assert!(error.to_string().contains("blob target 6, max 9"), "{error}");
}

#[tokio::test]
async fn a_schedule_stands_where_l1_does_not_say() {
    let Some(anvil) = Anvil::start(&["--hardfork", "prague"]).await else { return };
    let proxy = Proxy::start(&anvil.url).await;
    proxy.hold_with("eth_config", Fault::Error(-32601, "the method does not exist"));
    let client = client(&proxy.url, Some(schedule(1 << 20, 1 << 40)));
    assert_eq!(max_at(&client, 5).await, Some(6));
    assert_eq!(max_at(&client, 1 << 20).await, Some(9));
}

#[tokio::test]
async fn without_a_schedule_l1_is_believed_and_asked_again() {
    let Some(anvil) = Anvil::start(&["--hardfork", "prague"]).await else { return };
    let proxy = Proxy::start(&anvil.url).await;
    let client = client(&proxy.url, None);
    let answer = told((1000, BlobParams::cancun()), None);
    proxy.hold_with("eth_config", Fault::Replace(answer));
    assert_eq!(max_at(&client, 999).await, None, "L1 does not tell of forks before the active one");
    assert_eq!(max_at(&client, 1000).await, Some(6));
    // A fork that is announced while the node runs.
    let answer = told((1000, BlobParams::cancun()), Some((9000, BlobParams::prague())));
    proxy.hold_with("eth_config", Fault::Replace(answer));
    assert_eq!(max_at(&client, 9000).await, Some(9));
    proxy.hold_with("eth_config", Fault::Replace(Value::Null));
    assert_eq!(max_at(&client, 8999).await, Some(6), "what is known is not asked again");
    assert_eq!(max_at(&client, 20_000).await, None);
}
