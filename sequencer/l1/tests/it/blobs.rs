//! Blobs, and the blocks they come with.

use std::sync::Arc;

use alloy::consensus::{BlobTransactionSidecarEip7594, SidecarBuilder, SimpleCoder};
use alloy::network::TransactionBuilder4844;
use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use alloy_eips::eip4844::Blob;
use alloy_primitives::{Address, B256};
use cairn_da_client::registry::Registry;
use cairn_da_client::retrieval::RetrievalPolicy;
use cairn_da_client::{Nodes, Retriever};
use cairn_l1::blob::{BlobIds, SlotClock};
use cairn_l1::{
    BlobClient, BlobConfig, DataError, DataResolver, FetchedBlock, L1Error, Lie, NextStep,
};
use cairn_primitives::da::Domain;
use cairn_rollup::derivation::{DataRequest, DataSource};
use cairn_rollup::l1::BlobId;
use serde_json::{Value, json};

use crate::anvil::{Anvil, BACKOFF, CHAIN_ID, client};
use crate::proxy::{Fault, Proxy};

/// anvil with blobs in block 1, of two transactions, and the blobs in order.
async fn with_blobs() -> Option<(Anvil, Vec<Blob>)> {
    let anvil = Anvil::start(&[]).await?;
    let mut blobs = Vec::new();
    for (seed, length) in [(1_u8, 1000), (2, 200_000)] {
        let data = vec![seed; length];
        let sidecar: BlobTransactionSidecarEip7594 =
            SidecarBuilder::<SimpleCoder>::from_slice(&data).build_7594().unwrap();
        blobs.extend(sidecar.blobs.clone());
        let request = TransactionRequest::default().to(Address::repeat_byte(0x22));
        let request = request.with_blob_sidecar_7594(sidecar).with_max_fee_per_blob_gas(1_000_000);
        let _ = anvil.provider.send_transaction(request).await.unwrap();
    }
    anvil.mine(1).await;
    Some((anvil, blobs))
}

fn blob_client(urls: &[&str], ids: BlobIds) -> BlobClient {
    let urls = urls.iter().map(|url| url.parse().unwrap()).collect();
    BlobClient::new(BlobConfig { ids, backoff: BACKOFF, ..BlobConfig::new(urls) }).unwrap()
}

async fn block_of(anvil: &Anvil) -> (FetchedBlock, Vec<B256>) {
    let block = client(&[&anvil.url], true).block_by_number(1).await.unwrap().unwrap();
    let hashes = block.transactions.iter().flat_map(|one| one.blob_hashes().to_vec()).collect();
    (block, hashes)
}

#[tokio::test]
async fn blobs_come_in_the_order_of_their_hashes() {
    let Some((anvil, blobs)) = with_blobs().await else { return };
    let (block, mut hashes) = block_of(&anvil).await;
    assert_eq!(hashes.len(), blobs.len());
    let reader = blob_client(&[&anvil.url], BlobIds::Detect);
    let got = reader.blobs(&block.block_ref(), &hashes).await.unwrap();
    assert!(got.iter().map(|blob| **blob).eq(blobs.iter().copied()));
    hashes.reverse();
    hashes.push(hashes[0]);
    let got = reader.blobs(&block.block_ref(), &hashes).await.unwrap();
    assert!(*got[0] == blobs[blobs.len() - 1] && got[0] == got[hashes.len() - 1]);
    assert!(reader.blobs(&block.block_ref(), &[]).await.unwrap().is_empty());
}

#[tokio::test]
async fn anvil_roots_blobs_with_their_sidecars_which_is_taken_only_if_told_so() {
    let Some((anvil, _)) = with_blobs().await else { return };
    let error = anvil.client().block_by_number(1).await.unwrap_err();
    let wrong = matches!(&error, L1Error::Lie { lie: Lie::TransactionsRoot { .. }, .. });
    assert!(wrong, "anvil is right by now, and sidecar_roots can go: {error}");
    let (block, hashes) = block_of(&anvil).await;
    assert_eq!((block.transactions.len(), block.receipts.len()), (2, 2));
    assert_eq!(block.transactions[0].blob_hashes(), &hashes[..1]);
}

/// The lie that the reader finds in block 1 of anvil with roots over sidecars.
async fn lie_about_blobs(proxy: &Proxy) -> Lie {
    let error = client(&[&proxy.url], true).block_by_number(1).await.unwrap_err();
    let L1Error::Lie { lie, .. } = error else { panic!("{error}") };
    lie
}

