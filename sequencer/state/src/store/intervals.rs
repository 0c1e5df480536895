//! Old trie nodes, so that proofs and roots of any block that is kept cost a bounded amount.
//!
//! # What is kept
//!
//! Blocks are taken together in intervals. For each node that an interval changes, the change sets
//! of the tries keep what it was before the interval's first block, once, whatever happened to it
//! inside. So the tries before the first block of any interval can be read like those of the tip
//! ([`Base::before`](crate::root::Base::before)), and those of a block inside by turning its
//! interval's later blocks back in memory.
//!
//! An interval ends before the commit that would take it over
//! [`interval_blocks`](crate::Options::interval_blocks) or
//! [`interval_changes`](crate::Options::interval_changes). Commits are not divided, so one that is
//! larger is an interval of its own.
//!
//! # Recovery
//!
//! The nodes are part of the commit's batch. What the newest interval has kept so far is read back
//! before the first commit after a start or an unwind. An unwind removes the intervals of which no
//! block is left; those of the interval that is left are right for any other blocks too.

use std::collections::HashSet;
use std::hash::BuildHasher;

use alloy_primitives::map::DefaultHashBuilder;

use super::{CommittedBlock, Store};
use crate::cache::NodeCache;
use crate::error::{Result, StateError};
use crate::schema::{Batch, Column, Family, Reader, keys, meta};
use crate::trie::BranchRecord;

/// The newest interval.
#[derive(Debug)]
pub(super) struct Interval {
    first: u64,
    changes: u64,
    kept: KeyHashes,
}

/// Which nodes an interval has kept. Two hashes under keys of their own stand for a key.
#[derive(Default)]
struct KeyHashes {
    seen: HashSet<(u64, u64), DefaultHashBuilder>,
    hashers: [DefaultHashBuilder; 2],
}

impl std::fmt::Debug for KeyHashes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyHashes").field("seen", &self.seen.len()).finish_non_exhaustive()
    }
}

impl KeyHashes {
    fn of(&self, family: Family, key: &[u8]) -> (u64, u64) {
        let [one, two] = &self.hashers;
        let scoped = family.is_scoped();
        (one.hash_one((scoped, key)), two.hash_one((scoped, key)))
    }
}

/// What a commit adds to its interval once it is written.
pub(super) struct Kept {
    changes: u64,
    fresh: HashSet<(u64, u64), DefaultHashBuilder>,
}

