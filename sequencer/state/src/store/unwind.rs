//! Taking blocks back.
//!
//! An unwind goes in steps, newest blocks first. Each step is one synced batch that leaves the
//! store at an older block with state, tries, history, blocks and heads as they were there, byte
//! for byte, but for the newest interval, which may keep more than it has to. A crash between steps
//! leaves a valid store at a block in between; calling again finishes the work. Old trie nodes are
//! not used for this: the state is turned back through the change sets and its root computed as for
//! any other change, then held against the header.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use alloy_eips::BlockNumHash;
use alloy_eips::Encodable2718;
use alloy_primitives::B256;

use super::commit::put_state;
use super::history::Reversal;
use super::{Heads, Store, Tip};
use crate::cache::Caches;
use crate::error::{Result, StateError};
use crate::root::Base;
use crate::schema::{Batch, Column, keys, meta};

/// Changes after which a step ends. Bounds memory; a single block may exceed it.
const STEP_CHANGES: usize = 200_000;

impl Store {
    /// Removes the blocks above `number` and everything they did. Durable when it returns.
    ///
    /// The removed blocks are kept apart until [`forget_orphans`](Self::forget_orphans).
    ///
    /// Views made before answer [`StateError::Unavailable`] from the moment this begins. Heads
    /// above `number` are lowered to it.
    ///
    /// # Errors
    /// [`StateError::BelowFinalized`] if a finalized block would go; [`StateError::Unavailable`]
    /// if the history to go back has been pruned or `number` is above the tip.
    pub fn unwind_to(&self, number: u64) -> Result<BlockNumHash> {
        let mut interval = self.0.writer.lock();
        *interval = None;
        let mut tip = self.published()?;
        if number == tip.block.number {
            return Ok(tip.block);
        }
        if number > tip.block.number {
            let reason = "it is above the last committed block";
            return Err(StateError::Unavailable { block: number, reason });
        }
        let finalized = self.heads()?.finalized.number;
        if number < finalized {
            return Err(StateError::BelowFinalized { target: number, finalized });
        }
        if number < self.block_floor() {
            let reason = "its body has been pruned";
            return Err(StateError::Unavailable { block: number, reason });
        }
        self.check_state_floor(number.max(tip.genesis.number))?;
        let mut published = self.0.tip.write();
        self.0.epoch.fetch_add(1, Ordering::SeqCst);
        let mut result = Ok(());
        while tip.block.number > number && result.is_ok() {
            match self.unwind_step(&tip, number) {
                Ok(block) => tip.block = block,
                Err(error) => result = Err(error),
            }
        }
        // Even after an error in between the store stands at a valid block: publish that one.
        tip.caches = Arc::new(Caches::new(&self.0.options));
        let block = tip.block;
        *published = Some(tip);
        self.0.bound.store(block.number, Ordering::SeqCst);
        result.map(|()| block)
    }

    /// Unwinds as many blocks as one batch takes, at least one.
    fn unwind_step(&self, tip: &Tip, target: u64) -> Result<BlockNumHash> {
        let reader = self.db().reader();
        let mut reversal = Reversal::default();
        let mut number = tip.block.number;
        while number > target && reversal.len() < STEP_CHANGES {
            reversal.add(reader, number)?;
            number -= 1;
        }
        let missing = || StateError::corrupt(format!("no header of block {number}"));
        let header = self.header(number)?.ok_or_else(missing)?;
        let hash = self.canonical_hash(number)?.ok_or_else(missing)?;
        let block = BlockNumHash { number, hash };
        let update = reversal.apply(Base::tip(reader, None), number, header.state_root)?;
        let mut batch = self.db().batch();
        put_state(&mut batch, &[&update]);
        delete_history(&mut batch, &reversal);
        self.delete_intervals(&mut batch, number + 1, None)?;
        self.keep_orphans(&mut batch, number + 1, tip.block.number)?;
        for removed in number + 1..=tip.block.number {
            self.delete_block(&mut batch, removed)?;
        }
        let lower = |head: BlockNumHash| if head.number > number { block } else { head };
        let heads = self.heads()?;
        if heads != Heads::default() {
            let [latest, safe] = [heads.latest, heads.safe].map(lower);
            Heads { latest, safe, ..heads }.put(&mut batch);
        }
        self.cut_safe_heads(&mut batch, number)?;
        batch.put(Column::Meta, meta::TIP, meta::encode_block(block));
        fail::fail_point!("unwind::before_write");
        batch.write_synced()?;
        fail::fail_point!("unwind::after_write");
        Ok(block)
    }

    /// Deletes a block's data, and the code that it was first to store.
    fn delete_block(&self, batch: &mut Batch<'_>, number: u64) -> Result<()> {
        let key = keys::block(number);
        for tx in self.body(number)?.iter().flat_map(|body| &body.transactions) {
            batch.delete(Column::TxHash, tx.trie_hash());
        }
        if let Some(hash) = self.canonical_hash(number)? {
            batch.delete(Column::HashNumber, hash);
        }
        if let Some(hashes) = self.db().reader().get(Column::CodeChanges, &key)? {
            for hash in hashes.as_chunks::<32>().0 {
                batch.delete(Column::Code, B256::new(*hash));
            }
            batch.delete(Column::CodeChanges, key);
        }
        for column in [Column::Header, Column::Body, Column::Receipt, Column::Sender, Column::Canon]
        {
            batch.delete(column, key);
        }
        Ok(())
    }
}

/// Deletes change sets and their index.
pub(super) fn delete_history(batch: &mut Batch<'_>, reversal: &Reversal) {
    for (number, account) in &reversal.account_keys {
        let key = account.as_slice();
        batch.delete(Column::AccountChanges, keys::change(*number, key));
        batch.delete(Column::AccountHistory, keys::history(key, *number));
    }
    for (number, account, slot) in &reversal.slot_keys {
        let key = keys::pair(account, slot);
        batch.delete(Column::SlotChanges, keys::change(*number, &key));
        batch.delete(Column::SlotHistory, keys::history(&key, *number));
    }
}
