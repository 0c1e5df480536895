//! Opening a store, and refusing one that is not ours.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use alloy_primitives::Address;
use cairn_primitives::da::Domain;
use parking_lot::Mutex;
use rocksdb::WriteBatch;

use super::database::{Column, Database, synced};
use super::{Result, SCHEMA_VERSION, StoreError, keys};

/// Payers whose submissions are written at the same time without waiting for one another, at most.
const PAYER_LOCKS: usize = 64;

/// Sizes of the store's caches and buffers.
#[derive(Debug, Clone, Copy)]
pub struct StoreOptions {
    /// Bytes of RocksDB's block cache.
    pub block_cache_bytes: usize,
    /// Bytes of write buffers over all column families.
    pub write_buffer_bytes: usize,
    /// Files kept open.
    pub max_open_files: i32,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self { block_cache_bytes: 64 << 20, write_buffer_bytes: 128 << 20, max_open_files: 512 }
    }
}

/// Whom a store belongs to. What it holds binds the operator: a store of another one says nothing
/// about which reservations this one has signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// L1 chain and registry.
    pub domain: Domain,
    /// The operator's address.
    pub operator: Address,
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { domain: Domain { chain_id, registry }, operator } = self;
        write!(f, "operator {operator} of registry {registry} on chain {chain_id}")
    }
}

impl Identity {
    fn encode(&self) -> Vec<u8> {
        let chain = self.domain.chain_id.to_be_bytes();
        [&chain[..], self.domain.registry.as_slice(), self.operator.as_slice()].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (chain, rest) = bytes.split_first_chunk()?;
        let (registry, operator) = rest.split_first_chunk::<20>()?;
        let domain =
            Domain { chain_id: u64::from_be_bytes(*chain), registry: Address::new(*registry) };
        Some(Self { domain, operator: Address::new(operator.try_into().ok()?) })
    }
}

/// An open store. Clones share it.
#[derive(Debug, Clone)]
pub struct Store(pub(super) Arc<Inner>);

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) db: Database,
    path: PathBuf,
    /// Held from the look at a reservation to the write that uses it.
    payers: [Mutex<()>; PAYER_LOCKS],
}

impl Inner {
    pub(super) fn payer_lock(&self, payer: Address) -> &Mutex<()> {
        &self.payers[usize::from(payer.0[19]) % PAYER_LOCKS]
    }
}

impl Store {
    /// Opens the store in a directory, creating it where there is none.
    ///
    /// # Errors
    /// [`StoreError::Locked`] while another process has it open; [`StoreError::WrongSchema`] or
    /// [`StoreError::WrongIdentity`] for a store of something else.
    pub fn open(
        path: impl AsRef<Path>,
        options: &StoreOptions,
        identity: &Identity,
    ) -> Result<Self> {
        let path = path.as_ref().to_path_buf();
        std::fs::create_dir_all(&path)
            .map_err(|error| StoreError::Database(format!("{}: {error}", path.display())))?;
        let db = Database::open(&path, options)?;
        check_identity(&db, &path, identity)?;
        Ok(Self(Arc::new(Inner { db, path, payers: std::array::from_fn(|_| Mutex::new(())) })))
    }

    /// Directory of the store.
    pub fn path(&self) -> &Path {
        &self.0.path
    }
}

/// Compares the store with what is expected, or signs a new one.
fn check_identity(db: &Database, path: &Path, identity: &Identity) -> Result<()> {
    let path = path.to_path_buf();
    let Some(schema) = db.read(Column::Meta, keys::SCHEMA)? else {
        let mut batch = WriteBatch::default();
        batch.put_cf(db.cf(Column::Meta), keys::SCHEMA, SCHEMA_VERSION.to_be_bytes());
        batch.put_cf(db.cf(Column::Meta), keys::IDENTITY, identity.encode());
        return Ok(db.write_opt(batch, &synced())?);
    };
    let found = schema.try_into().map(u32::from_be_bytes);
    let found = found.map_err(|_| StoreError::Corrupt("the schema version is not 4 bytes"))?;
    if found != SCHEMA_VERSION {
        return Err(StoreError::WrongSchema { path, found, expected: SCHEMA_VERSION });
    }
    let stored = db.read(Column::Meta, keys::IDENTITY)?.as_deref().and_then(Identity::decode);
    let stored = stored.ok_or(StoreError::Corrupt("the identity is missing or malformed"))?;
    if stored != *identity {
        let (found, expected) = (stored.to_string(), identity.to_string());
        return Err(StoreError::WrongIdentity { path, found, expected });
    }
    Ok(())
}
