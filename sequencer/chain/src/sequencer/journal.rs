//! The open block's journal: positions of records, and what replay reads.

use std::path::Path;

use cairn_state::{Journal, StateError};

use crate::error::ChainError;

/// Records of one block, in order of their index.
pub(super) type BlockRecords = (u64, Vec<(u32, Vec<u8>)>);

/// In place of a block number: transactions that were shown, whose blocks were given up, and that
/// are not in another block yet.
const ORPHANS: u64 = u64::MAX;

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
    pub(super) fn append(
        &mut self,
        block: u64,
        records: &[impl AsRef<[u8]>],
    ) -> Result<(), StateError> {
        if records.is_empty() {
            return Ok(());
        }
        let first = if self.next.0 == block { self.next.1 } else { 0 };
        let indexed = (first..).zip(records).map(|(index, bytes)| (block, index, bytes.as_ref()));
        self.journal.append(indexed)?;
        let count = u32::try_from(records.len()).unwrap_or(u32::MAX);
        self.next = (block, first.saturating_add(count));
        Ok(())
    }

    /// All blocks of the journal with their records, in order.
    pub(super) fn blocks(&self) -> Result<Vec<BlockRecords>, ChainError> {
        let mut blocks: Vec<BlockRecords> = Vec::new();
        let records = self.journal.records_from(0)?;
        for record in records.into_iter().filter(|record| record.block != ORPHANS) {
            match blocks.last_mut() {
                Some((number, records)) if *number == record.block => {
                    records.push((record.index, record.bytes));
                }
                _ => blocks.push((record.block, vec![(record.index, record.bytes)])),
            }
        }
        Ok(blocks)
    }

    /// Records of transactions whose blocks were given up.
    pub(super) fn orphans(&self) -> Result<Vec<Vec<u8>>, ChainError> {
        let records = self.journal.records_from(ORPHANS)?;
        Ok(records.into_iter().map(|record| record.bytes).collect())
    }

    /// Says that the open block is `block` and has `records` records.
    pub(super) const fn continue_at(&mut self, block: u64, records: u32) {
        self.next = (block, records);
    }

    /// Gives up all blocks from `block` on and keeps `orphans`, all or nothing, synced. Orphans kept
    /// before stay where there are more of them: what was executed since is refused by its nonce.
    pub(super) fn give_up(&mut self, block: u64, orphans: &[Vec<u8>]) -> Result<(), ChainError> {
        // An open block below them goes on where it was.
        if self.next.0 >= block {
            self.next = (0, 0);
        }
        let kept = (0..).zip(orphans).map(|(index, bytes)| (ORPHANS, index, &bytes[..]));
        Ok(self.journal.replace(block, ORPHANS, kept)?)
    }

    /// Forgets the orphans: all were executed again, or refused.
    pub(super) fn forget_orphans(&self) -> Result<(), ChainError> {
        Ok(self.journal.remove_from(ORPHANS)?)
    }

    /// Forgets blocks that the store has.
    pub(super) fn remove_through(&self, block: u64) -> Result<(), ChainError> {
        Ok(self.journal.remove_through(block)?)
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
        journal.continue_at(8, 1);
        journal.append(8, &[vec![4]]).unwrap();
        journal.remove_through(7).unwrap();
        assert_eq!(journal.blocks().unwrap(), [(8, vec![(0, vec![3]), (1, vec![4])])]);
    }

    #[test]
    fn blocks_that_are_given_up_leave_their_orphans_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let mut journal = BlockJournal::open(dir.path()).unwrap();
        for block in 5..8 {
            journal.append(block, &[vec![1], vec![2]]).unwrap();
        }
        journal.give_up(6, &[vec![9], vec![8]]).unwrap();
        assert_eq!(journal.blocks().unwrap(), [(5, vec![(0, vec![1]), (1, vec![2])])]);
        assert_eq!(journal.orphans().unwrap(), [vec![9], vec![8]]);
        journal.append(6, &[vec![3]]).unwrap();
        journal.give_up(7, &[vec![7]]).unwrap();
        assert_eq!(journal.blocks().unwrap().len(), 2);
        assert_eq!(journal.orphans().unwrap(), [vec![7], vec![8]]);
        journal.forget_orphans().unwrap();
        assert!(journal.orphans().unwrap().is_empty());
    }
}
