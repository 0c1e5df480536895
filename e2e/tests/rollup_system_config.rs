//! The owner of the rollup changes its configuration while the chain runs.

use std::num::NonZeroU64;
use std::path::Path;
use std::time::{Duration, Instant};

use alloy_primitives::{Address, U64};
use cairn_e2e::devnet::{DevnetOptions, block};
use cairn_e2e::rpc::RpcClient;
use cairn_e2e::scenario::{BatchInbox, Chain, GasPriceOracle};
use cairn_rollup::L2BlockRef;
use eyre::{ContextCompat, ensure};
use serde::Deserialize;
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(100);
const SEQUENCER: &str = "sequencer";
/// L2 blocks looked at around a change.
const AROUND: u64 = 40;
/// L1 blocks in which nothing may happen: a batch is due in every fourth.
const QUIET_BLOCKS: u64 = 9;
/// L1 blocks for which the batcher remembers what it has sent: beyond the change of its key.
const CONFIRMATIONS: &str = "24";
const GAS_LIMIT: u64 = 90_000_000;
const SCALARS: (u32, u32) = (4_321, 765_432);

fn options() -> DevnetOptions {
    DevnetOptions { l1_block_time: NonZeroU64::new(1), ..DevnetOptions::default() }
}

/// What is read of a block.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Header {
    gas_limit: U64,
}

/// What is read of an output.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Output {
    block_ref: L2BlockRef,
}

/// L1 origin and gas limit of a block.
async fn origin_and_limit(node: &RpcClient, number: u64) -> eyre::Result<(u64, u64)> {
    let number = U64::from(number);
    let header: Option<Header> = node.call("eth_getBlockByNumber", json!([number, false])).await?;
    let output: Output = node.call("optimism_outputAtBlock", json!([number])).await?;
    let limit = header.wrap_err("no such block")?.gas_limit.to();
    Ok((output.block_ref.l1_origin.number, limit))
}

/// Waits until the sequencer builds on an L1 block; gives its unsafe head then.
async fn wait_origin(chain: &Chain, l1_block: u64) -> eyre::Result<u64> {
    let (sequencer, deadline) = (chain.sequencer()?, Instant::now() + PATIENCE);
    loop {
        let head = chain.sync_status(&sequencer).await?.unsafe_l2;
        if head.l1_origin.number >= l1_block {
            return Ok(head.number);
        }
        ensure!(Instant::now() < deadline, "{head:?} is not built on L1 block {l1_block}");
        tokio::time::sleep(POLL).await;
    }
}

async fn safe_numbers(chain: &Chain) -> eyre::Result<[u64; 2]> {
    let mut numbers = [0; 2];
    for (number, node) in numbers.iter_mut().zip([chain.sequencer()?, chain.verifier()?]) {
        *number = block(&node, "safe").await?.number.to();
    }
    Ok(numbers)
}

/// Waits until the inbox has taken more than `count` batches.
async fn wait_batches(chain: &Chain, count: u64) -> eyre::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    while chain.batches(count).await?.is_empty() {
        ensure!(Instant::now() < deadline, "no batch after the first {count}");
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}

/// Starts the sequencer again with another value of an option.
async fn restart_with(chain: &mut Chain, option: &str, value: &Path) -> eyre::Result<()> {
    let value = value.to_str().wrap_err("a path that is no text")?;
    chain.devnet.set_option(SEQUENCER, option, value)?;
    chain.devnet.restart(SEQUENCER).await
}

async fn batch_count(chain: &Chain) -> eyre::Result<u64> {
    Ok(chain.batches(0).await?.len() as u64)
}

