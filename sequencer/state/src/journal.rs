//! A small synced log of records by block, for whoever must survive a crash between commits.
//!
//! # Format
//!
//! A RocksDB directory of its own; key `block (8 bytes) ‖ index (4 bytes)`, big-endian, value as
//! the caller gave it. [`Journal::append`] returns when the disk has the records. A crash loses no
//! record whose append returned; of an append that had not returned, all records are there or none.
//! Removal is not synced: after a crash removed records may be there again.

use std::path::Path;

use rocksdb::{DB, WriteBatch, WriteOptions};

use crate::error::{Result, StateError};
use crate::schema::{house_options, open_with, synced};

/// One record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRecord {
    /// Block that the record belongs to.
    pub block: u64,
    /// Position in the block.
    pub index: u32,
    /// The caller's bytes.
    pub bytes: Vec<u8>,
}

/// A journal on disk. Appends and reads may come from any thread.
pub struct Journal {
    db: DB,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("path", &self.db.path()).finish_non_exhaustive()
    }
}

fn key(block: u64, index: u32) -> [u8; 12] {
    let mut key = [0; 12];
    key[..8].copy_from_slice(&block.to_be_bytes());
    key[8..].copy_from_slice(&index.to_be_bytes());
    key
}

impl Journal {
    /// Opens the journal in a directory, creating it where there is none.
    ///
    /// # Errors
    /// [`StateError::Locked`] while another process has it open.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        std::fs::create_dir_all(path)
            .map_err(|error| StateError::Database(format!("{}: {error}", path.display())))?;
        let mut options = house_options(16 << 20);
        options.set_write_buffer_size(8 << 20);
        options.set_max_total_wal_size(16 << 20);
        let db = open_with(path, || DB::open(&options, path))?;
        Ok(Self { db })
    }

    /// Writes records and waits until the disk has them. A record replaces one at its place.
    pub fn append<'a>(
        &self,
        records: impl IntoIterator<Item = (u64, u32, &'a [u8])>,
    ) -> Result<()> {
        let mut batch = WriteBatch::default();
        for (block, index, bytes) in records {
            batch.put(key(block, index), bytes);
        }
        fail::fail_point!("journal::before_append");
        self.db.write_opt(batch, &synced())?;
        fail::fail_point!("journal::after_append");
        Ok(())
    }

    /// All records of `block` and later blocks, in order.
    pub fn records_from(&self, block: u64) -> Result<Vec<JournalRecord>> {
        let mut records = Vec::new();
        let mut iter = self.db.raw_iterator();
        iter.seek(key(block, 0));
        while let Some((key, bytes)) = iter.item() {
            let parse = || {
                let (block, index) = key.split_first_chunk::<8>()?;
                let index = u32::from_be_bytes(index.try_into().ok()?);
                Some((u64::from_be_bytes(*block), index))
            };
            let (block, index) =
                parse().ok_or_else(|| StateError::corrupt("a journal key of another length"))?;
            records.push(JournalRecord { block, index, bytes: bytes.to_vec() });
            iter.next();
        }
        iter.status()?;
        Ok(records)
    }

    /// Removes all records of `block` and earlier blocks.
    pub fn remove_through(&self, block: u64) -> Result<()> {
        self.remove_range(key(0, 0), block.checked_add(1).map(|next| key(next, 0)))
    }

    /// Removes all records of `block` and later blocks.
    pub fn remove_from(&self, block: u64) -> Result<()> {
        self.remove_range(key(block, 0), None)
    }

    /// Removes all records from `block` up to, not including, `end`, and appends others, all or
    /// nothing, synced.
    pub fn replace<'a>(
        &self,
        block: u64,
        end: u64,
        records: impl IntoIterator<Item = (u64, u32, &'a [u8])>,
    ) -> Result<()> {
        let mut batch = WriteBatch::default();
        batch.delete_range(&key(block, 0)[..], &key(end, 0)[..]);
        for (block, index, bytes) in records {
            batch.put(key(block, index), bytes);
        }
        fail::fail_point!("journal::before_replace");
        self.db.write_opt(batch, &synced())?;
        fail::fail_point!("journal::after_replace");
        Ok(())
    }

    /// Removes single records. One that is not there is passed over.
    pub fn remove(&self, records: impl IntoIterator<Item = (u64, u32)>) -> Result<()> {
        let mut batch = WriteBatch::default();
        for (block, index) in records {
            batch.delete(key(block, index));
        }
        Ok(self.db.write_opt(batch, &WriteOptions::default())?)
    }

    fn remove_range(&self, from: [u8; 12], to: Option<[u8; 12]>) -> Result<()> {
        let mut batch = WriteBatch::default();
        let end: &[u8] = to.as_ref().map_or(&[0xff; 13], |to| to);
        batch.delete_range(&from[..], end);
        Ok(self.db.write_opt(batch, &WriteOptions::default())?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_survive_reopening_and_removal_keeps_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path()).unwrap();
        assert!(matches!(Journal::open(dir.path()), Err(StateError::Locked { .. })));
        journal.append([(1, 0, &b"a"[..]), (1, 1, b"b"), (2, 0, b"c"), (300, 7, b"d")]).unwrap();
        drop(journal);
        let journal = Journal::open(dir.path()).unwrap();
        let texts = |from| -> Vec<Vec<u8>> {
            journal.records_from(from).unwrap().into_iter().map(|record| record.bytes).collect()
        };
        assert_eq!(texts(0), [b"a", b"b", b"c", b"d"]);
        assert_eq!(texts(2), [b"c", b"d"]);
        journal.remove_through(1).unwrap();
        assert_eq!(texts(0), [b"c", b"d"]);
        journal.remove([(2, 0), (9, 9)]).unwrap();
        assert_eq!(texts(0), [b"d"]);
        journal.append([(2, 0, &b"c"[..])]).unwrap();
        journal.replace(2, 300, [(9, 0, &b"e"[..])]).unwrap();
        assert_eq!(texts(0), [b"e", b"d"]);
        journal.replace(9, 10, [(2, 0, &b"c"[..])]).unwrap();
        journal.remove_from(300).unwrap();
        assert_eq!(texts(0), [b"c"]);
        journal.remove_through(u64::MAX).unwrap();
        assert!(texts(0).is_empty());
    }

    /// Writes three records, each a write of its own, and gives the path of the log they are in.
    fn three_records(dir: &Path) -> std::path::PathBuf {
        let journal = Journal::open(dir).unwrap();
        for index in 0..3u8 {
            journal.append([(1, index.into(), &[b'a' + index; 600][..])]).unwrap();
        }
        drop(journal);
        let logs = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        let written = |path: &std::path::PathBuf| {
            path.extension().is_some_and(|end| end == "log") && path.metadata().unwrap().len() > 0
        };
        logs.filter(written).max().unwrap()
    }

    #[test]
    fn a_torn_last_write_is_as_if_it_had_not_been() {
        let dir = tempfile::tempdir().unwrap();
        let log = three_records(dir.path());
        let file = std::fs::OpenOptions::new().write(true).open(&log).unwrap();
        file.set_len(log.metadata().unwrap().len() - 100).unwrap();
        let left = Journal::open(dir.path()).unwrap().records_from(0).unwrap();
        assert_eq!(left.iter().map(|record| record.bytes[0]).collect::<Vec<_>>(), b"ab");
    }

    #[test]
    fn damage_that_could_hide_acknowledged_writes_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let log = three_records(dir.path());
        let mut bytes = std::fs::read(&log).unwrap();
        let place = bytes.windows(8).position(|window| window == [b'b'; 8]).unwrap();
        bytes[place] ^= 1;
        std::fs::write(&log, bytes).unwrap();
        assert!(matches!(Journal::open(dir.path()), Err(StateError::Corrupt(_))));
    }
}
