//! Waiting for blocks, and holding two nodes against each other.

use std::time::{Duration, Instant};

use alloy_primitives::{B256, U64};
use eyre::{ContextCompat, bail, ensure};
use serde::Deserialize;
use serde_json::json;

use crate::rpc::RpcClient;

const POLL: Duration = Duration::from_millis(100);
/// Blocks asked for in one request.
const BATCH: u64 = 200;

/// What makes a block the one that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlockName {
    /// Number.
    pub number: U64,
    /// Hash.
    pub hash: B256,
}

/// The block of a tag or number.
///
/// # Errors
/// When the node does not answer or has no such block.
pub async fn block(rpc: &RpcClient, tag: &str) -> eyre::Result<BlockName> {
    let block: Option<BlockName> = rpc.call("eth_getBlockByNumber", json!([tag, false])).await?;
    block.wrap_err_with(|| format!("{} has no {tag} block", rpc.endpoint()))
}

/// Waits until the head of `tag` is at `number` or above; `moved` is told where it is.
///
/// # Errors
/// When the head does not move for `patience`.
pub async fn wait_for(
    rpc: &RpcClient,
    tag: &str,
    number: u64,
    patience: Duration,
    mut moved: impl FnMut(u64),
) -> eyre::Result<()> {
    let (mut last, mut since) = (None, Instant::now());
    loop {
        let head = match block(rpc, tag).await {
            Ok(head) => Some(head.number.to::<u64>()),
            // A node that is being started again answers later.
            Err(_) => last,
        };
        if head.is_some_and(|head| head >= number) {
            return Ok(());
        }
        if head != last {
            (last, since) = (head, Instant::now());
            moved(head.unwrap_or_default());
        }
        if since.elapsed() > patience {
            let endpoint = rpc.endpoint();
            bail!("{tag} at {endpoint} stays at {last:?} for {patience:?}, below {number}");
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Compares every block up to `last`.
///
/// # Errors
/// Names the first block that differs.
pub async fn compare(one: &RpcClient, other: &RpcClient, last: u64) -> eyre::Result<()> {
    let mut first = 0;
    while first <= last {
        let end = last.min(first.saturating_add(BATCH - 1));
        let numbers: Vec<_> =
            (first..=end).map(|number| json!([format!("{number:#x}"), false])).collect();
        let blocks: Vec<BlockName> = one.batch("eth_getBlockByNumber", &numbers).await?;
        let others: Vec<BlockName> = other.batch("eth_getBlockByNumber", &numbers).await?;
        for (block, beside) in blocks.iter().zip(&others) {
            ensure!(
                block == beside,
                "block {} is {} at {} and {} at {}",
                block.number,
                block.hash,
                one.endpoint(),
                beside.hash,
                other.endpoint()
            );
        }
        first = end.saturating_add(1);
    }
    Ok(())
}
