//! Executed blocks in memory: those that the store does not have yet, and the newest that it has.

use std::collections::VecDeque;

use alloy_primitives::B256;
use alloy_primitives::map::B256Map;

use crate::ExecutedBlock;

/// How many blocks stay in memory after they are persisted, so that readers of the newest blocks
/// do not reach for the disk.
const KEEP_PERSISTED: usize = 32;

/// Canonical executed blocks, oldest first, without gaps, up to the unsafe head.
#[derive(Debug, Default)]
pub(crate) struct RecentBlocks {
    blocks: VecDeque<ExecutedBlock>,
    by_hash: B256Map<u64>,
    /// Transactions of blocks that the store does not have yet.
    transactions: B256Map<(u64, usize)>,
    persisted: u64,
}

impl RecentBlocks {
    pub(crate) fn new(persisted: u64) -> Self {
        Self { persisted, ..Self::default() }
    }

    /// Newest block that the store has.
    pub(crate) const fn persisted(&self) -> u64 {
        self.persisted
    }

    /// Blocks that the store does not have, oldest first.
    pub(crate) fn unpersisted(&self) -> impl DoubleEndedIterator<Item = &ExecutedBlock> {
        self.blocks.iter().filter(|block| block.block.number() > self.persisted)
    }

    pub(crate) fn push(&mut self, block: ExecutedBlock) {
        let number = block.block.number();
        debug_assert!(
            self.blocks.back().is_none_or(|last| last.block.number() + 1 == number),
            "blocks follow each other"
        );
        self.by_hash.insert(block.block.hash(), number);
        for (index, tx) in block.block.transactions().iter().enumerate() {
            self.transactions.insert(*tx.hash(), (number, index));
        }
        self.blocks.push_back(block);
    }

    /// The store now has all blocks up to `number`.
    pub(crate) fn set_persisted(&mut self, number: u64) {
        let newly = self
            .blocks
            .iter()
            .filter(|block| (self.persisted + 1..=number).contains(&block.block.number()));
        for block in newly {
            for tx in block.block.transactions() {
                self.transactions.remove(tx.hash());
            }
        }
        self.persisted = self.persisted.max(number);
        while self
            .blocks
            .front()
            .is_some_and(|block| block.block.number() + (KEEP_PERSISTED as u64) <= self.persisted)
        {
            if let Some(old) = self.blocks.pop_front() {
                self.by_hash.remove(&old.block.hash());
            }
        }
    }

    /// Removes all blocks above `number` and gives them back, newest first.
    pub(crate) fn truncate(&mut self, number: u64) -> Vec<ExecutedBlock> {
        let mut removed = Vec::new();
        while self.blocks.back().is_some_and(|block| block.block.number() > number) {
            if let Some(block) = self.blocks.pop_back() {
                self.by_hash.remove(&block.block.hash());
                for tx in block.block.transactions() {
                    self.transactions.remove(tx.hash());
                }
                removed.push(block);
            }
        }
        self.persisted = self.persisted.min(number);
        removed
    }

    pub(crate) fn by_number(&self, number: u64) -> Option<&ExecutedBlock> {
        let first = self.blocks.front()?.block.number();
        self.blocks.get(usize::try_from(number.checked_sub(first)?).ok()?)
    }

    pub(crate) fn by_hash(&self, hash: &B256) -> Option<&ExecutedBlock> {
        self.by_number(*self.by_hash.get(hash)?)
    }

    pub(crate) fn transaction(&self, hash: &B256) -> Option<(&ExecutedBlock, usize)> {
        let (number, index) = *self.transactions.get(hash)?;
        Some((self.by_number(number)?, index))
    }
}
