//! Committing blocks.
//!
//! One call is one synced batch: the flat values, trie nodes and blocks as they are after the last
//! block of the call, the history of each of them, what trie nodes were before their interval, and the tip. A crash leaves the store before
//! the call or after it.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use alloy_eips::BlockNumHash;
use alloy_eips::Encodable2718;
use alloy_primitives::B256;
use cairn_primitives::{Receipt, RecoveredBlock};

use super::Store;
use super::intervals::changes_of;
use crate::Layer;
use crate::cache::Caches;
use crate::error::{Result, StateError};
use crate::root::StateUpdate;
use crate::schema::{AccountRecord, Batch, Column, encode_slot, keys, meta};

/// A block with everything that is stored of it.
#[derive(Debug, Clone)]
pub struct CommittedBlock {
    /// Block, hash and senders.
    pub block: RecoveredBlock,
    /// Receipts, one for each transaction.
    pub receipts: Arc<Vec<Receipt>>,
    /// State changes and trie nodes.
    pub layer: Arc<Layer>,
}

impl Store {
    /// Appends blocks to the store's chain. Durable when it returns.
    ///
    /// Reads go on meanwhile; views whose layers hold these blocks stay valid before, during and
    /// after. An empty slice does nothing.
    ///
    /// # Errors
    /// [`StateError::NotOnTip`] and [`StateError::RootMismatch`] for blocks that do not fit;
    /// [`StateError::NoSpace`] when the disk is full: nothing was applied and the same call may be
    /// repeated.
    pub fn commit(&self, blocks: &[CommittedBlock]) -> Result<BlockNumHash> {
        let mut interval = self.0.writer.lock();
        let tip = self.published()?;
        let Some(last) = blocks.last() else { return Ok(tip.block) };
        check_chain(tip.block, blocks)?;
        let new_tip = last.block.num_hash();
        let mut batch = self.commit_batch(blocks)?;
        let changes = changes_of(blocks);
        let interval = self.interval_for(&mut interval, tip.block.number, blocks, changes)?;
        let kept = self.put_old_nodes(&mut batch, interval, &tip.caches.nodes, blocks, changes)?;
        metrics::histogram!("state_commit_bytes").record(batch.size() as f64);
        self.0.bound.store(new_tip.number, Ordering::SeqCst);
        fail::fail_point!("commit::before_write");
        if let Err(error) = batch.write_synced() {
            self.0.bound.store(tip.block.number, Ordering::SeqCst);
            return Err(error);
        }
        interval.keep(kept);
        fail::fail_point!("commit::after_write");
        // What blocks before a wipe set may be among what it removed: their values are not cached.
        let (caches, fresh) = match blocks.iter().rposition(|block| wipes(&block.layer)) {
            Some(last) => (Arc::new(Caches::new(&self.0.options)), &blocks[last..]),
            None => (tip.caches, blocks),
        };
        for block in fresh {
            refresh(&caches, &block.layer);
        }
        let mut published = self.0.tip.write();
        *published = Some(super::Tip { block: new_tip, genesis: tip.genesis, caches });
        fail::fail_point!("commit::published");
        Ok(new_tip)
    }

    fn commit_batch(&self, blocks: &[CommittedBlock]) -> Result<Batch<'_>> {
        let mut batch = self.db().batch();
        let updates: Vec<_> = blocks.iter().rev().map(|block| block.layer.update()).collect();
        put_state(&mut batch, &updates);
        let mut new_code = HashSet::new();
        for block in blocks {
            put_history(&mut batch, block.layer.number(), block.layer.update());
            self.put_code(&mut batch, &block.layer, &mut new_code)?;
            put_block(&mut batch, &block.block, &block.receipts);
        }
        if let Some(last) = blocks.last() {
            batch.put(Column::Meta, meta::TIP, meta::encode_block(last.block.num_hash()));
        }
        Ok(batch)
    }

    /// Puts code that the store does not have, and notes whose it was for an unwind.
    fn put_code(
        &self,
        batch: &mut Batch<'_>,
        layer: &Layer,
        new_code: &mut HashSet<B256>,
    ) -> Result<()> {
        let mut added = Vec::new();
        for (hash, code) in layer.changes().delta().codes() {
            let stored = self.db().reader().get(Column::Code, hash.as_slice())?.is_some();
            if !stored && new_code.insert(*hash) {
                batch.put(Column::Code, hash, code);
                added.push(*hash);
            }
        }
        added.sort_unstable();
        if !added.is_empty() {
            let hashes = added.concat();
            batch.put(Column::CodeChanges, keys::block(layer.number()), hashes);
        }
        Ok(())
    }
}

fn check_chain(tip: BlockNumHash, blocks: &[CommittedBlock]) -> Result<()> {
    let mut parent = tip;
    for CommittedBlock { block, layer, receipts } in blocks {
        let header = block.header();
        let follows = parent.number.checked_add(1) == Some(block.number())
            && header.parent_hash == parent.hash
            && layer.block() == block.num_hash()
            && receipts.len() == block.transactions().len();
        if !follows {
            return Err(StateError::NotOnTip {
                number: block.number(),
                parent: header.parent_hash,
                tip_number: parent.number,
                tip: parent.hash,
            });
        }
        StateError::check_root(block.number(), header.state_root, layer.state_root())?;
        parent = block.num_hash();
    }
    Ok(())
}

