//! The batcher is killed between sending a batch and hearing that it is confirmed.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use alloy::providers::Provider;
use cairn_e2e::devnet::DevnetOptions;
use cairn_e2e::scenario::batches::read_batches;
use cairn_e2e::scenario::{Act, Chain, Passing};
use cairn_rollup::RollupConfig;
use cairn_rollup::batch::Batch;
use cairn_rollup::frame::decode_frames;
use eyre::{bail, ensure};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(50);
const SEQUENCER: &str = "sequencer";

/// Waits until the batcher has so many transactions in the pool, or has had so many mined.
async fn wait_nonce(chain: &Chain, tag: &str, above: u64) -> eyre::Result<()> {
    let (l1, account) = (chain.l1_as(0)?, chain.key("batcher")?.address());
    let deadline = Instant::now() + PATIENCE;
    loop {
        let count = l1.get_transaction_count(account);
        let count = if tag == "pending" { count.pending().await? } else { count.await? };
        if count > above {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "the batcher's {tag} nonce stays at {count}");
        tokio::time::sleep(POLL).await;
    }
}

async fn nonce(chain: &Chain) -> eyre::Result<u64> {
    let (l1, account) = (chain.l1_as(0)?, chain.key("batcher")?.address());
    Ok(l1.get_transaction_count(account).await?)
}

/// L1 mines in such intervals; never with 0.
async fn mine_every(chain: &Chain, seconds: u64) -> eyre::Result<()> {
    let _: Value = chain.l1()?.call("evm_setIntervalMining", json!([seconds])).await?;
    Ok(())
}

/// A sender that asks what became of its transactions is not told.
fn hide_receipts(passing: &Passing) -> Act {
    let asked = passing.body.windows(25).any(|it| it == b"eth_getTransactionReceipt");
    if asked { Act::Stall } else { Act::Pass }
}

/// Every block from the first in calldata up to `last` is in exactly one batch that the inbox took.
async fn once_each(chain: &Chain, last: u64) -> eyre::Result<()> {
    let config: RollupConfig = chain.verifier()?.call("optimism_rollupConfig", json!([])).await?;
    let mut frames = Vec::new();
    for transaction in chain.inbox_calldata().await? {
        frames.extend(decode_frames(&transaction)?);
    }
    let mut next = None;
    for batch in read_batches(&config, &frames)? {
        let Batch::Span(span) = batch else { bail!("not a span batch: {batch:?}") };
        for block in &span.blocks {
            let (time, expected) = (block.timestamp, next.unwrap_or(block.timestamp));
            ensure!(time == expected, "a block of {time} instead of {expected}");
            next = Some(time + config.block_time);
        }
    }
    let end = config.genesis.l2_time + (last + 1) * config.block_time;
    ensure!(next >= Some(end), "batches end before {next:?}, and block {last} before {end}");
    Ok(())
}

#[tokio::test]
async fn a_batcher_killed_before_its_confirmation_sends_nothing_twice() -> eyre::Result<()> {
    let options = DevnetOptions { l1_block_time: NonZeroU64::new(1), ..DevnetOptions::default() };
    let mut chain = Chain::start(options).await?;
    // Frames in calldata can be counted without the DA network.
    chain.devnet.set_option(SEQUENCER, "--batcher.carrier", "calldata")?;
    // What was mined before is not asked for any more when receipts are hidden.
    chain.devnet.set_option(SEQUENCER, "--batcher.confirmations", "1")?;
    let proxy = chain.interpose_l1(SEQUENCER).await?;
    let last = chain.transfers(3).await?;
    chain.wait_safe(last).await?;
    for round in 0..2 {
        // In the pool, and mined after the kill.
        mine_every(&chain, 0).await?;
        let used = nonce(&chain).await?;
        chain.transfers(2).await?;
        wait_nonce(&chain, "pending", used).await?;
        chain.devnet.kill9(SEQUENCER)?;
        ensure!(nonce(&chain).await? == used, "round {round}: mined before the kill");
        if round == 0 {
            // Mined while nobody looks; in the other round the next run finds it in the pool.
            chain.mine_l1(1, 1).await?;
            ensure!(nonce(&chain).await? > used, "not mined");
        }
        mine_every(&chain, 1).await?;
        chain.devnet.restart(SEQUENCER).await?;
        let last = chain.transfers(2).await?;
        chain.wait_safe(last).await?;

        // Mined before the kill, and the batcher did not hear of it.
        proxy.set(hide_receipts);
        let used = nonce(&chain).await?;
        chain.transfers(2).await?;
        wait_nonce(&chain, "latest", used).await?;
        proxy.wait_faults(1).await;
        chain.devnet.kill9(SEQUENCER)?;
        proxy.pass();
        chain.devnet.restart(SEQUENCER).await?;
        let last = chain.transfers(2).await?;
        chain.wait_safe(last).await?;
    }
    let last = chain.transfers(2).await?;
    chain.wait_safe(last).await?;
    once_each(&chain, last).await?;
    chain.agree().await
}
