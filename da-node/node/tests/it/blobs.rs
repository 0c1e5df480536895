//! Rows as blobs of L1: what the codec says of a row is what L1 says of the blob.

use alloy::consensus::Transaction;
use alloy::eips::eip4844::{BYTES_PER_BLOB, Blob};
use alloy::eips::eip7594::{BlobTransactionSidecarEip7594, BlobTransactionSidecarVariant};
use alloy::network::{TransactionBuilder, TransactionBuilder4844};
use alloy::providers::{DynProvider, Provider};
use alloy::rpc::types::{TransactionReceipt, TransactionRequest};
use alloy_primitives::{Address, B256, Bytes, address, hex};
use cairn_da_client::ElementOpening;
use cairn_da_codec::{Committer, EncodedMatrix, RowIndex};
use cairn_primitives::da::Header;
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::l1::account;
use crate::processes::Network;
use crate::rig::payload;
use crate::submit::http;

const POINT_EVALUATION: Address = address!("0x000000000000000000000000000000000000000a");
const LENGTH: usize = 40_000;

/// The rows of a certified payload are sent to L1 as the blobs of a type-3 transaction. It carries
/// the versioned hashes that the header commits to; the blobs that L1 gives back are the rows; and
/// openings that the gateway makes for the DA network prove elements of those blobs.
pub(crate) async fn rows_are_blobs(gateway: &Gateway, network: &Network) {
    let (status, commitment) = gateway.put(payload(LENGTH)).await;
    assert_eq!(status, 200);
    let certificate = Bytes::from(commitment[1..].to_vec());
    let header = Header::decode(&certificate[..90]).unwrap();
    let matrix = EncodedMatrix::encode(Committer::shared().unwrap(), &payload(LENGTH), 16).unwrap();
    assert_eq!(matrix.hashes_root(), header.hashes_root);
    let rows = usize::from(header.shape.rows());
    assert!((2..=6).contains(&rows), "{rows} rows fit one transaction and are more than one");
    let row = |number| matrix.row(RowIndex(number as u16)).unwrap();
    let blobs: Vec<_> = (0..rows).map(|number| blob_of(row(number))).collect();

    let provider = network.l1.provider(Some(account(18)));
    let receipt = send(&provider, blobs.clone()).await;
    let hash = receipt.transaction_hash;
    let transaction = provider.get_transaction_by_hash(hash).await.unwrap().unwrap();
    assert_eq!(transaction.inner.tx_type() as u8, 3);
    let hashes = transaction.blob_versioned_hashes().unwrap().to_vec();
    assert_eq!(hashes, matrix.hashes());
    let kept = kept_blobs(network, receipt.block_number.unwrap()).await;
    assert!(kept == blobs, "L1 keeps other blobs than were sent");

    // Of the first element, of one in another row, of the last one.
    for element in [0_u32, 700, 1290] {
        let proof = gateway.call("da_proof", json!([certificate, element])).await.unwrap();
        let proof: ElementOpening = serde_json::from_value(proof).unwrap();
        assert_eq!(hashes[usize::from(proof.row.0)], proof.versioned_hash);
        let at = usize::from(proof.column) * 32;
        assert_eq!(kept[usize::from(proof.row.0)][at..at + 32], proof.element[..]);
        assert_opens(&provider, &proof, &hashes).await;
    }
}

/// 0x0a takes the opening for the blob that L1 has, and for no other.
async fn assert_opens(provider: &DynProvider, proof: &ElementOpening, hashes: &[B256]) {
    let call = async |hash: &B256| {
        let input = [&hash[..], &proof.precompile_input[32..]].concat();
        let request = TransactionRequest::default().with_to(POINT_EVALUATION).with_input(input);
        provider.call(request).await
    };
    for (row, hash) in hashes.iter().enumerate() {
        let answer = call(hash).await;
        let accepted = answer.is_ok_and(|bytes| bytes.len() == 64);
        assert_eq!(accepted, row == usize::from(proof.row.0), "row {row} of {}", proof.row);
    }
}

/// A row with zeros behind it.
fn blob_of(row: &[u8]) -> Blob {
    let mut blob = [0; BYTES_PER_BLOB];
    blob[..row.len()].copy_from_slice(row);
    Blob::new(blob)
}

async fn send(provider: &DynProvider, blobs: Vec<Blob>) -> TransactionReceipt {
    let sidecar = BlobTransactionSidecarEip7594::try_from_blobs(blobs).unwrap();
    let request = TransactionRequest::default()
        .with_to(Address::repeat_byte(0xb1))
        .with_blob_sidecar(BlobTransactionSidecarVariant::Eip7594(sidecar));
    let receipt = provider.send_transaction(request).await.unwrap().get_receipt().await.unwrap();
    assert!(receipt.status());
    receipt
}

async fn kept_blobs(network: &Network, block: u64) -> Vec<Blob> {
    let url = format!("{}/eth/v1/beacon/blobs/{block}", network.l1.url);
    let response = http().get(url).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let answer: Value = serde_json::from_slice(&response.bytes().await.unwrap()).unwrap();
    let blobs = answer["data"].as_array().unwrap().iter();
    blobs.map(|blob| Blob::from_slice(&hex::decode(blob.as_str().unwrap()).unwrap())).collect()
}
