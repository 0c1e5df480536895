//! Submissions and certificates on disk, so that answers to `da_status` outlive the gateway.
//!
//! A RocksDB of its own, in `<datadir>/submissions`:
//!
//! | family | key | value |
//! |---|---|---|
//! | `submission` | submission (32) | number (8) ‖ state as JSON |
//! | `certificate` | header hash (32) | number (8) ‖ certificate |
//! | `meta` | `schema`, `domain` | 1 (4); chain id (8) ‖ registry (20) |
//!
//! Numbers count up with every write and order the records by age. A write goes to the system before the answer
//! that tells of it and is not synced: `kill -9` loses nothing, a crash of the machine the last moments. What was
//! pending when the gateway ended is told to have failed: it may have been certified, but nobody here has the
//! certificate.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use alloy_primitives::{B256, Bytes};
use cairn_primitives::da::Domain;
use rocksdb::{ColumnFamily, DB, IteratorMode, Options, WriteBatch};

use super::SubmissionState;
use crate::store::StoreError;

const SUBMISSION: &str = "submission";
const CERTIFICATE: &str = "certificate";
const META: &str = "meta";
const SCHEMA: u32 = 1;
/// Bytes of write buffers: records are small and few.
const BUFFER_BYTES: usize = 4 << 20;

type Result<T, E = StoreError> = std::result::Result<T, E>;

/// What a gateway remembers beyond its end.
pub(super) struct Records {
    db: DB,
    next: AtomicU64,
}

/// What was remembered, oldest first.
#[derive(Debug, Default)]
pub(super) struct Remembered {
    pub(super) submissions: Vec<(B256, SubmissionState)>,
    pub(super) certificates: Vec<(B256, Bytes)>,
}

impl std::fmt::Debug for Records {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Records").field(&self.db.path()).finish()
    }
}

impl Records {
    /// Opens the records of a registry's gateway, or makes them.
    ///
    /// # Errors
    /// [`StoreError`]; records of another registry are not opened.
    pub(super) fn open(path: &Path, domain: &Domain) -> Result<(Self, Remembered)> {
        std::fs::create_dir_all(path)
            .map_err(|error| StoreError::Database(format!("{}: {error}", path.display())))?;
        let mut options = Options::default();
        options.create_if_missing(true);
        options.create_missing_column_families(true);
        options.set_db_write_buffer_size(BUFFER_BYTES);
        options.set_max_total_wal_size(4 * BUFFER_BYTES as u64);
        options.set_keep_log_file_num(2);
        let families = ["default", SUBMISSION, CERTIFICATE, META];
        let db = DB::open_cf(&options, path, families).map_err(|error| opening(error, path))?;
        let records = Self { db, next: AtomicU64::new(0) };
        records.check_meta(path, domain)?;
        let mut last = 0;
        let submissions = records.read(SUBMISSION, &mut last, |bytes| {
            let state = serde_json::from_slice(bytes).ok()?;
            Some(match state {
                SubmissionState::Pending => SubmissionState::Failed {
                    reason: "the gateway ended before there was a certificate".to_string(),
                },
                state => state,
            })
        })?;
        let certificates =
            records.read(CERTIFICATE, &mut last, |bytes| Some(Bytes::copy_from_slice(bytes)))?;
        records.next.store(last.saturating_add(1), Ordering::SeqCst);
        Ok((records, Remembered { submissions, certificates }))
    }

    fn cf(&self, name: &str) -> &ColumnFamily {
        self.db.cf_handle(name).expect("every column family is opened")
    }

    fn check_meta(&self, path: &Path, domain: &Domain) -> Result<()> {
        let named = [&domain.chain_id.to_be_bytes()[..], domain.registry.as_slice()].concat();
        let path = path.to_path_buf();
        let Some(schema) = self.db.get_cf(self.cf(META), "schema")? else {
            let mut batch = WriteBatch::default();
            batch.put_cf(self.cf(META), "schema", SCHEMA.to_be_bytes());
            batch.put_cf(self.cf(META), "domain", named);
            return Ok(self.db.write(batch)?);
        };
        let found = schema.try_into().map(u32::from_be_bytes);
        let found = found.map_err(|_| StoreError::Corrupt("the schema version is not 4 bytes"))?;
        if found != SCHEMA {
            return Err(StoreError::WrongSchema { path, found, expected: SCHEMA });
        }
        match self.db.get_cf(self.cf(META), "domain")? {
            Some(stored) if stored == named => Ok(()),
            stored => Err(wrong_identity(path, stored.unwrap_or_default(), named)),
        }
    }

    /// All records of a family, oldest first.
    fn read<T>(
        &self,
        family: &str,
        last: &mut u64,
        decode: impl Fn(&[u8]) -> Option<T>,
    ) -> Result<Vec<(B256, T)>> {
        let mut found = Vec::new();
        for entry in self.db.iterator_cf(self.cf(family), IteratorMode::Start) {
            let (key, value) = entry?;
            let record = value.split_first_chunk().and_then(|(number, value)| {
                Some((u64::from_be_bytes(*number), B256::try_from(&key[..]).ok()?, decode(value)?))
            });
            let record = record.ok_or(StoreError::Corrupt("a record of the gateway"))?;
            *last = (*last).max(record.0);
            found.push(record);
        }
        found.sort_by_key(|(number, ..)| *number);
        Ok(found.into_iter().map(|(_, key, value)| (key, value)).collect())
    }

    /// Remembers where a submission stands, and forgets another that is too old.
    pub(super) fn put_submission(
        &self,
        submission: B256,
        state: &SubmissionState,
        forgotten: Option<B256>,
    ) -> Result<()> {
        let state = serde_json::to_vec(state)
            .map_err(|error| StoreError::Database(format!("a state as JSON: {error}")))?;
        self.put(SUBMISSION, submission, &state, forgotten)
    }

    /// Remembers the certificate of a header, and forgets another that is too old.
    pub(super) fn put_certificate(
        &self,
        header_hash: B256,
        certificate: &[u8],
        forgotten: Option<B256>,
    ) -> Result<()> {
        self.put(CERTIFICATE, header_hash, certificate, forgotten)
    }

    fn put(&self, family: &str, key: B256, value: &[u8], forgotten: Option<B256>) -> Result<()> {
        let number = self.next.fetch_add(1, Ordering::SeqCst);
        let mut batch = WriteBatch::default();
        if let Some(forgotten) = forgotten {
            batch.delete_cf(self.cf(family), forgotten);
        }
        batch.put_cf(self.cf(family), key, [&number.to_be_bytes()[..], value].concat());
        Ok(self.db.write(batch)?)
    }
}

fn opening(error: rocksdb::Error, path: &Path) -> StoreError {
    let text = error.to_string();
    if text.contains("lock file") || text.contains("lock hold by current process") {
        StoreError::Locked { path: path.to_path_buf() }
    } else {
        error.into()
    }
}

fn wrong_identity(path: PathBuf, found: Vec<u8>, expected: Vec<u8>) -> StoreError {
    let named =
        |bytes: Vec<u8>| format!("chain and registry {}", alloy_primitives::hex::encode(bytes));
    StoreError::WrongIdentity { path, found: named(found), expected: named(expected) }
}