#[tokio::test]
async fn gas_limit_fees_and_signer_change_with_the_origin_that_says_so() -> eyre::Result<()> {
    let mut chain = Chain::start(options()).await?;
    let config = chain.system_config()?;
    let before = config.gasLimit().call().await?;
    ensure!(before != GAS_LIMIT, "it is the gas limit from the start");
    let changed = chain.done(config.setGasLimit(GAS_LIMIT)).await?;
    let head = wait_origin(&chain, changed + 2).await?;
    let last = chain.transfers(1).await?;
    chain.wait_safe(last).await?;
    for node in [chain.sequencer()?, chain.verifier()?] {
        let mut seen = [false; 2];
        for number in head.saturating_sub(AROUND)..=head {
            let (origin, limit) = origin_and_limit(&node, number).await?;
            let after = origin >= changed;
            let expected = if after { GAS_LIMIT } else { before };
            ensure!(limit == expected, "block {number} on {origin} has {limit}, not {expected}");
            seen[usize::from(after)] = true;
        }
        ensure!(seen == [true; 2], "no block before or after L1 block {changed}: {seen:?}");
    }

    let (base, blob) = SCALARS;
    let changed = chain.done(config.setGasConfigEcotone(base, blob)).await?;
    wait_origin(&chain, changed).await?;
    let oracle = chain.devnet.manifest().contracts.l2.get("GasPriceOracle").copied();
    let oracle = GasPriceOracle::new(oracle.wrap_err("no GasPriceOracle")?, chain.l2_as(0)?);
    let scalars = (oracle.baseFeeScalar().call().await?, oracle.blobBaseFeeScalar().call().await?);
    ensure!(scalars == SCALARS, "{scalars:?}");

    // The verifier hears of unsafe blocks from whom L1 names, and from nobody else.
    chain.wait_feed().await?;
    let refused = chain.metric("verifier", "cairn_feed_refused_total").await?;
    let (signer, key) = (chain.user(6)?.address(), chain.user_key_file(6)?);
    chain.done(config.setUnsafeBlockSigner(signer)).await?;
    chain.wait_metric("verifier", "cairn_feed_refused_total", refused).await?;
    restart_with(&mut chain, "--feed.key-file", &key).await?;
    chain.wait_feed().await?;
    chain.agree().await
}

#[tokio::test]
async fn only_the_batcher_that_l1_names_moves_the_safe_head() -> eyre::Result<()> {
    let mut chain = Chain::start(options()).await?;
    restart_with(&mut chain, "--batcher.confirmations", CONFIRMATIONS.as_ref()).await?;
    let last = chain.transfers(3).await?;
    chain.wait_safe(last).await?;
    let (batcher, key) = (chain.user(5)?.address(), chain.user_key_file(5)?);
    let config = chain.system_config()?;
    let named = chain.done(config.setBatcherHash(batcher.into_word())).await?;
    chain.wait_derived(named).await?;
    let safe = safe_numbers(&chain).await?;
    ensure!(safe[0] == safe[1], "{safe:?}");

    // The inbox has not read the change, and derivation has.
    for _ in 0..2 {
        let count = batch_count(&chain).await?;
        chain.transfers(1).await?;
        wait_batches(&chain, count).await?;
    }
    chain.wait_derived(chain.l1()?.block_number().await?).await?;
    ensure!(safe_numbers(&chain).await? == safe, "a batch of the old batcher counts");

    // Now it has, and takes nothing of the old one.
    let inbox = BatchInbox::new(chain.contract("BatchInbox")?, chain.l1_as(3)?);
    chain.done(inbox.readBatcher()).await?;
    let count = batch_count(&chain).await?;
    chain.transfers(1).await?;
    chain.wait_l1_blocks(QUIET_BLOCKS).await?;
    chain.wait_derived(chain.l1()?.block_number().await?).await?;
    ensure!(batch_count(&chain).await? == count, "the inbox takes batches of the old batcher");
    ensure!(safe_numbers(&chain).await? == safe, "the safe head moves without batches");

    restart_with(&mut chain, "--batcher.key-file", &key).await?;
    let last = chain.transfers(2).await?;
    chain.wait_safe(last).await?;
    ensure!(batch_count(&chain).await? > count, "no batch of the new batcher");

    // And back again: each account goes on where it was.
    let old: Address = chain.key("batcher")?.address();
    chain.done(config.setBatcherHash(old.into_word())).await?;
    let key = chain.devnet.dir().key("batcher");
    restart_with(&mut chain, "--batcher.key-file", &key).await?;
    let last = chain.transfers(2).await?;
    chain.wait_safe(last).await?;
    chain.agree().await
}
