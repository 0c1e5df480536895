//! What endpoints do wrong with blocks, and what the reader says.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_eips::BlockNumHash;
use alloy_primitives::{Address, B256};
use cairn_l1::{HeadFollower, L1Client, L1Config, L1Error, Lie, NextStep, Prefetcher};
use serde_json::{Value, json};

use crate::anvil::{Anvil, client, config};
use crate::proxy::{Fault, Proxy};
use crate::reading::quick;

const BLOCK: &str = "eth_getBlockByNumber";
const RECEIPTS: &str = "eth_getBlockReceipts";

/// anvil with a block 2 that has a transaction with a log, and a proxy.
async fn logged() -> Option<(Anvil, Proxy)> {
    let anvil = Anvil::start(&[]).await?;
    let logger = anvil.logger().await;
    anvil.send(logger, vec![7; 100]).await;
    let proxy = Proxy::start(&anvil.url).await;
    Some((anvil, proxy))
}

/// Alters the result of one method.
fn alter(
    method: &'static str,
    alter: impl Fn(&mut Value) + Send + 'static,
) -> impl FnMut(&str, &Value, &Value) -> Fault + Send {
    move |called, _, result| {
        if called != method || result.is_null() {
            return Fault::None;
        }
        let mut result = result.clone();
        alter(&mut result);
        Fault::Replace(result)
    }
}

/// The lie that the reader finds in block 2, and that the next endpoint gives the true block.
async fn lie(anvil: &Anvil, proxy: &Proxy) -> Lie {
    let error = client(&[&proxy.url], false).block_by_number(2).await.unwrap_err();
    assert!(matches!(error.next_step(), NextStep::Retry(_)));
    let L1Error::Lie { lie, endpoint } = error else { panic!("{error}") };
    assert!(proxy.url.ends_with(&endpoint), "{endpoint}");
    let both = client(&[&proxy.url, &anvil.url], false);
    let honest = anvil.client().block_by_number(2).await.unwrap();
    assert!(honest.is_some());
    assert_eq!(both.block_by_number(2).await.unwrap(), honest);
    lie
}

#[tokio::test]
async fn altered_receipts_are_lies() {
    let Some((anvil, proxy)) = logged().await else { return };
    let alterations: [fn(&mut Value); 5] = [
        |receipts| receipts[0]["status"] = json!("0x0"),
        |receipts| receipts[0]["cumulativeGasUsed"] = json!("0x5208"),
        |receipts| receipts[0]["logs"][0]["data"] = json!("0x00"),
        |receipts| receipts[0]["logs"] = json!([]),
        |receipts| receipts[0]["type"] = json!("0x1"),
    ];
    for alteration in alterations {
        proxy.rule(alter(RECEIPTS, alteration));
        let found = lie(&anvil, &proxy).await;
        assert!(matches!(found, Lie::ReceiptsRoot { number: 2, unknown: None, .. }), "{found}");
    }
    proxy.rule(alter(RECEIPTS, |receipts| *receipts = json!([])));
    let found = lie(&anvil, &proxy).await;
    assert_eq!(found, Lie::ReceiptCount { number: 2, transactions: 1, receipts: 0 });
    proxy.rule(alter(RECEIPTS, |receipts| *receipts = json!([{"status": "maybe"}])));
    let found = lie(&anvil, &proxy).await;
    assert!(matches!(&found, Lie::Malformed { what, .. } if what == RECEIPTS), "{found}");
}

