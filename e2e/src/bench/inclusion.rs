//! Follows what the chain includes while the clock runs. Only block numbers and
//! transaction counts are asked for, so that watching costs the node nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use alloy_primitives::{B256, U64};
use eyre::bail;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::rpc::RpcClient;

/// Between two questions for the block number: 20 times a second.
const POLL: Duration = Duration::from_millis(50);
/// Between two questions while waiting for a block to start right behind it.
const ALIGN_POLL: Duration = Duration::from_millis(5);
/// A node that seals only on demand makes no block to align with.
const ALIGN_LIMIT: Duration = Duration::from_secs(5);
/// Receipts asked for in one batch.
const RECEIPT_BATCH: usize = 500;

/// A block as the generator saw it.
#[derive(Clone, Copy, Debug)]
pub(super) struct SeenBlock {
    pub(super) number: u64,
    pub(super) at: Instant,
}

#[derive(Deserialize)]
struct Outcome {
    status: U64,
}

/// Waits for the next block and returns its number.
pub(super) async fn next_block(rpc: &RpcClient) -> eyre::Result<u64> {
    let first = rpc.block_number().await?;
    let deadline = Instant::now() + ALIGN_LIMIT;
    loop {
        let number = rpc.block_number().await?;
        if number > first || Instant::now() >= deadline {
            return Ok(number);
        }
        tokio::time::sleep(ALIGN_POLL).await;
    }
}

/// Follows the chain behind block `after` until it has `target` transactions
/// besides `system` ones in each block. The target may fall while waiting, when
/// transactions are refused.
pub(super) async fn watch(
    rpc: &RpcClient,
    after: u64,
    system: u64,
    target: &AtomicU64,
    stall: Duration,
) -> eyre::Result<Vec<SeenBlock>> {
    let mut seen = Vec::new();
    let mut known = after;
    let mut included = 0u64;
    let mut progress = Instant::now();
    while included < target.load(Ordering::Relaxed) {
        let head = rpc.block_number().await?;
        let at = Instant::now();
        for number in known + 1..=head {
            let params = json!([U64::from(number)]);
            let count: U64 = rpc.call("eth_getBlockTransactionCountByNumber", params).await?;
            let ours = count.to::<u64>().saturating_sub(system);
            if ours > 0 {
                progress = Instant::now();
            }
            included += ours;
            seen.push(SeenBlock { number, at });
        }
        known = known.max(head);
        if progress.elapsed() > stall {
            // The receipts decide what is missing.
            return Ok(seen);
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(seen)
}

/// Waits until all of `hashes` have a receipt of success. For set-up, before the
/// clock starts.
pub(super) async fn wait_success(
    rpc: &RpcClient,
    hashes: &[B256],
    limit: Duration,
) -> eyre::Result<()> {
    let deadline = Instant::now() + limit;
    let mut open: BTreeMap<usize, B256> = hashes.iter().copied().enumerate().collect();
    while !open.is_empty() {
        let asked: Vec<(usize, B256)> =
            open.iter().take(RECEIPT_BATCH).map(|(place, hash)| (*place, *hash)).collect();
        let params: Vec<Value> = asked.iter().map(|(_, hash)| json!([hash])).collect();
        let found: Vec<Option<Outcome>> = rpc.batch("eth_getTransactionReceipt", &params).await?;
        for ((place, hash), receipt) in asked.into_iter().zip(found) {
            match receipt {
                Some(receipt) if receipt.status == U64::ONE => drop(open.remove(&place)),
                Some(_) => bail!("set-up transaction {hash} failed"),
                None => {}
            }
        }
        if Instant::now() >= deadline {
            bail!("{} set-up transactions not included after {limit:?}", open.len());
        }
        tokio::time::sleep(POLL).await;
    }
    Ok(())
}
