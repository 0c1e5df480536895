//! Sizes, for `db stats` and metrics.

use super::Store;
use crate::error::Result;
use crate::schema::Column;

/// Sizes of one column family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnStats {
    /// Name, as in [`crate`]'s format table.
    pub name: &'static str,
    /// Keys, estimated by RocksDB.
    pub keys: u64,
    /// Bytes in live table files.
    pub disk_bytes: u64,
    /// Bytes in write buffers.
    pub buffer_bytes: u64,
    /// Bytes of indices and filters outside the block cache.
    pub reader_bytes: u64,
}

/// Sizes of the whole store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreStats {
    /// One entry for each column family.
    pub columns: Vec<ColumnStats>,
    /// Bytes in the block cache.
    pub block_cache_bytes: u64,
    /// Bytes in the cache of accounts, slots and code.
    pub read_cache_bytes: u64,
    /// Bytes in the cache of trie nodes.
    pub node_cache_bytes: u64,
}

impl StoreStats {
    /// Bytes in table files over all column families.
    pub fn disk_bytes(&self) -> u64 {
        self.columns.iter().map(|column| column.disk_bytes).sum()
    }
}

impl Store {
    /// Current sizes.
    pub fn stats(&self) -> Result<StoreStats> {
        let db = self.db();
        let column = |column: Column| -> Result<ColumnStats> {
            Ok(ColumnStats {
                name: column.name(),
                keys: db.property(column, "rocksdb.estimate-num-keys")?,
                disk_bytes: db.property(column, "rocksdb.live-sst-files-size")?,
                buffer_bytes: db.property(column, "rocksdb.cur-size-all-mem-tables")?,
                reader_bytes: db.property(column, "rocksdb.estimate-table-readers-mem")?,
            })
        };
        let caches = self.0.tip.read().as_ref().map(|tip| tip.caches.clone());
        Ok(StoreStats {
            columns: Column::ALL.into_iter().map(column).collect::<Result<_>>()?,
            block_cache_bytes: db.cache_usage(),
            read_cache_bytes: caches.as_ref().map_or(0, |caches| caches.read.size()),
            node_cache_bytes: caches.as_ref().map_or(0, |caches| caches.nodes.size()),
        })
    }

    /// Writes all buffers to table files. Never needed for durability; it makes the next start
    /// quicker and [`Self::stats`] exact.
    pub fn flush(&self) -> Result<()> {
        self.db().flush()
    }

    /// Rewrites flat state and trie nodes into their last level, which takes a while.
    pub fn compact(&self) {
        for column in [Column::Account, Column::Slot, Column::AccountTrie, Column::StorageTrie] {
            self.db().compact(column);
        }
    }
}
