//! A full disk under a real node: it accepts nothing new, serves reads, and goes on when space
//! returns, without losing what it acknowledged.

use std::time::{Duration, Instant};

use alloy::network::TxSignerSync;
use alloy::signers::local::PrivateKeySigner;
use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, hex};
use cairn_e2e::process::{Sequencer, SequencerOptions};
use cairn_genesis::dev_accounts;
use cairn_test_setup::SmallDisk;
use eyre::{WrapErr, ensure};
use serde_json::{Value, json};

const LIMIT: Duration = Duration::from_secs(60);

/// A transaction of 100 KB, so that few of them use up what a file system keeps back.
fn bulky(nonce: u64) -> eyre::Result<Bytes> {
    let signer = PrivateKeySigner::from_bytes(&dev_accounts(1)?[0].private_key)?;
    let mut tx = TxEip1559 {
        chain_id: 901,
        nonce,
        gas_limit: 6_000_000,
        max_fee_per_gas: 1_000_000_000,
        max_priority_fee_per_gas: 1_000,
        to: TxKind::Call(Address::repeat_byte(0x22)),
        value: U256::from(1),
        input: vec![0xab; 100_000].into(),
        ..TxEip1559::default()
    };
    let signature = signer.sign_transaction_sync(&mut tx)?;
    Ok(TxEnvelope::from(tx.into_signed(signature)).encoded_2718().into())
}

async fn send(node: &Sequencer, nonce: u64) -> eyre::Result<Result<Value, String>> {
    let raw = bulky(nonce)?;
    let params = json!([raw, 2_000]);
    let sent: Result<Value, _> = node.rpc().call("eth_sendRawTransactionSync", params).await;
    Ok(sent.map_err(|error| error.to_string()))
}

async fn receipt(node: &Sequencer, hash: &Value) -> eyre::Result<Value> {
    Ok(node.rpc().call("eth_getTransactionReceipt", json!([hash])).await?)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_stops_acceptance_not_service_and_nothing_is_lost() -> eyre::Result<()> {
    let folder = tempfile::tempdir()?;
    let Some(disk) = SmallDisk::mount(folder.path(), 160) else { return Ok(()) };
    let options =
        SequencerOptions { datadir: Some(folder.path().join("data")), ..Default::default() };
    let mut node = Sequencer::start(options).await?;
    let mut acknowledged = Vec::new();
    for nonce in 0..3 {
        let sent = send(&node, nonce).await?.map_err(|e| eyre::eyre!(e))?;
        acknowledged.push(sent["transactionHash"].clone());
    }
    let deadline = Instant::now() + LIMIT;
    while receipt(&node, &acknowledged[2]).await?.is_null() {
        ensure!(Instant::now() < deadline, "no block was sealed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    disk.fill();
    // RocksDB has preallocated some space; use it up.
    let deadline = Instant::now() + LIMIT;
    let refusal = loop {
        match send(&node, acknowledged.len() as u64).await? {
            Ok(sent) => acknowledged.push(sent["transactionHash"].clone()),
            Err(refusal) => break refusal,
        }
        ensure!(Instant::now() < deadline, "the node still accepts on a full disk");
    };
    println!("{} acknowledged, then: {refusal}", acknowledged.len());
    let balance: U256 = node
        .rpc()
        .call("eth_getBalance", json!([Address::repeat_byte(0x22), "latest"]))
        .await
        .wrap_err("reads go on")?;
    ensure!(!balance.is_zero(), "no block was sealed before the disk was full");

    disk.free();
    let deadline = Instant::now() + LIMIT;
    let next = acknowledged.len() as u64;
    // The refused transaction may have been pooled; its successor shows that work goes on.
    loop {
        let sent = send(&node, next).await?;
        let known = sent
            .as_ref()
            .is_err_and(|e| e.contains("already known") || e.contains("nonce too low"));
        if sent.is_ok() || known {
            break;
        }
        ensure!(Instant::now() < deadline, "no recovery: {sent:?}");
    }
    for hash in &acknowledged {
        let deadline = Instant::now() + LIMIT;
        while receipt(&node, hash).await?.is_null() {
            ensure!(Instant::now() < deadline, "{hash} is lost");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    node.kill9()?;
    let verified = node.run_command(&["db", "verify"]).await?;
    let stderr = String::from_utf8_lossy(&verified.stderr);
    ensure!(verified.status.success(), "db verify: {stderr}");
    node.restart().await?;
    for hash in &acknowledged {
        let hash: B256 = serde_json::from_value(hash.clone())?;
        let found: Value = node
            .rpc()
            .call("eth_getTransactionByHash", json!([hex::encode_prefixed(hash)]))
            .await?;
        ensure!(!found.is_null(), "{hash} is lost after the restart");
    }
    Ok(())
}