impl Store {
    /// The interval that `blocks`, which follow `tip` and make so many changes, go into: the newest
    /// one, read back where it is not known, or a new one that begins with them.
    pub(super) fn interval_for<'a>(
        &self,
        newest: &'a mut Option<Interval>,
        tip: u64,
        blocks: &[CommittedBlock],
        changes: u64,
    ) -> Result<&'a mut Interval> {
        let known = match newest.take() {
            Some(known) => Some(known),
            None => self.newest_interval()?,
        };
        let last = tip.saturating_add(blocks.len() as u64);
        let fits = |newest: &Interval| {
            last.saturating_sub(newest.first) < self.0.options.interval_blocks
                && newest.changes.saturating_add(changes) <= self.0.options.interval_changes
        };
        let begin = || Interval::begin(tip.saturating_add(1));
        Ok(newest.insert(known.filter(fits).unwrap_or_else(begin)))
    }

    /// Puts what `blocks` are about to change in the tries. [`Interval::keep`] follows when the batch
    /// is written.
    pub(super) fn put_old_nodes(
        &self,
        batch: &mut Batch<'_>,
        interval: &Interval,
        cache: &NodeCache,
        blocks: &[CommittedBlock],
        changes: u64,
    ) -> Result<Kept> {
        let total = interval.changes.saturating_add(changes).to_be_bytes();
        batch.put(Column::Interval, keys::block(interval.first), total);
        let fresh = self.put_first_changes(batch, interval, cache, blocks)?;
        Ok(Kept { changes, fresh })
    }

    /// Nodes that the interval has not kept yet, as they are at the tip.
    fn put_first_changes(
        &self,
        batch: &mut Batch<'_>,
        interval: &Interval,
        cache: &NodeCache,
        blocks: &[CommittedBlock],
    ) -> Result<HashSet<(u64, u64), DefaultHashBuilder>> {
        let mut fresh = HashSet::with_hasher(DefaultHashBuilder::default());
        let mut unknown = [(Family::AccountNodes, Vec::new()), (Family::StorageNodes, Vec::new())];
        let mut touch = |family: Family, key: keys::PathKey| {
            let hash = interval.kept.of(family, &key);
            if interval.kept.seen.contains(&hash) || !fresh.insert(hash) {
                return;
            }
            match cache.get(&key) {
                Some(record) => put_old_node(batch, interval.first, family, &key, record.as_ref()),
                None => unknown[usize::from(family.is_scoped())].1.push(key),
            }
        };
        for update in blocks.iter().map(|block| block.layer.update()) {
            for path in update.nodes.paths() {
                touch(Family::AccountNodes, keys::path(&[], path));
            }
            for storage in &update.storage {
                for path in storage.nodes.paths() {
                    touch(Family::StorageNodes, keys::path(storage.hashed.as_slice(), path));
                }
            }
        }
        for (family, mut unread) in unknown {
            unread.sort_unstable();
            let stored = self.db().reader().get_sorted(family.flat(), &unread);
            for (key, stored) in unread.iter().zip(stored) {
                let record = stored?.map(|bytes| BranchRecord::from_bytes(&bytes)).transpose()?;
                put_old_node(batch, interval.first, family, key, record.as_ref());
            }
        }
        Ok(fresh)
    }

    fn newest_interval(&self) -> Result<Option<Interval>> {
        let reader = self.db().reader();
        let Some((first, changes)) = newest(reader)? else { return Ok(None) };
        let mut interval = Interval { changes, ..Interval::begin(first) };
        for family in [Family::AccountNodes, Family::StorageNodes] {
            reader.scan(family.changes(), &keys::block(interval.first), |key, _| {
                let hash = interval.kept.of(family, &key[8..]);
                interval.kept.seen.insert(hash);
                Ok(())
            })?;
        }
        Ok(Some(interval))
    }

    /// Removes the intervals from block `from` on, all of them or those before block `to`.
    pub(super) fn delete_intervals(
        &self,
        batch: &mut Batch<'_>,
        from: u64,
        to: Option<u64>,
    ) -> Result<()> {
        let reader = self.db().reader();
        let mut iter = reader.iter(Column::Interval);
        iter.seek(keys::block(from));
        while let Some(key) = iter.key() {
            let first = interval_of(key)?;
            if to.is_some_and(|to| first >= to) {
                break;
            }
            for family in [Family::AccountNodes, Family::StorageNodes] {
                reader.scan(family.changes(), key, |change, _| {
                    batch.delete(family.changes(), change);
                    let entry = keys::history(&family.index_key(&change[8..]), first);
                    batch.delete(family.index(), entry);
                    Ok(())
                })?;
            }
            batch.delete(Column::Interval, key);
            iter.next();
        }
        Ok(iter.status()?)
    }
}

impl Interval {
    fn begin(first: u64) -> Self {
        Self { first, changes: 0, kept: KeyHashes::default() }
    }

    /// Notes what a written commit has kept.
    pub(super) fn keep(&mut self, kept: Kept) {
        self.kept.seen.extend(kept.fresh);
        self.changes = self.changes.saturating_add(kept.changes);
    }
}

/// The first interval that begins after `block`, by its first block.
pub(super) fn interval_after(reader: Reader<'_>, block: u64) -> Result<Option<u64>> {
    let Some(from) = block.checked_add(1) else { return Ok(None) };
    let mut iter = reader.iter(Column::Interval);
    iter.seek(keys::block(from));
    let first = iter.key().map(interval_of).transpose()?;
    iter.status()?;
    Ok(first)
}

fn interval_of(key: &[u8]) -> Result<u64> {
    keys::block_of(key).ok_or_else(|| StateError::corrupt("the key of an interval"))
}

fn put_old_node(
    batch: &mut Batch<'_>,
    first: u64,
    family: Family,
    key: &[u8],
    record: Option<&BranchRecord>,
) {
    let before = record.map_or(&[][..], BranchRecord::as_bytes);
    batch.put(family.changes(), keys::change(first, key), before);
    batch.put(family.index(), keys::history(&family.index_key(key), first), []);
}

/// Changed accounts and slots.
pub(super) fn changes_of(blocks: &[CommittedBlock]) -> u64 {
    let of_block = |block: &CommittedBlock| {
        let update = block.layer.update();
        let slots: usize = update.storage.iter().map(|storage| storage.slots.len()).sum();
        (update.accounts.len() + slots) as u64
    };
    blocks.iter().map(of_block).sum()
}

/// First block of the newest interval and its changes, `None` before the first commit.
pub(super) fn newest(reader: Reader<'_>) -> Result<Option<(u64, u64)>> {
    let mut iter = reader.iter(Column::Interval);
    iter.seek_to_last();
    let newest = match iter.item() {
        Some((key, value)) => Some((interval_of(key)?, meta::decode_number(value)?)),
        None => None,
    };
    iter.status()?;
    Ok(newest)
}
