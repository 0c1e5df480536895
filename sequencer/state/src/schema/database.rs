//! RocksDB with the house settings, and reading from it with or without a snapshot.

use std::path::Path;

use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, DB, DBPinnableSlice, DBRawIterator, DBRecoveryMode,
    Options, ReadOptions, SnapshotWithThreadMode, WriteBatch, WriteOptions,
};

use super::Column;
use crate::error::{Result, StateError};

/// A snapshot of the database.
pub(crate) type Snapshot<'a> = SnapshotWithThreadMode<'a, DB>;

/// An open RocksDB.
pub(crate) struct Database {
    inner: DB,
    cache: Cache,
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Database").field("path", &self.inner.path()).finish_non_exhaustive()
    }
}

/// Settings that do not depend on the column families.
pub(crate) fn house_options(write_buffer_bytes: usize) -> Options {
    let mut options = Options::default();
    options.create_if_missing(true);
    options.create_missing_column_families(true);
    options.set_db_write_buffer_size(write_buffer_bytes);
    options.set_max_total_wal_size(512 << 20);
    options.set_max_background_jobs(2);
    options.set_bytes_per_sync(1 << 20);
    options.set_keep_log_file_num(4);
    options.set_max_log_file_size(4 << 20);
    options.set_stats_dump_period_sec(0);
    // A torn record at the end of the log is a write that had not returned. Damage before the end
    // could hide writes that had: such a store is refused, not opened without them.
    options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
    options
}

/// Opens, telling a lock that someone else holds from other failures.
pub(crate) fn open_with<T>(
    path: &Path,
    open: impl FnOnce() -> std::result::Result<T, rocksdb::Error>,
) -> Result<T> {
    open().map_err(|error| {
        let text = error.to_string();
        if text.contains("lock file") || text.contains("lock hold by current process") {
            StateError::Locked { path: path.to_path_buf() }
        } else {
            error.into()
        }
    })
}

/// Write options of every acknowledged write.
pub(crate) fn synced() -> WriteOptions {
    let mut options = WriteOptions::default();
    options.set_sync(true);
    options
}

impl Database {
    pub(crate) fn open(path: &Path, options: &crate::Options) -> Result<Self> {
        let cache = Cache::new_hyper_clock_cache(options.block_cache_bytes, 0);
        let mut db_options = house_options(options.write_buffer_bytes);
        db_options.set_max_open_files(options.max_open_files);
        let write_buffer = (options.write_buffer_bytes / 4).clamp(1 << 20, 64 << 20);
        let columns = Column::ALL.map(|column| column.descriptor(&cache, write_buffer));
        // RocksDB insists on a `default` family; nothing is kept there.
        let mut unused = Options::default();
        unused.set_block_based_table_factory(&BlockBasedOptions::default());
        let default = rocksdb::ColumnFamilyDescriptor::new("default", unused);
        let inner = open_with(path, || {
            DB::open_cf_descriptors(&db_options, path, columns.into_iter().chain([default]))
        })?;
        Ok(Self { inner, cache })
    }

    pub(crate) fn cf(&self, column: Column) -> &ColumnFamily {
        self.inner.cf_handle(column.name()).expect("every column family is opened")
    }

    /// Reads of the newest state.
    pub(crate) const fn reader(&self) -> Reader<'_> {
        Reader { db: self, snapshot: None }
    }

    pub(crate) fn snapshot(&self) -> Snapshot<'_> {
        self.inner.snapshot()
    }

    pub(crate) const fn batch(&self) -> Batch<'_> {
        Batch { db: self, inner: None }
    }

    /// Bytes of block cache in use.
    pub(crate) fn cache_usage(&self) -> u64 {
        self.cache.get_usage() as u64
    }

    pub(crate) fn property(&self, column: Column, name: &str) -> Result<u64> {
        Ok(self.inner.property_int_value_cf(self.cf(column), name)?.unwrap_or(0))
    }

    /// Writes every buffer to table files.
    pub(crate) fn flush(&self) -> Result<()> {
        for column in Column::ALL {
            self.inner.flush_cf(self.cf(column))?;
        }
        Ok(())
    }

    /// Rewrites a column family into its last level.
    pub(crate) fn compact(&self, column: Column) {
        self.inner.compact_range_cf(self.cf(column), None::<&[u8]>, None::<&[u8]>);
    }
}

/// Reads at one point: the newest state, or a snapshot.
#[derive(Clone, Copy)]
pub(crate) struct Reader<'a> {
    db: &'a Database,
    snapshot: Option<&'a Snapshot<'a>>,
}

