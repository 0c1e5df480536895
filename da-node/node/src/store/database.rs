//! RocksDB with the settings of this store.

use std::path::Path;

use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBCompressionType,
    DBRecoveryMode, Options, WriteOptions,
};

use super::{Result, StoreError, StoreOptions};

/// Column families.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Row,
    Header,
    Expiry,
    Reservation,
    End,
    Meta,
}

/// Rows are kept outside the sorted files, which then hold keys only and compact cheaply.
const BLOB_MIN_BYTES: u64 = 512;
/// Blob files are dropped as a whole once their rows have expired, so they are kept small.
const BLOB_FILE_BYTES: u64 = 64 << 20;

impl Column {
    const ALL: [Self; 6] =
        [Self::Row, Self::Header, Self::Expiry, Self::Reservation, Self::End, Self::Meta];

    const fn name(self) -> &'static str {
        match self {
            Self::Row => "row",
            Self::Header => "header",
            Self::Expiry => "expiry",
            Self::Reservation => "reservation",
            Self::End => "end",
            Self::Meta => "meta",
        }
    }

    fn descriptor(self, cache: &Cache, write_buffer_bytes: usize) -> ColumnFamilyDescriptor {
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(cache);
        table.set_bloom_filter(10.0, false);
        table.set_cache_index_and_filter_blocks(true);
        let mut options = Options::default();
        options.set_block_based_table_factory(&table);
        options.set_write_buffer_size(write_buffer_bytes);
        // Rows, hashes and signatures look random: nothing here compresses.
        options.set_compression_type(DBCompressionType::None);
        if self == Self::Row {
            options.set_enable_blob_files(true);
            options.set_min_blob_size(BLOB_MIN_BYTES);
            options.set_blob_file_size(BLOB_FILE_BYTES);
            options.set_enable_blob_gc(true);
        }
        ColumnFamilyDescriptor::new(self.name(), options)
    }
}

/// An open RocksDB.
pub(super) struct Database(DB);

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Database").field(&self.0.path()).finish()
    }
}

impl std::ops::Deref for Database {
    type Target = DB;

    fn deref(&self) -> &DB {
        &self.0
    }
}

impl Database {
    pub(super) fn open(path: &Path, settings: &StoreOptions) -> Result<Self> {
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        options.set_db_write_buffer_size(settings.write_buffer_bytes);
        options.set_max_total_wal_size(4 * settings.write_buffer_bytes as u64);
        options.set_max_background_jobs(2);
        options.set_bytes_per_sync(1 << 20);
        options.set_keep_log_file_num(4);
        options.set_max_log_file_size(4 << 20);
        options.set_stats_dump_period_sec(0);
        options.set_max_open_files(settings.max_open_files);
        // A torn record at the end of the log is a write that had not returned. A broken one before
        // others is damage: recovering up to it would forget reservations that were signed for, so
        // the store does not open then.
        options.set_wal_recovery_mode(DBRecoveryMode::TolerateCorruptedTailRecords);
        let cache = Cache::new_hyper_clock_cache(settings.block_cache_bytes, 0);
        let write_buffer = (settings.write_buffer_bytes / 2).max(1 << 20);
        let columns = Column::ALL.map(|column| column.descriptor(&cache, write_buffer));
        // RocksDB insists on a `default` family; nothing is kept there. Its buffer is small since
        // after a full disk RocksDB waits until the largest buffer of all families fits again.
        let mut unused = Options::default();
        unused.set_write_buffer_size(write_buffer);
        let unused = ColumnFamilyDescriptor::new("default", unused);
        let opened = DB::open_cf_descriptors(&options, path, columns.into_iter().chain([unused]));
        opened.map(Self).map_err(|error| {
            let text = error.to_string();
            if text.contains("lock file") || text.contains("lock hold by current process") {
                StoreError::Locked { path: path.to_path_buf() }
            } else {
                error.into()
            }
        })
    }

    pub(super) fn cf(&self, column: Column) -> &ColumnFamily {
        self.0.cf_handle(column.name()).expect("every column family is opened")
    }

    pub(super) fn read(&self, column: Column, key: &[u8]) -> Result<Option<Vec<u8>>> {
        Ok(self.0.get_cf(self.cf(column), key)?)
    }
}

/// Write options of every acknowledged write.
pub(super) fn synced() -> WriteOptions {
    let mut options = WriteOptions::default();
    options.set_sync(true);
    options
}
