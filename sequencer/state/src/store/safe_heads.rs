//! The safe-head index: which block was safe once an L1 block had been derived from.
//!
//! # Format
//!
//! Key: L1 block number, 8 bytes. Value: L1 block hash ‖ number (8 bytes) ‖ hash of the L2 block.
//! Both numbers grow from entry to entry; an L1 block that made nothing safe has no entry. The first
//! L2 block of the next entry, and all above it, were not safe as of this one.
//!
//! # Durability
//!
//! Entries go into one synced batch with the heads that they belong to, and only for blocks that the
//! store has. A crash loses at most the newest ones. An unwind removes, in the batch that removes
//! blocks, the entries that name them; so no entry ever names a block that is not canonical here.

use alloy_eips::BlockNumHash;
use alloy_primitives::B256;

use super::{Heads, Store};
use crate::error::{Result, StateError};
use crate::schema::{Batch, Column, keys, meta};

/// Entries that one call prunes.
const PRUNED_AT_ONCE: usize = 1024;

/// One entry of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SafeHeadEntry {
    /// The L1 block that was read.
    pub l1: BlockNumHash,
    /// The newest block that followed from it and the L1 blocks before it.
    pub safe: BlockNumHash,
}

impl Store {
    /// Stores the heads together with new entries of the index, oldest first. An entry replaces one
    /// of the same L1 block number. Durable when it returns.
    ///
    /// # Errors
    /// [`StateError::NotCanonical`] for an entry whose block the store does not have; nothing was
    /// written.
    pub fn advance_heads(&self, heads: Heads, entries: &[SafeHeadEntry]) -> Result<()> {
        let _writer = self.0.writer.lock();
        let mut batch = self.db().batch();
        for entry in entries {
            let BlockNumHash { number, hash } = entry.safe;
            if self.canonical_hash(number)? != Some(hash) {
                return Err(StateError::NotCanonical { number, hash });
            }
            batch.put(Column::SafeHead, keys::block(entry.l1.number), encode(entry));
        }
        heads.put(&mut batch);
        fail::fail_point!("safe_heads::before_advance");
        batch.write_synced()?;
        fail::fail_point!("safe_heads::after_advance");
        Ok(())
    }

    /// Stores the heads and forgets all entries of L1 blocks above `l1`: they were on a fork.
    /// Durable when it returns.
    pub fn reset_heads(&self, heads: Heads, l1: u64) -> Result<()> {
        let _writer = self.0.writer.lock();
        let mut batch = self.db().batch();
        let mut iter = self.db().reader().iter(Column::SafeHead);
        iter.seek_to_last();
        while let Some(key) = iter.key().filter(|key| keys::block_of(key) > Some(l1)) {
            batch.delete(Column::SafeHead, key);
            iter.prev();
        }
        iter.status()?;
        heads.put(&mut batch);
        fail::fail_point!("safe_heads::before_reset");
        batch.write_synced()?;
        fail::fail_point!("safe_heads::after_reset");
        Ok(())
    }

    /// The entry of the newest L1 block that is not above `l1`.
    pub fn safe_head_at_l1(&self, l1: u64) -> Result<Option<SafeHeadEntry>> {
        let mut iter = self.db().reader().iter(Column::SafeHead);
        iter.seek_for_prev(keys::block(l1));
        let entry = iter.item().map(|(key, value)| decode(key, value)).transpose()?;
        iter.status()?;
        Ok(entry)
    }

    /// Removes the entries that name blocks above `number`, which a batch is about to remove.
    pub(super) fn cut_safe_heads(&self, batch: &mut Batch<'_>, number: u64) -> Result<()> {
        let mut iter = self.db().reader().iter(Column::SafeHead);
        iter.seek_to_last();
        while let Some((key, value)) = iter.item() {
            if decode(key, value)?.safe.number <= number {
                break;
            }
            batch.delete(Column::SafeHead, key);
            iter.prev();
        }
        Ok(iter.status()?)
    }

    /// Removes entries of blocks below `floor`, but for the newest of them: the answer for the L1
    /// blocks up to the next entry.
    pub(super) fn prune_safe_heads(&self, batch: &mut Batch<'_>, floor: u64) -> Result<()> {
        let mut iter = self.db().reader().iter(Column::SafeHead);
        iter.seek_to_first();
        let mut last: Option<Vec<u8>> = None;
        let mut removed = 0usize;
        while let Some((key, value)) = iter.item() {
            if decode(key, value)?.safe.number >= floor || removed == PRUNED_AT_ONCE {
                break;
            }
            if let Some(older) = last.replace(key.to_vec()) {
                batch.delete(Column::SafeHead, older);
                removed = removed.saturating_add(1);
            }
            iter.next();
        }
        Ok(iter.status()?)
    }
}

fn encode(entry: &SafeHeadEntry) -> [u8; 72] {
    let mut out = [0; 72];
    out[..32].copy_from_slice(entry.l1.hash.as_slice());
    out[32..].copy_from_slice(&meta::encode_block(entry.safe));
    out
}

fn decode(key: &[u8], value: &[u8]) -> Result<SafeHeadEntry> {
    let parse = || {
        let number = keys::block_of(key)?;
        let (hash, safe) = value.split_first_chunk::<32>()?;
        let safe = meta::decode_block(safe).ok()?;
        Some(SafeHeadEntry { l1: BlockNumHash { number, hash: B256::new(*hash) }, safe })
    };
    parse().ok_or_else(|| StateError::corrupt("an entry of the safe-head index"))
}
