//! `kill -9` of a real node under load: nothing that it acknowledged is lost.
//!
//! `CAIRN_KILLS` sets how often the node is killed (10 by default), `CAIRN_SEED` repeats the times
//! of a run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use alloy::network::TxSignerSync;
use alloy::signers::local::PrivateKeySigner;
use alloy_consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy_eips::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use cairn_e2e::process::{Sequencer, SequencerOptions};
use cairn_e2e::rpc::RpcClient;
use cairn_genesis::{DevAccount, dev_accounts};
use eyre::{WrapErr, ensure};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

const SENDERS: u32 = 8;
const CHAIN_ID: u64 = 901;

/// A receipt as the node gave it before it was killed.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Acknowledged {
    hash: B256,
    block: String,
    index: String,
    status: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn acknowledged_transactions_survive_kill_nine_under_load() -> eyre::Result<()> {
    let kills: u32 = std::env::var("CAIRN_KILLS").map_or(Ok(10), |text| text.parse())?;
    let seed: u64 = match std::env::var("CAIRN_SEED") {
        Ok(text) => text.parse()?,
        Err(_) => rand::random(),
    };
    println!("CAIRN_SEED={seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let datadir = tempfile::tempdir()?;
    let options = SequencerOptions {
        datadir: Some(datadir.path().to_path_buf()),
        block_time: Some(Duration::from_millis(1000)),
        ..SequencerOptions::default()
    };
    let mut node = Sequencer::start(options).await?;
    let mut total = 0;
    for kill in 0..kills {
        let life = Duration::from_millis(random.random_range(50..2_500));
        let acknowledged = load_until_killed(&mut node, life).await?;
        total += acknowledged.len();
        let verified = node.run_command(&["db", "verify"]).await?;
        ensure!(
            verified.status.success(),
            "kill {kill} (seed {seed}): db verify: {}",
            String::from_utf8_lossy(&verified.stderr)
        );
        node.restart().await.wrap_err_with(|| format!("kill {kill} (seed {seed})"))?;
        for receipt in &acknowledged {
            check(node.rpc(), receipt).await.wrap_err_with(|| {
                format!("kill {kill} after {life:?} (seed {seed}), of {}", acknowledged.len())
            })?;
        }
        println!("kill {kill} after {life:?}: {} receipts survived", acknowledged.len());
    }
    ensure!(total > 0, "no transaction was acknowledged: the test showed nothing");
    println!("{kills} kills, {total} acknowledged transactions, none lost");
    Ok(())
}

/// Sends transactions from all accounts, each as soon as the one before is acknowledged, and kills
/// the node after `life`.
async fn load_until_killed(
    node: &mut Sequencer,
    life: Duration,
) -> eyre::Result<Vec<Acknowledged>> {
    let stop = Arc::new(AtomicBool::new(false));
    let accounts = dev_accounts(SENDERS)?;
    let addresses: Vec<Address> = accounts.iter().map(|account| account.address).collect();
    let nonces = node.rpc().pending_nonces(&addresses).await?;
    let senders: Vec<_> = accounts
        .into_iter()
        .zip(nonces)
        .map(|(account, nonce)| {
            let (url, stop) = (node.rpc_url(), stop.clone());
            tokio::spawn(send_until_stopped(url, account, nonce, stop))
        })
        .collect();
    tokio::time::sleep(life).await;
    node.kill9()?;
    stop.store(true, Ordering::SeqCst);
    let mut acknowledged = Vec::new();
    for sender in senders {
        acknowledged.extend(sender.await??);
    }
    Ok(acknowledged)
}

async fn send_until_stopped(
    url: String,
    account: DevAccount,
    mut nonce: u64,
    stop: Arc<AtomicBool>,
) -> eyre::Result<Vec<Acknowledged>> {
    let rpc = RpcClient::new(&url)?;
    let signer = PrivateKeySigner::from_bytes(&account.private_key)?;
    let mut acknowledged = Vec::new();
    while !stop.load(Ordering::SeqCst) {
        let raw = transfer(&signer, nonce)?;
        let sent: Result<Value, _> = rpc.call("eth_sendRawTransactionSync", json!([raw])).await;
        let Ok(receipt) = sent else {
            // Killed in the middle: this one was not acknowledged.
            break;
        };
        acknowledged.push(parse(&receipt)?);
        nonce += 1;
    }
    Ok(acknowledged)
}

fn transfer(signer: &PrivateKeySigner, nonce: u64) -> eyre::Result<Bytes> {
    let mut tx = TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 1_000_000_000,
        max_priority_fee_per_gas: 1_000,
        to: TxKind::Call(Address::repeat_byte(0x11)),
        value: U256::from(1),
        ..TxEip1559::default()
    };
    let signature = signer.sign_transaction_sync(&mut tx)?;
    Ok(TxEnvelope::from(tx.into_signed(signature)).encoded_2718().into())
}

fn parse(receipt: &Value) -> eyre::Result<Acknowledged> {
    let text = |field: &str| -> eyre::Result<String> {
        let value = receipt[field].as_str();
        Ok(value.ok_or_else(|| eyre::eyre!("no {field} in {receipt}"))?.to_owned())
    };
    Ok(Acknowledged {
        hash: text("transactionHash")?.parse()?,
        block: text("blockNumber")?,
        index: text("transactionIndex")?,
        status: text("status")?,
    })
}

/// The receipt must be the one that was acknowledged; its block may still be open.
async fn check(rpc: &RpcClient, acknowledged: &Acknowledged) -> eyre::Result<()> {
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let receipt: Value =
            rpc.call("eth_getTransactionReceipt", json!([acknowledged.hash])).await?;
        if !receipt.is_null() {
            let got = parse(&receipt)?;
            ensure!(got == *acknowledged, "acknowledged {acknowledged:?}, now {got:?}");
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "{acknowledged:?} is lost");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
