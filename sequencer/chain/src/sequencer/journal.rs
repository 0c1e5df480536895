//! The open block's journal: positions of records, and what replay reads.

use std::path::Path;

use cairn_state::{Journal, StateError};

use crate::error::ChainError;

/// Records of one block, in order of their index.
pub(super) type BlockRecords = (u64, Vec<(u32, Vec<u8>)>);

/// Journal of the blocks that the store may not have yet.
#[derive(Debug)]
pub(super) struct BlockJournal {
    journal: Journal,
    /// Block and position of the next record.
    next: (u64, u32),
}

impl BlockJournal {
    pub(super) fn open(path: &Path) -> Result<Self, ChainError> {
        Ok(Self { journal: Journal::open(path)?, next: (0, 0) })
    }

    /// Appends records to a block, synced when it returns. The records of a block that was not
    /// appended to before start at index 0. [`StateError::NoSpace`] leaves nothing behind: the
    /// same call may be made again.
    pub(super) fn append(&mut self, block: u64, records: &[Vec<u8>]) -> Result<(), StateError> {
        if records.is_empty() {
            return Ok(());
        }
        let first = if self.next.0 == block { self.next.1 } else { 0 };
        let indexed = (first..).zip(records).map(|(index, bytes)| (block, index, &bytes[..]));
        self.journal.append(indexed)?;
        let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
        self.next = (block, first.saturating_add(count));
        Ok(())
    }

    /// All records of `block` and later ones, grouped by block, in order. What is appended to the
    /// last of them continues it.
    pub(super) fn blocks_from(&mut self, block: u64) -> Result<Vec<BlockRecords>, ChainError> {
        let mut blocks: Vec<BlockRecords> = Vec::new();
        for record in self.journal.records_from(block)? {
            self.next = (record.block, record.index.saturating_add(1));
            match blocks.last_mut() {
                Some((number, records)) if *number == record.block => {
                    records.push((record.index, record.bytes));
                }
                _ => blocks.push((record.block, vec![(record.index, record.bytes)])),
            }
        }
        Ok(blocks)
    }

    /// Forgets blocks that the store has.
    pub(super) fn remove_through(&self, block: u64) -> Result<(), ChainError> {
        Ok(self.journal.remove_through(block)?)
    }

    /// Forgets blocks that were given up.
    pub(super) fn remove_from(&mut self, block: u64) -> Result<(), ChainError> {
        self.next = (0, 0);
        Ok(self.journal.remove_from(block)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_continue_where_a_restart_left_them() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = BlockJournal::open(dir.path()).unwrap();
        journal.append(7, &[vec![1], vec![2]]).unwrap();
        journal.append(8, &[vec![3]]).unwrap();
        drop(journal);
        let mut journal = BlockJournal::open(dir.path()).unwrap();
        assert_eq!(journal.blocks_from(8).unwrap(), [(8, vec![(0, vec![3])])]);
        journal.append(8, &[vec![4]]).unwrap();
        journal.remove_through(7).unwrap();
        assert_eq!(journal.blocks_from(0).unwrap(), [(8, vec![(0, vec![3]), (1, vec![4])])]);
        journal.remove_from(8).unwrap();
        assert!(journal.blocks_from(0).unwrap().is_empty());
        journal.append(8, &[vec![5]]).unwrap();
        assert_eq!(journal.blocks_from(0).unwrap(), [(8, vec![(0, vec![5])])]);
    }
}
