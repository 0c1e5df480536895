//! DA nodes that lie.

use std::time::{Duration, Instant};

use cairn_e2e::devnet::DevnetOptions;
use cairn_e2e::scenario::{Carrier, Chain, wrong_rows};
use eyre::ensure;

/// Of four nodes. One honest node has every row of a small batch.
const LIARS: usize = 3;
/// Batches on the DA network that are read in spite of them.
const BATCHES: usize = 4;
const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until so many batches from `first` on have certificates.
async fn certified(chain: &Chain, first: u64, count: usize) -> eyre::Result<()> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let batches = chain.batches(first).await?;
        let certified = batches.iter().filter(|batch| batch.carrier == Carrier::Certificate);
        if certified.count() >= count {
            return Ok(());
        }
        ensure!(Instant::now() < deadline, "too few certificates: {batches:?}");
        chain.transfers(1).await?;
        chain.wait_l1_blocks(1).await?;
    }
}

#[tokio::test]
async fn wrong_rows_and_commitments_change_nothing() -> eyre::Result<()> {
    let mut chain = Chain::start(DevnetOptions::default()).await?;
    let mut liars = Vec::new();
    for number in 0..LIARS {
        liars.push(chain.interpose_da(number).await?);
    }
    for liar in &liars {
        liar.set(wrong_rows);
    }
    let first = chain.batches(0).await?.len() as u64;
    certified(&chain, first, BATCHES).await?;
    let last = chain.transfers(5).await?;
    chain.wait_safe(last).await?;
    // All of it is read again by the verifier that begins with nothing.
    let before: Vec<_> = liars.iter().map(|liar| liar.faults()).collect();
    chain.agree().await?;
    for (liar, before) in liars.iter().zip(before) {
        let wrong = liar.faults();
        ensure!(
            wrong > before,
            "{} was not asked: {before} wrong answers, {wrong} after",
            liar.url()
        );
    }
    Ok(())
}