#[tokio::test]
async fn altered_transactions_are_lies() {
    let Some((anvil, proxy)) = logged().await else { return };
    proxy.rule(alter(BLOCK, |block| block["transactions"][0]["input"] = json!("0x07")));
    let found = lie(&anvil, &proxy).await;
    assert!(matches!(found, Lie::TransactionHash { number: 2, index: 0, .. }), "{found}");
    proxy.rule(alter(BLOCK, |block| block["transactions"][0]["hash"] = json!(B256::ZERO)));
    let found = lie(&anvil, &proxy).await;
    let zero = matches!(found, Lie::TransactionHash { announced: B256::ZERO, .. });
    assert!(zero, "{found}");
    // A whole transaction left out, receipts and all.
    proxy.rule(|called, _, result| {
        let mut result = result.clone();
        match called {
            BLOCK if !result.is_null() => result["transactions"] = json!([]),
            RECEIPTS => result = json!([]),
            _ => return Fault::None,
        }
        Fault::Replace(result)
    });
    let found = lie(&anvil, &proxy).await;
    assert!(matches!(found, Lie::TransactionsRoot { number: 2, .. }), "{found}");
    proxy.rule(alter(BLOCK, |block| block["transactions"][0]["r"] = json!("zz")));
    let found = lie(&anvil, &proxy).await;
    assert!(matches!(found, Lie::Malformed { .. }), "{found}");
}

#[tokio::test]
async fn altered_headers_are_lies() {
    let Some((anvil, proxy)) = logged().await else { return };
    for field in ["parentHash", "stateRoot", "mixHash", "parentBeaconBlockRoot", "hash"] {
        proxy.rule(alter(BLOCK, move |block| block[field] = json!(B256::repeat_byte(3))));
        let found = lie(&anvil, &proxy).await;
        assert!(matches!(found, Lie::HeaderHash { number: 2, .. }), "{field}: {found}");
    }
    // Another true block.
    let other = anvil.rpc(BLOCK, json!(["0x1", true])).await;
    let given = other.clone();
    proxy.rule(alter(BLOCK, move |block| *block = given.clone()));
    assert_eq!(lie(&anvil, &proxy).await, Lie::Number { asked: 2, found: 1 });
    proxy.rule(alter("eth_getBlockByHash", move |block| *block = other.clone()));
    let asked = anvil.client().block_by_number(2).await.unwrap().unwrap().hash;
    let error = client(&[&proxy.url], false).block_by_hash(asked).await.unwrap_err();
    let L1Error::Lie { lie: Lie::HeaderHash { announced, .. }, .. } = error else {
        panic!("{error}")
    };
    assert_eq!(announced, asked);
}

#[tokio::test]
async fn an_unknown_type_is_read_from_its_bytes() {
    let Some((anvil, proxy)) = logged().await else { return };
    // anvil has no such type: the block says so of a transaction whose bytes are another's, so the
    // bytes are read, the root holds, and the receipt is encoded by its own type.
    proxy.rule(alter(BLOCK, |block| block["transactions"][0]["type"] = json!("0x7f")));
    let reader = client(&[&proxy.url], false);
    let block = reader.block_by_number(2).await.unwrap();
    assert_eq!(block, anvil.client().block_by_number(2).await.unwrap());
    assert!(proxy.calls().iter().any(|call| call == "eth_getRawTransactionByHash"));
    proxy.rule(|called, _, result| {
        let mut result = result.clone();
        match called {
            BLOCK => result["transactions"][0]["type"] = json!("0x7f"),
            "eth_getRawTransactionByHash" => result = json!("0x7f00"),
            _ => return Fault::None,
        }
        Fault::Replace(result)
    });
    let found = lie(&anvil, &proxy).await;
    assert!(matches!(found, Lie::TransactionHash { .. }), "{found}");
}

#[tokio::test]
async fn endpoints_that_fail_hand_over_to_the_next() {
    let Some((anvil, proxy)) = logged().await else { return };
    let honest = anvil.client().block_by_number(2).await.unwrap();
    let faults = [
        Fault::Status(429, Some("1".to_owned())),
        Fault::Status(503, Some("Fri, 31 Dec 1999 23:59:59 GMT".to_owned())),
        Fault::Status(500, None),
        Fault::Error(-32005, "limit exceeded"),
        Fault::Error(-32603, "internal error"),
        Fault::Truncate,
        Fault::Stall,
        Fault::Long(3 << 20),
    ];
    for fault in faults {
        let given = fault.clone();
        proxy.rule(move |_, _, _| given.clone());
        let urls = [&proxy.url[..], &anvil.url];
        let bytes_max = 2 << 20;
        let both = L1Client::new(L1Config { bytes_max, ..config(&urls) }).unwrap();
        assert_eq!(both.block_by_number(2).await.unwrap(), honest, "{fault:?}");
        let alone = L1Client::new(L1Config { bytes_max, ..config(&urls[..1]) }).unwrap();
        let error = alone.block_by_number(2).await.unwrap_err();
        assert!(matches!(error, L1Error::Unavailable { .. }), "{fault:?}: {error}");
    }
}