impl<'a> Reader<'a> {
    pub(crate) const fn at(db: &'a Database, snapshot: &'a Snapshot<'a>) -> Self {
        Self { db, snapshot: Some(snapshot) }
    }

    fn options(&self) -> ReadOptions {
        let mut options = ReadOptions::default();
        if let Some(snapshot) = self.snapshot {
            options.set_snapshot(snapshot);
        }
        options
    }

    pub(crate) fn get(&self, column: Column, key: &[u8]) -> Result<Option<DBPinnableSlice<'a>>> {
        Ok(self.db.inner.get_pinned_cf_opt(self.db.cf(column), key, &self.options())?)
    }

    /// Values of sorted keys, read in one batch.
    pub(crate) fn get_sorted<'k, K: AsRef<[u8]> + 'k>(
        &self,
        column: Column,
        keys: impl IntoIterator<Item = &'k K>,
    ) -> Vec<Result<Option<DBPinnableSlice<'a>>>> {
        let cf = self.db.cf(column);
        let values = self.db.inner.batched_multi_get_cf_opt(cf, keys, true, &self.options());
        values.into_iter().map(|value| value.map_err(Into::into)).collect()
    }

    /// An iterator over the whole column family, not yet positioned.
    pub(crate) fn iter(&self, column: Column) -> DBRawIterator<'a> {
        let mut options = self.options();
        options.set_total_order_seek(true);
        self.db.inner.raw_iterator_cf_opt(self.db.cf(column), options)
    }

    /// An iterator whose seeks stay within the column family's key prefix.
    pub(crate) fn iter_prefix(&self, column: Column) -> DBRawIterator<'a> {
        let mut options = self.options();
        options.set_prefix_same_as_start(true);
        self.db.inner.raw_iterator_cf_opt(self.db.cf(column), options)
    }

    /// Calls `each` on every entry whose key starts with `prefix`, in key order.
    pub(crate) fn scan(
        &self,
        column: Column,
        prefix: &[u8],
        mut each: impl FnMut(&[u8], &[u8]) -> Result<()>,
    ) -> Result<()> {
        let mut iter = self.iter(column);
        iter.seek(prefix);
        while let Some((key, value)) = iter.item() {
            if !key.starts_with(prefix) {
                break;
            }
            each(key, value)?;
            iter.next();
        }
        Ok(iter.status()?)
    }
}

/// Writes that become visible and durable together.
pub(crate) struct Batch<'a> {
    db: &'a Database,
    inner: Option<WriteBatch>,
}

impl Batch<'_> {
    fn inner(&mut self) -> &mut WriteBatch {
        self.inner.get_or_insert_with(WriteBatch::default)
    }

    pub(crate) fn put(&mut self, column: Column, key: impl AsRef<[u8]>, value: impl AsRef<[u8]>) {
        let cf = self.db.cf(column);
        self.inner().put_cf(cf, key, value);
    }

    pub(crate) fn delete(&mut self, column: Column, key: impl AsRef<[u8]>) {
        let cf = self.db.cf(column);
        self.inner().delete_cf(cf, key);
    }

    /// Puts a value, or deletes the key where the value is empty.
    pub(crate) fn set(&mut self, column: Column, key: impl AsRef<[u8]>, value: &[u8]) {
        if value.is_empty() { self.delete(column, key) } else { self.put(column, key, value) }
    }

    /// Deletes `from..to`.
    pub(crate) fn delete_range(&mut self, column: Column, from: &[u8], to: &[u8]) {
        let cf = self.db.cf(column);
        self.inner().delete_range_cf(cf, from, to);
    }

    /// Bytes so far.
    pub(crate) fn size(&self) -> usize {
        self.inner.as_ref().map_or(0, WriteBatch::size_in_bytes)
    }

    /// Applies everything and waits until the disk has it.
    pub(crate) fn write_synced(self) -> Result<()> {
        match self.inner {
            Some(batch) => Ok(self.db.inner.write_opt(batch, &synced())?),
            None => Ok(()),
        }
    }

    /// Applies without the log, for bulk loads that are flushed and marked complete afterwards.
    pub(crate) fn write_unlogged(&mut self) -> Result<()> {
        let mut options = WriteOptions::default();
        options.disable_wal(true);
        match self.inner.take() {
            Some(batch) => Ok(self.db.inner.write_opt(batch, &options)?),
            None => Ok(()),
        }
    }
}
