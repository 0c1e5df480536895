//! Faults of L1.

use std::time::Duration;

use alloy_primitives::U64;
use eyre::ensure;
use serde_json::{Value, json};

use super::Chain;
use crate::devnet::{block, wait_for};

/// Time for L1 to mine the next block.
const L1_PATIENCE: Duration = Duration::from_secs(60);

impl Chain {
    /// Replaces the newest `depth` blocks of L1 by empty ones and adds one, so that the new chain is
    /// the longer one. What was in them is gone, and so is what waited to be mined.
    ///
    /// Not by `anvil_reorg`: its new blocks all have the time of the block below them.
    ///
    /// # Errors
    /// When L1 does not answer or keeps its blocks.
    pub async fn reorganise_l1(&self, depth: u64) -> eyre::Result<()> {
        let l1 = self.l1()?;
        let head = block(&l1, "latest").await?;
        ensure!(head.number.to::<u64>() > depth, "L1 has only {} blocks", head.number);
        let _: Value = l1.call("anvil_rollback", json!([depth])).await?;
        self.mine_l1(depth.saturating_add(1), self.devnet.l1_block_time()).await?;
        let now = block(&l1, &format!("{:#x}", head.number)).await?;
        ensure!(now.hash != head.hash, "block {} of L1 was not replaced", head.number);
        Ok(())
    }

    /// Waits until L1 has so many blocks more.
    ///
    /// # Errors
    /// When it does not.
    pub async fn wait_l1_blocks(&self, more: u64) -> eyre::Result<()> {
        let l1 = self.l1()?;
        let head = l1.block_number().await?;
        wait_for(&l1, "latest", head.saturating_add(more), L1_PATIENCE, |_| ()).await
    }

    /// Mines blocks at once, with the time that so many blocks take.
    ///
    /// # Errors
    /// When L1 does not answer.
    pub async fn mine_l1(&self, blocks: u64, seconds_each: u64) -> eyre::Result<()> {
        let params = json!([U64::from(blocks), U64::from(seconds_each)]);
        let _: Value = self.l1()?.call("anvil_mine", params).await?;
        Ok(())
    }
}
