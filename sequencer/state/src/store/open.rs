//! Opening a store, and refusing one that is not ours.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use alloy_primitives::B256;
use parking_lot::{Mutex, RwLock};

use super::{Inner, Store, Tip};
use crate::cache::Caches;
use crate::error::{Result, StateError};
use crate::schema::{Column, Database, SCHEMA_VERSION, meta};
use crate::{ChainIdentity, Options};

impl Store {
    /// Opens the store in a directory, creating it where there is none.
    ///
    /// # Errors
    /// [`StateError::Locked`] while another process has it open; [`StateError::WrongSchema`],
    /// [`StateError::WrongChain`] or [`StateError::WrongGenesis`] for a store of something else.
    pub fn open(
        path: impl AsRef<Path>,
        options: Options,
        identity: &ChainIdentity,
    ) -> Result<Self> {
        let path = path.as_ref().to_path_buf();
        std::fs::create_dir_all(&path)
            .map_err(|error| StateError::Database(format!("{}: {error}", path.display())))?;
        let db = Database::open(&path, &options)?;
        check_identity(&db, &path, identity)?;
        let tip = load_tip(&db, &options)?;
        if let (Some(tip), Some(expected)) = (&tip, identity.genesis_hash)
            && tip.genesis.hash != expected
        {
            return Err(StateError::WrongGenesis { path, found: tip.genesis.hash, expected });
        }
        let floor = |key: &[u8]| -> Result<AtomicU64> {
            let stored = db.reader().get(Column::Meta, key)?;
            Ok(AtomicU64::new(stored.map_or(Ok(0), |bytes| meta::decode_number(&bytes))?))
        };
        let (state_floor, block_floor) = (floor(meta::STATE_FLOOR)?, floor(meta::BLOCK_FLOOR)?);
        let bound = AtomicU64::new(tip.as_ref().map_or(0, |tip| tip.block.number));
        Ok(Self(Arc::new(Inner {
            path,
            options,
            db,
            writer: Mutex::new(None),
            turned_back: Mutex::default(),
            tip: RwLock::new(tip),
            bound,
            epoch: AtomicU64::new(0),
            state_floor,
            block_floor,
        })))
    }
}

/// Compares the store with what is expected, or signs a new one.
fn check_identity(db: &Database, path: &Path, identity: &ChainIdentity) -> Result<()> {
    let reader = db.reader();
    let mut chain = identity.config_hash.to_vec();
    chain.extend_from_slice(identity.name.as_bytes());
    let Some(schema) = reader.get(Column::Meta, meta::SCHEMA)? else {
        let mut batch = db.batch();
        batch.put(Column::Meta, meta::SCHEMA, SCHEMA_VERSION.to_be_bytes());
        batch.put(Column::Meta, meta::CHAIN, &chain);
        return batch.write_synced();
    };
    let found = schema.as_ref().try_into().map(u32::from_be_bytes);
    let found = found.map_err(|_| StateError::corrupt("the schema version is not 4 bytes"))?;
    if found != SCHEMA_VERSION {
        let path = path.to_path_buf();
        return Err(StateError::WrongSchema { path, found, expected: SCHEMA_VERSION });
    }
    let stored = reader.get(Column::Meta, meta::CHAIN)?;
    let stored = stored.ok_or_else(|| StateError::corrupt("no chain identity"))?;
    let (hash, name) = stored
        .split_first_chunk::<32>()
        .ok_or_else(|| StateError::corrupt("the chain identity is too short"))?;
    // The name is for people and may be worded anew; the hash decides.
    if hash != &identity.config_hash.0 {
        let describe = |name: &str, hash: &B256| format!("chain {name:?} (configuration {hash})");
        return Err(StateError::WrongChain {
            path: path.to_path_buf(),
            found: describe(&String::from_utf8_lossy(name), &B256::new(*hash)),
            expected: describe(&identity.name, &identity.config_hash),
        });
    }
    Ok(())
}

fn load_tip(db: &Database, options: &Options) -> Result<Option<Tip>> {
    let Some(genesis) = db.reader().get(Column::Meta, meta::GENESIS)? else { return Ok(None) };
    let block = db.reader().get(Column::Meta, meta::TIP)?;
    let block = block.ok_or_else(|| StateError::corrupt("a genesis block and no tip"))?;
    Ok(Some(Tip {
        block: meta::decode_block(&block)?,
        genesis: meta::decode_block(&genesis)?,
        caches: Arc::new(Caches::new(options)),
    }))
}
