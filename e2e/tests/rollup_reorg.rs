//! L1 is reorganised under deposits and batches.

use std::num::NonZeroU64;

use cairn_e2e::devnet::DevnetOptions;
use cairn_e2e::scenario::{Chain, address_of};
use eyre::ensure;

/// More blocks than are reorganised are not final yet.
const SLOTS_IN_AN_EPOCH: u64 = 64;
const DEPOSIT: u64 = 1_000_000;

async fn start() -> eyre::Result<Chain> {
    let options = DevnetOptions {
        l1_block_time: NonZeroU64::new(1),
        l1_slots_in_an_epoch: NonZeroU64::new(SLOTS_IN_AN_EPOCH),
        ..DevnetOptions::default()
    };
    Chain::start(options).await
}

/// A deposit arrives and batches land; then the L1 blocks of the deposit and what came after go.
async fn reorganise(chain: &Chain, depth: u64) -> eyre::Result<()> {
    let (lost, kept) = (address_of("lost", depth), address_of("kept", depth));
    let deposit = chain.deposit(lost, DEPOSIT).await?;
    chain.wait_balance(lost, DEPOSIT).await?;
    let last = chain.transfers(20).await?;
    chain.wait_safe(last).await?;
    let l1 = chain.l1()?;
    let head = l1.block_number().await?;
    // Depth is at least what was asked for, and reaches below the deposit.
    let below = head.saturating_sub(deposit).saturating_add(1);
    if below < depth {
        chain.wait_l1_blocks(depth - below).await?;
    }
    let head = l1.block_number().await?;
    let depth = depth.max(head.saturating_sub(deposit).saturating_add(1));
    chain.reorganise_l1(depth).await?;
    chain.wait_balance(lost, 0).await?;
    chain.deposit(kept, DEPOSIT).await?;
    chain.wait_balance(kept, DEPOSIT).await?;
    let last = chain.transfers(5).await?;
    chain.wait_safe(last).await
}

#[tokio::test]
async fn a_replaced_l1_head_is_followed() -> eyre::Result<()> {
    let chain = start().await?;
    for round in 0..3 {
        chain.transfers(5).await?;
        // In the block that goes, mostly.
        chain.deposit(address_of("replaced", round), DEPOSIT).await?;
        chain.reorganise_l1(1).await?;
    }
    chain.agree().await
}

#[tokio::test]
async fn five_l1_blocks_with_a_deposit_and_batches_are_replaced() -> eyre::Result<()> {
    let chain = start().await?;
    reorganise(&chain, 5).await?;
    chain.agree().await
}

#[tokio::test]
async fn sixty_l1_blocks_with_a_deposit_and_batches_are_replaced() -> eyre::Result<()> {
    let chain = start().await?;
    reorganise(&chain, 60).await?;
    let head = chain.l1()?.block_number().await?;
    ensure!(head > 60);
    chain.agree().await
}
