//! Removing what the options do not keep.
//!
//! Each call removes a bounded number of blocks in one batch that also raises the floor. The floor
//! is raised in memory before the batch and lowered again if it fails, so no reader takes a value
//! from half-removed history. The batch is synced: what it removes cannot come back half.

use std::sync::atomic::{AtomicU64, Ordering};

use alloy_eips::Encodable2718;

use super::history::Reversal;
use super::unwind::delete_history;
use super::{Store, intervals};
use crate::error::Result;
use crate::schema::{Batch, Column, keys, meta};

/// What a call of [`Store::prune`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PruneProgress {
    /// Blocks whose history or data this call removed.
    pub removed: u64,
    /// Blocks that are left to remove; call again.
    pub remaining: u64,
}

/// What must stay, whatever [`Options`](crate::Options) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PruneBound {
    /// First block whose state stays: the lowest that [`Store::unwind_to`] may be asked for.
    pub state: u64,
    /// First block whose data stays.
    pub blocks: u64,
}

impl PruneBound {
    /// The options alone decide.
    pub const NONE: Self = Self { state: u64::MAX, blocks: u64::MAX };
}

impl Store {
    /// Removes history and block data that [`Options`](crate::Options) does not keep, of at most
    /// `limit` blocks each. Call it now and then with a small limit, after commits.
    ///
    /// The state history that goes is that of the oldest blocks: afterwards
    /// [`Self::first_block_with_state`] says which state is the oldest that can be read.
    pub fn prune(&self, limit: u64) -> Result<PruneProgress> {
        self.prune_below(PruneBound::NONE, limit)
    }

    /// As [`Self::prune`], and nothing goes that is at or above the bound.
    pub fn prune_below(&self, bound: PruneBound, limit: u64) -> Result<PruneProgress> {
        let _writer = self.0.writer.lock();
        let tip = self.published()?;
        let options = &self.0.options;
        let first = tip.genesis.number;
        let state_goal = options.state_history.floor(tip.block.number);
        let block_goal = options.block_data.floor(tip.block.number);
        let (state_goal, block_goal) =
            (state_goal.min(bound.state).max(first), block_goal.min(bound.blocks).max(first));
        let state_from = self.state_floor().max(first);
        // Genesis stays; the first block that can go is the one after it.
        let block_from = self.block_floor().max(first + 1);
        let state_to = state_goal.min(state_from.saturating_add(limit)).max(state_from);
        let block_to = block_goal.min(block_from.saturating_add(limit)).max(block_from);
        let removed = (state_to - state_from) + (block_to - block_from);
        if removed > 0 {
            let mut batch = self.db().batch();
            self.prune_history(&mut batch, state_from, state_to)?;
            self.prune_blocks(&mut batch, block_from, block_to)?;
            self.prune_safe_heads(&mut batch, block_to)?;
            let state = raise(&self.0.state_floor, state_to, state_to > state_from);
            let block = raise(&self.0.block_floor, block_to, block_to > block_from);
            batch.put(Column::Meta, meta::STATE_FLOOR, keys::block(self.state_floor()));
            batch.put(Column::Meta, meta::BLOCK_FLOOR, keys::block(self.block_floor()));
            fail::fail_point!("prune::before_write");
            if let Err(error) = batch.write_synced() {
                self.0.state_floor.store(state, Ordering::SeqCst);
                self.0.block_floor.store(block, Ordering::SeqCst);
                return Err(error);
            }
            fail::fail_point!("prune::after_write");
        }
        let remaining = state_goal.saturating_sub(state_to) + block_goal.saturating_sub(block_to);
        Ok(PruneProgress { removed, remaining })
    }

    /// Removes the change sets that lead from the state at `to` back to that at `from`.
    fn prune_history(&self, batch: &mut Batch<'_>, from: u64, to: u64) -> Result<()> {
        let mut reversal = Reversal::default();
        for number in from + 1..=to {
            reversal.add(self.db().reader(), number)?;
            batch.delete(Column::CodeChanges, keys::block(number));
        }
        delete_history(batch, &reversal);
        // The newest interval goes on to be written to. Proofs of the block at the floor are turned
        // back from the first interval after it.
        let newest = intervals::newest(self.db().reader())?;
        let upto = newest.map_or(to + 1, |(newest, _)| newest.min(to + 1));
        self.delete_intervals(batch, 0, Some(upto))
    }

    fn prune_blocks(&self, batch: &mut Batch<'_>, from: u64, to: u64) -> Result<()> {
        for number in from..to {
            for tx in self.body(number)?.iter().flat_map(|body| &body.transactions) {
                batch.delete(Column::TxHash, tx.trie_hash());
            }
            for column in [Column::Body, Column::Receipt, Column::Sender] {
                batch.delete(column, keys::block(number));
            }
        }
        Ok(())
    }
}

/// Raises a floor where there is something to remove; gives the old one.
fn raise(floor: &AtomicU64, to: u64, needed: bool) -> u64 {
    if needed { floor.swap(to, Ordering::SeqCst) } else { floor.load(Ordering::SeqCst) }
}
