//! Submission of transactions, and what clients see of them.

use std::time::Duration;

use alloy::consensus::{SignableTransaction, TxEip1559};
use alloy::eips::eip2718::Encodable2718;
use alloy::primitives::{Address, Bytes, TxKind, U256, hex, keccak256};
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use cairn_genesis::dev_accounts;
use serde_json::{Value, json};

use crate::client::{call, post, result, until};
use crate::node::{TestNode, config};

const RECEIVER: Address = Address::repeat_byte(0x77);

pub(crate) fn signer(index: u32) -> PrivateKeySigner {
    let account = dev_accounts(index + 1).expect("accounts").pop().expect("an account");
    PrivateKeySigner::from_bytes(&account.private_key).expect("a key")
}

/// Bytes of data of a [`large`] transaction.
pub(crate) const LARGE: usize = 120_000;

/// A signed transfer of one wei.
pub(crate) fn transfer(signer: &PrivateKeySigner, nonce: u64) -> String {
    signed(signer, nonce, 21_000, Bytes::new())
}

/// A signed transfer with much data.
pub(crate) fn large(signer: &PrivateKeySigner, nonce: u64) -> String {
    signed(signer, nonce, 10_000_000, vec![0; LARGE].into())
}

fn signed(signer: &PrivateKeySigner, nonce: u64, gas_limit: u64, input: Bytes) -> String {
    let tx = TxEip1559 {
        chain_id: 901,
        nonce,
        gas_limit,
        input,
        max_fee_per_gas: 100_000_000_000,
        max_priority_fee_per_gas: 1_000_000,
        to: TxKind::Call(RECEIVER),
        value: U256::from(1),
        ..TxEip1559::default()
    };
    let signature = signer.sign_hash_sync(&tx.signature_hash()).expect("a signature");
    hex::encode_prefixed(tx.into_signed(signature).encoded_2718())
}

pub(crate) async fn dev() -> TestNode {
    TestNode::dev(config(), Duration::from_millis(200)).await
}

fn hash_of(raw: &str) -> Value {
    json!(keccak256(hex::decode(raw).unwrap()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_send_answers_from_the_open_block_and_the_sealed_receipt_agrees() {
    let node = dev().await;
    let raw = transfer(&signer(0), 0);
    let first = result(node.address, "eth_sendRawTransactionSync", json!([raw])).await;
    assert_eq!(first["status"], "0x1");
    assert_eq!(first["transactionHash"], hash_of(&raw));
    for field in ["l1Fee", "l1GasPrice", "l1GasUsed", "l1BaseFeeScalar", "l1BlobBaseFee"] {
        assert!(first[field].is_string(), "{field} in {first}");
    }
    let hash = hash_of(&raw);
    let sealed = until("the receipt is sealed", || async {
        let found = result(node.address, "eth_getTransactionReceipt", json!([hash])).await;
        found.is_object().then_some(found)
    })
    .await;
    let mut expected = first.clone();
    expected["blockHash"] = sealed["blockHash"].clone();
    assert_eq!(sealed, expected, "nothing but the block's hash is new");
    if first["blockHash"] != sealed["blockHash"] {
        assert_eq!(first["blockHash"], json!(alloy::primitives::B256::ZERO));
    }
    // Sent again: the same receipt, not an error, also once the pool has forgotten the transaction.
    let again = result(node.address, "eth_sendRawTransactionSync", json!([raw])).await;
    assert_eq!(again, sealed);
    until("the pool has forgotten it", || async {
        let answer = call(node.address, "eth_sendRawTransaction", json!([raw])).await;
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        message.starts_with("nonce too low").then_some(())
    })
    .await;
    let again = result(node.address, "eth_sendRawTransactionSync", json!([raw])).await;
    assert_eq!(again, sealed);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_send_that_cannot_run_times_out_with_its_hash() {
    let node = dev().await;
    let raw = transfer(&signer(0), 5);
    let answer = call(node.address, "eth_sendRawTransactionSync", json!([raw, 20])).await;
    assert_eq!(answer["error"]["code"], 4, "{answer}");
    assert_eq!(answer["error"]["data"], hash_of(&raw));
    let status = result(node.address, "txpool_status", json!([])).await;
    assert_eq!(status, json!({"pending": "0x0", "queued": "0x1"}));
    let content = result(node.address, "txpool_contentFrom", json!([signer(0).address()])).await;
    assert_eq!(content["queued"]["5"]["hash"], hash_of(&raw));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_of_sends_is_answered_in_order_and_executed() {
    let node = dev().await;
    let sender = signer(1);
    let raws: Vec<String> = (0..100).map(|nonce| transfer(&sender, nonce)).collect();
    let entry = |(id, raw): (usize, &String)| json!({"jsonrpc": "2.0", "id": id, "method": "eth_sendRawTransaction", "params": [raw]});
    let batch = Value::Array(raws.iter().enumerate().map(entry).collect());
    let answers = post(node.address, batch.to_string()).await.json();
    for (i, answer) in answers.as_array().expect("answers").iter().enumerate() {
        assert_eq!(answer["id"], i);
        assert_eq!(answer["result"], hash_of(&raws[i]), "{answer}");
    }
    until("all are in the pending state", || async {
        let count = result(node.address, "eth_getBalance", json!([RECEIVER, "pending"])).await;
        (count == "0x64").then_some(())
    })
    .await;
    let nonce =
        result(node.address, "eth_getTransactionCount", json!([sender.address(), "pending"])).await;
    assert_eq!(nonce, "0x64");
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_transactions_have_the_texts_of_geth() {
    let node = dev().await;
    let raw = transfer(&signer(0), 0);
    result(node.address, "eth_sendRawTransactionSync", json!([raw])).await;
    for (raw, text) in [
        (raw.clone(), "already known"),
        ("0x".to_owned(), "typed transaction too short"),
        ("0x7e01".to_owned(), "transaction type not supported"),
    ] {
        let answer = call(node.address, "eth_sendRawTransaction", json!([raw])).await;
        assert_eq!(answer["error"]["code"], -32000, "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(text), "{answer}");
    }
}