#[tokio::test]
async fn an_endpoint_is_left_alone_for_as_long_as_it_asks() {
    let Some((_anvil, proxy)) = logged().await else { return };
    proxy.rule(|_, _, _| Fault::Status(429, Some("1".to_owned())));
    let reader = client(&[&proxy.url], false);
    let start = Instant::now();
    let error = reader.block_by_number(2).await.unwrap_err();
    let NextStep::Retry(after) = error.next_step() else { panic!("{error}") };
    assert!(after > Duration::from_millis(500) && after <= Duration::from_secs(1), "{after:?}");
    proxy.rule(|_, _, _| Fault::None);
    let asked = proxy.calls().len();
    let early = reader.block_by_number(2).await;
    if start.elapsed() < Duration::from_millis(900) {
        assert!(matches!(early, Err(L1Error::Unavailable { .. })), "{early:?}");
        assert_eq!(proxy.calls().len(), asked);
    }
    tokio::time::sleep_until((start + Duration::from_millis(1100)).into()).await;
    assert!(reader.block_by_number(2).await.unwrap().is_some());
}

#[tokio::test]
async fn pruned_history_is_fatal_when_nobody_has_it() {
    let Some((anvil, proxy)) = logged().await else { return };
    proxy.rule(|_, _, _| Fault::Error(4444, "pruned history unavailable"));
    let error = client(&[&proxy.url], false).block_by_number(2).await.unwrap_err();
    assert!(matches!(error, L1Error::Pruned { .. }), "{error}");
    assert_eq!(error.next_step(), NextStep::Stop);
    let both = client(&[&proxy.url, &anvil.url], false);
    assert!(both.block_by_number(2).await.unwrap().is_some());
}

#[tokio::test]
async fn the_window_survives_faults_and_never_leaves_a_block_out() {
    let Some(anvil) = Anvil::start(&[]).await else { return };
    anvil.mine(60).await;
    let proxy = Proxy::start(&anvil.url).await;
    let mut call = 0_u32;
    proxy.rule(move |_, _, _| {
        call += 1;
        match call % 13 {
            3 => Fault::Status(500, None),
            7 => Fault::Truncate,
            11 => Fault::Status(429, Some("0".to_owned())),
            _ => Fault::None,
        }
    });
    let reader = client(&[&proxy.url], false);
    let follower = HeadFollower::spawn(Arc::clone(&reader), quick());
    let genesis = anvil.client().block_by_number(0).await.unwrap().unwrap();
    let window = NonZeroUsize::new(8).unwrap();
    let mut blocks = Prefetcher::new(reader, follower.states(), window, genesis.id());
    for number in 1..=60 {
        let block = blocks.next().await.unwrap();
        assert_eq!(block.header.number, number);
    }
}

#[tokio::test]
async fn a_wrong_parent_in_the_window_is_a_reorganisation() {
    let Some((anvil, _proxy)) = logged().await else { return };
    let reader = anvil.client();
    let follower = HeadFollower::spawn(Arc::clone(&reader), quick());
    let cursor = BlockNumHash { number: 1, hash: B256::from(Address::ZERO.into_word()) };
    let window = NonZeroUsize::new(2).unwrap();
    let mut blocks = Prefetcher::new(reader, follower.states(), window, cursor);
    let error = blocks.next().await.unwrap_err();
    assert!(matches!(error, L1Error::Reorg { found, .. } if found.number == 2), "{error}");
}