#[tokio::test]
async fn lies_about_a_block_with_blobs_are_found() {
    let Some((anvil, _)) = with_blobs().await else { return };
    let proxy = Proxy::start(&anvil.url).await;
    let alter = |method: &'static str, alter: fn(&mut Value)| {
        move |called: &str, _: &Value, result: &Value| {
            let mut result = result.clone();
            if called != method {
                return Fault::None;
            }
            alter(&mut result);
            Fault::Replace(result)
        }
    };
    proxy.rule(alter("eth_getBlockReceipts", |receipts| {
        receipts[0]["cumulativeGasUsed"] = json!("0x1");
    }));
    let found = lie_about_blobs(&proxy).await;
    assert!(matches!(found, Lie::ReceiptsRoot { .. }), "{found}");
    proxy.rule(alter("eth_getBlockByNumber", |block| block["receiptsRoot"] = json!(B256::ZERO)));
    let found = lie_about_blobs(&proxy).await;
    assert!(matches!(found, Lie::HeaderHash { .. }), "{found}");
    proxy.rule(alter("eth_getBlockByNumber", |block| {
        block["transactions"][1] = block["transactions"][0].clone();
    }));
    let found = lie_about_blobs(&proxy).await;
    assert!(matches!(found, Lie::TransactionsRoot { .. }), "{found}");
    let other = "eth_getRawTransactionByHash";
    proxy.rule(alter(other, |raw| *raw = json!("0x03c3c20102")));
    let found = lie_about_blobs(&proxy).await;
    assert!(matches!(found, Lie::Malformed { .. }), "{found}");
    proxy.rule(alter(other, |raw| *raw = json!(format!("{}00", raw.as_str().unwrap()))));
    let found = lie_about_blobs(&proxy).await;
    assert!(matches!(found, Lie::TransactionsRoot { .. }), "{found}");
}

#[tokio::test]
async fn no_block_is_believed_because_it_says_that_it_has_blobs() {
    let Some((anvil, _)) = with_blobs().await else { return };
    anvil.mine(1).await;
    let proxy = Proxy::start(&anvil.url).await;
    proxy.rule(|called, _, result| {
        let mut result = result.clone();
        if called != "eth_getBlockByNumber" {
            return Fault::None;
        }
        result["blobGasUsed"] = json!("0x20000");
        result["receiptsRoot"] = json!(B256::ZERO);
        Fault::Replace(result)
    });
    let error = client(&[&proxy.url], true).block_by_number(2).await.unwrap_err();
    assert!(matches!(&error, L1Error::Lie { lie: Lie::HeaderHash { .. }, .. }), "{error}");
}

#[tokio::test]
async fn a_wrong_or_missing_blob_is_got_elsewhere() {
    let Some((anvil, blobs)) = with_blobs().await else { return };
    let (block, hashes) = block_of(&anvil).await;
    let proxy = Proxy::start(&anvil.url).await;
    let alterations: [fn(&mut Value); 4] = [
        |data| *data = json!([]),
        |data| data[0] = json!("0x1234"),
        |data| data[0] = data[1].clone(),
        |data| data[1] = json!(format!("0x{}", "00".repeat(131_072))),
    ];
    for alteration in alterations {
        proxy.rule(move |path, _, result| {
            if !path.contains("/blobs/") {
                return Fault::None;
            }
            let mut result = result.clone();
            alteration(&mut result["data"]);
            Fault::Replace(result)
        });
        let alone = blob_client(&[&proxy.url], BlobIds::BlockNumber);
        let error = alone.blobs(&block.block_ref(), &hashes).await.unwrap_err();
        assert!(matches!(error.next_step(), NextStep::Retry(_)), "{error}");
        let both = blob_client(&[&proxy.url, &anvil.url], BlobIds::BlockNumber);
        assert_eq!(both.blobs(&block.block_ref(), &hashes).await.unwrap().len(), blobs.len());
    }
}