/// Flat values and trie nodes after the newest of `updates`, which come newest first.
pub(super) fn put_state(batch: &mut Batch<'_>, updates: &[&StateUpdate]) {
    let newer = |at: usize| &updates[..at];
    for (at, update) in updates.iter().enumerate() {
        for account in &update.accounts {
            if newer(at).iter().all(|n| n.account(&account.hashed).is_none()) {
                put_account(batch, &account.hashed, account.after);
            }
        }
        for (path, record) in update.nodes.iter() {
            if newer(at).iter().all(|n| n.nodes.get(path).is_none()) {
                let bytes = record.as_ref().map_or(&[][..], |record| record.as_bytes());
                batch.set(Column::AccountTrie, keys::path(&[], path), bytes);
            }
        }
        for storage in &update.storage {
            let account = &storage.hashed;
            let newer: Vec<_> = newer(at).iter().filter_map(|n| n.storage(account)).collect();
            for change in &*storage.slots {
                let by_key = |c: &crate::changes::SlotChange| c.hashed.cmp(&change.hashed);
                if newer.iter().all(|n| n.slots.binary_search_by(by_key).is_err()) {
                    let key = keys::pair(account, &change.hashed);
                    batch.set(Column::Slot, key, &encode_slot(change.after));
                }
            }
            for (path, record) in storage.nodes.iter() {
                if newer.iter().all(|n| n.nodes.get(path).is_none()) {
                    let bytes = record.as_ref().map_or(&[][..], |record| record.as_bytes());
                    batch.set(Column::StorageTrie, keys::path(account.as_slice(), path), bytes);
                }
            }
        }
    }
}

pub(super) fn put_account(batch: &mut Batch<'_>, hashed: &B256, record: Option<AccountRecord>) {
    match record {
        Some(record) => batch.put(Column::Account, hashed, record.encode()),
        None => batch.delete(Column::Account, hashed),
    }
}

/// Change sets and their index.
fn put_history(batch: &mut Batch<'_>, number: u64, update: &StateUpdate) {
    for account in &update.accounts {
        let before = account.before.map(|record| record.encode()).unwrap_or_default();
        let key = account.hashed.as_slice();
        batch.put(Column::AccountChanges, keys::change(number, key), before);
        batch.put(Column::AccountHistory, keys::history(key, number), []);
    }
    for storage in &update.storage {
        for change in &*storage.slots {
            let key = keys::pair(&storage.hashed, &change.hashed);
            let before = encode_slot(change.before);
            batch.put(Column::SlotChanges, keys::change(number, &key), before);
            batch.put(Column::SlotHistory, keys::history(&key, number), []);
        }
    }
}

/// A block and its indices.
pub(super) fn put_block(batch: &mut Batch<'_>, block: &RecoveredBlock, receipts: &Vec<Receipt>) {
    let key = keys::block(block.number());
    batch.put(Column::Header, key, alloy_rlp::encode(block.header()));
    batch.put(Column::Body, key, alloy_rlp::encode(block.body()));
    batch.put(Column::Receipt, key, alloy_rlp::encode(receipts));
    batch.put(Column::Sender, key, block.senders().concat());
    batch.put(Column::Canon, key, block.hash());
    batch.put(Column::HashNumber, block.hash(), key);
    for (index, tx) in (0u32..).zip(block.transactions()) {
        let mut location = [0; 12];
        location[..8].copy_from_slice(&key);
        location[8..].copy_from_slice(&index.to_be_bytes());
        batch.put(Column::TxHash, tx.trie_hash(), location);
    }
}

/// Whether the block removed slots whose plain numbers nobody knows.
fn wipes(layer: &Layer) -> bool {
    layer.changes().storage().iter().filter(|change| change.wiped).any(|change| {
        let update = layer.update().storage(&change.hashed);
        update.is_some_and(|update| update.slots.iter().any(|slot| !slot.before.is_zero()))
    })
}

/// Brings the caches to the state after a block.
fn refresh(caches: &Caches, layer: &Layer) {
    let update = layer.update();
    let changes = layer.changes();
    let accounts = changes.accounts().iter().map(|change| (change.hashed, change.address));
    let storage = changes.storage().iter().map(|change| (change.hashed, change.address));
    for (hashed, address) in accounts.chain(storage) {
        if let Some(account) = update.account(&hashed) {
            caches.read.put_account(address, account.after);
        }
    }
    for (address, slot, value) in changes.delta().slots() {
        caches.read.put_slot(address, slot, value);
    }
    for (hash, code) in changes.delta().codes() {
        caches.read.put_code(*hash, code.clone());
    }
    for (path, record) in update.nodes.iter() {
        caches.nodes.put(&keys::path(&[], path), record.clone());
    }
    for storage in &update.storage {
        for (path, record) in storage.nodes.iter() {
            caches.nodes.put(&keys::path(storage.hashed.as_slice(), path), record.clone());
        }
    }
}
