//! Parts of the chain fail, and strangers meddle.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use alloy::network::TransactionBuilder;
use alloy::providers::Provider;
use alloy::rpc::types::TransactionRequest;
use cairn_e2e::devnet::{DevnetOptions, block};
use cairn_e2e::rpc::RpcClient;
use cairn_e2e::scenario::{Carrier, Chain, address_of};
use eyre::{ContextCompat, ensure};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(120);
const DEPOSIT: u64 = 1_000_000;

async fn next_carrier(chain: &Chain, carrier: Carrier) -> eyre::Result<u64> {
    let deadline = Instant::now() + PATIENCE;
    let first = chain.batches(0).await?.len() as u64;
    loop {
        let batches = chain.batches(first).await?;
        if let Some(batch) = batches.iter().find(|batch| batch.carrier == carrier) {
            return Ok(batch.index);
        }
        ensure!(Instant::now() < deadline, "no {carrier:?} in {batches:?}");
        chain.transfers(1).await?;
        chain.wait_l1_blocks(1).await?;
    }
}

#[tokio::test]
async fn batches_go_to_blobs_while_too_few_da_nodes_live_and_come_back() -> eyre::Result<()> {
    let mut chain = Chain::start(DevnetOptions::default()).await?;
    let before = next_carrier(&chain, Carrier::Certificate).await?;
    for node in ["da-2", "da-3"] {
        chain.devnet.kill9(node)?;
    }
    let during = next_carrier(&chain, Carrier::Blobs).await?;
    let last = chain.transfers(5).await?;
    chain.wait_safe(last).await?;
    for node in ["da-2", "da-3"] {
        chain.devnet.restart(node).await?;
    }
    let after = next_carrier(&chain, Carrier::Certificate).await?;
    ensure!(before < during && during < after, "{before}, {during}, {after}");
    chain.agree().await
}

#[tokio::test]
async fn an_operator_chooses_the_carrier_flushes_stops_and_starts_the_batcher() -> eyre::Result<()>
{
    let mut chain = Chain::start(DevnetOptions::default()).await?;
    // Longer than anybody waits here.
    chain.devnet.set_option("sequencer", "--batcher.channel-seconds", "3600")?;
    chain.devnet.restart("sequencer").await?;
    let admin = RpcClient::new(&chain.devnet.sequencer_admin())?;
    for (name, carrier) in
        [("calldata", Carrier::Calldata), ("blobs", Carrier::Blobs), ("auto", Carrier::Certificate)]
    {
        let _: Value = admin.call("admin_setBatcherCarrier", json!([name])).await?;
        let first = chain.batches(0).await?.len() as u64;
        let last = chain.transfers(2).await?;
        flush(&chain, &admin, last).await?;
        let batches = chain.batches(first).await?;
        let chosen = batches.last().is_some_and(|batch| batch.carrier == carrier);
        ensure!(chosen, "{batches:?} after {name} was chosen");
    }
    let _: Value = admin.call("admin_stopBatcher", json!([])).await?;
    // What it has sent before is included.
    chain.wait_l1_blocks(2).await?;
    let first = chain.batches(0).await?.len() as u64;
    let last = chain.transfers(2).await?;
    let _: Value = admin.call("admin_flushBatcher", json!([])).await?;
    chain.wait_l1_blocks(4).await?;
    ensure!(chain.batches(first).await?.is_empty(), "a stopped batcher sends nothing");
    let _: Value = admin.call("admin_startBatcher", json!([])).await?;
    flush(&chain, &admin, last).await?;
    chain.devnet.set_option("sequencer", "--batcher.channel-seconds", "4")?;
    chain.devnet.restart("sequencer").await?;
    chain.agree().await
}

/// Tells the batcher to send what it has until a block is safe: it may only just have got it.
async fn flush(chain: &Chain, admin: &RpcClient, last: u64) -> eyre::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while block(&chain.sequencer()?, "safe").await?.number.to::<u64>() < last {
        let _: Value = admin.call("admin_flushBatcher", json!([])).await?;
        chain.wait_l1_blocks(1).await?;
        ensure!(Instant::now() < deadline, "block {last} is not flushed");
    }
    Ok(())
}

#[tokio::test]
async fn sequencer_and_verifier_are_killed_at_any_moment() -> eyre::Result<()> {
    let mut chain = Chain::start(DevnetOptions::default()).await?;
    for round in 0..3 {
        let to = address_of("deposit", round);
        chain.deposit(to, DEPOSIT).await?;
        let shown = chain.transfers(10).await?;
        chain.devnet.kill9("sequencer")?;
        chain.devnet.kill9("verifier")?;
        chain.devnet.restart("sequencer").await?;
        chain.devnet.restart("verifier").await?;
        ensure!(chain.sequencer()?.block_number().await? >= shown, "block {shown} is lost");
        chain.wait_feed().await?;
        chain.wait_balance(to, DEPOSIT).await?;
    }
    chain.agree().await
}

#[tokio::test]
async fn a_chain_goes_on_with_deposits_while_its_sequencer_is_dead() -> eyre::Result<()> {
    let options = DevnetOptions {
        // More than the batcher keeps free of a window.
        deploy: vec!["l2.seq_window_size = 16".to_owned()],
        l1_block_time: NonZeroU64::new(1),
        ..DevnetOptions::default()
    };
    let mut chain = Chain::start(options).await?;
    let last = chain.transfers(5).await?;
    chain.wait_safe(last).await?;
    chain.devnet.kill9("sequencer")?;
    let to = address_of("forced", 0);
    chain.deposit(to, DEPOSIT).await?;
    chain.wait_l1_blocks(20).await?;
    // The verifier makes the blocks that the sequencer did not.
    let deadline = Instant::now() + PATIENCE;
    let verifier = chain.verifier()?;
    while verifier.balances(&[to]).await? != [alloy_primitives::U256::from(DEPOSIT)] {
        ensure!(Instant::now() < deadline, "the deposit is not forced");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    chain.devnet.restart("sequencer").await?;
    chain.agree().await
}

#[tokio::test]
async fn what_a_stranger_sends_to_the_inbox_is_no_batch() -> eyre::Result<()> {
    let chain = Chain::start(DevnetOptions::default()).await?;
    let stranger = chain.l1_as(3)?;
    let inbox = chain.contract("BatchInbox")?;
    for data in [vec![0; 200], [&[1, 1][..], &[7; 300]].concat(), vec![0x78; 64], Vec::new()] {
        // With a gas limit, because the estimate would fail.
        let request =
            TransactionRequest::default().with_to(inbox).with_input(data).with_gas_limit(1_000_000);
        let receipt = stranger.send_transaction(request).await?.get_receipt().await?;
        ensure!(!receipt.status(), "the inbox takes a batch of a stranger");
        ensure!(receipt.block_number.wrap_err("mined")? > 0);
    }
    chain.agree().await
}