#[tokio::test]
async fn a_beacon_node_is_asked_by_slot() {
    let Some((anvil, blobs)) = with_blobs().await else { return };
    let (block, hashes) = block_of(&anvil).await;
    let proxy = Proxy::start(&anvil.url).await;
    let time = block.header.timestamp;
    let genesis = time - 12 * 7;
    let all = reqwest::get(format!("{}/eth/v1/beacon/blobs/1", anvil.url)).await.unwrap();
    let all: Value = all.json().await.unwrap();
    // anvil has no slots: the proxy puts its blobs where a beacon node has them.
    proxy.rule(move |path, _, _| match path {
        "/eth/v1/config/spec" => Fault::Replace(json!({"data": {"SECONDS_PER_SLOT": "12"}})),
        "/eth/v1/beacon/genesis" => {
            Fault::Replace(json!({"data": {"genesis_time": genesis.to_string()}}))
        }
        path if path.starts_with("/eth/v1/beacon/blobs/7?") => Fault::Replace(all.clone()),
        _ => Fault::Status(404, None),
    });
    let reader = blob_client(&[&proxy.url], BlobIds::Detect);
    let got = reader.blobs(&block.block_ref(), &hashes).await.unwrap();
    assert_eq!(got.len(), blobs.len());
    assert!(proxy.calls().iter().any(|path| path.starts_with("/eth/v1/beacon/blobs/7?")));
    let clock = SlotClock { genesis_time: genesis + 1, seconds_per_slot: 12 };
    let wrong = blob_client(&[&proxy.url], BlobIds::Slot(clock));
    let error = wrong.blobs(&block.block_ref(), &hashes).await.unwrap_err();
    assert!(matches!(error, L1Error::Lie { lie: Lie::Malformed { .. }, .. }), "{error}");
}

#[tokio::test]
async fn blobs_past_their_retention_are_pruned() {
    let Some((anvil, _)) = with_blobs().await else { return };
    let (block, hashes) = block_of(&anvil).await;
    let proxy = Proxy::start(&anvil.url).await;
    proxy.rule(|_, _, _| Fault::Status(404, None));
    let reader = blob_client(&[&proxy.url], BlobIds::BlockNumber);
    let mut old = block.block_ref();
    let error = reader.blobs(&old, &hashes).await.unwrap_err();
    assert!(matches!(error, L1Error::Unavailable { .. }), "{error}");
    old.timestamp -= 60 * 24 * 3600;
    let error = reader.blobs(&old, &hashes).await.unwrap_err();
    assert!(matches!(error, L1Error::Pruned { .. }), "{error}");
}

#[tokio::test]
async fn data_of_batches_come_from_blobs() {
    let Some((anvil, blobs)) = with_blobs().await else { return };
    let (block, hashes) = block_of(&anvil).await;
    let reader = Arc::new(blob_client(&[&anvil.url], BlobIds::Detect));
    let resolver = DataResolver::new(reader, None);
    let ids = (0..).zip(&hashes).map(|(index, hash)| BlobId { index, versioned_hash: *hash });
    let transaction = block.transactions[0].hash;
    let source = DataSource::Blobs(ids.collect());
    let request = DataRequest { block: block.block_ref(), transaction, source };
    let answer = resolver.resolve(&request).await.unwrap();
    assert_eq!(answer.transaction, transaction);
    assert!(answer.data.iter().map(|data| &data[..]).eq(blobs.iter().map(|blob| &blob[..])));
    let source = DataSource::Certificate(vec![0; 300].into());
    let request = DataRequest { source, ..request };
    let error = resolver.resolve(&request).await.unwrap_err();
    assert!(matches!(error, DataError::NoRegistry { .. }), "{error}");
    assert_eq!(error.next_step(), NextStep::Stop);
}

#[tokio::test]
async fn certificates_that_cannot_be_read_yet_are_waited_for() {
    let Some((anvil, _)) = with_blobs().await else { return };
    let (block, _) = block_of(&anvil).await;
    let domain = Domain { chain_id: CHAIN_ID, registry: Address::repeat_byte(0x77) };
    let registry = Registry::new(anvil.provider.clone(), domain).await.unwrap();
    let retriever = Retriever::new(Nodes::new().unwrap(), RetrievalPolicy::default());
    let reader = Arc::new(blob_client(&[&anvil.url], BlobIds::Detect));
    let resolver = DataResolver::new(reader, Some((registry, retriever)));
    for (length, malformed) in [(3, true), (300, false)] {
        let source = DataSource::Certificate(vec![0; length].into());
        let transaction = block.transactions[0].hash;
        let request = DataRequest { block: block.block_ref(), transaction, source };
        let error = resolver.resolve(&request).await.unwrap_err();
        assert_eq!(matches!(error, DataError::Certificate(_)), malformed, "{error}");
        assert!(malformed || matches!(error, DataError::Rows(_)), "{error}");
        assert!(matches!(error.next_step(), NextStep::Retry(_)));
    }
}
