//! The genesis block.
//!
//! The state is loaded without the log: flat values in any order, then the tries in one ordered
//! pass. Everything is flushed before one synced batch writes the block and the marks that make
//! the store valid. A crash before that batch leaves a store without genesis, whose leftovers the
//! next attempt deletes.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use alloy_eips::BlockNumHash;
use alloy_genesis::GenesisAccount;
use alloy_primitives::map::B256Map;
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256, keccak256};
use alloy_trie::EMPTY_ROOT_HASH;
use cairn_primitives::{Account, Block, BlockBody, Header, RecoveredBlock};
use rayon::prelude::*;

use super::{Heads, Store, Tip, commit};
use crate::cache::Caches;
use crate::error::{Result, StateError};
use crate::root::slot_leaf;
use crate::schema::{AccountRecord, Batch, Column, decode_slot, encode_slot, keys, meta};
use crate::trie::TrieStream;

/// The state that a genesis header commits to.
#[derive(Debug, Clone)]
pub struct GenesisState {
    /// Root of the account trie.
    pub state_root: B256,
    storage_roots: B256Map<B256>,
}

impl GenesisState {
    /// Storage root of an account, empty for one without storage.
    pub fn storage_root(&self, address: Address) -> B256 {
        self.storage_roots.get(&keccak256(address)).copied().unwrap_or(EMPTY_ROOT_HASH)
    }
}

/// Accounts hashed at a time, and bytes of batch after which it is written.
const ACCOUNTS_AT_ONCE: usize = 16 << 10;
const BATCH_BYTES: usize = 8 << 20;

impl Store {
    /// Loads the genesis state and writes the genesis block. `header` is asked for the header once
    /// the roots are known; its state root must be the one given.
    ///
    /// An address given twice keeps its last account; their slots add up.
    ///
    /// # Errors
    /// [`StateError::Genesis`] if the store has a genesis block; [`StateError::RootMismatch`].
    pub fn init_genesis(
        &self,
        accounts: impl IntoIterator<Item = (Address, GenesisAccount)>,
        header: impl FnOnce(&GenesisState) -> Header,
    ) -> Result<BlockNumHash> {
        let _writer = self.0.writer.lock();
        if self.0.tip.read().is_some() {
            return Err(StateError::Genesis("the store has a genesis block already"));
        }
        self.clear()?;
        self.load_flat(accounts)?;
        fail::fail_point!("genesis::after_flat");
        let state = self.load_tries()?;
        self.db().flush()?;
        fail::fail_point!("genesis::before_mark");
        let header = header(&state);
        StateError::check_root(header.number, header.state_root, state.state_root)?;
        let withdrawals = header.withdrawals_root.map(|_| Default::default());
        let body = BlockBody { withdrawals, ..Default::default() };
        let block = RecoveredBlock::new(Block { header, body }, Vec::new());
        let genesis = block.num_hash();
        let mut batch = self.db().batch();
        commit::put_block(&mut batch, &block, &Vec::new());
        Heads { latest: genesis, safe: genesis, finalized: genesis }.put(&mut batch);
        batch.put(Column::Meta, meta::TIP, meta::encode_block(genesis));
        batch.put(Column::Meta, meta::GENESIS, meta::encode_block(genesis));
        batch.write_synced()?;
        fail::fail_point!("genesis::after_mark");
        self.0.bound.store(genesis.number, Ordering::SeqCst);
        let caches = Arc::new(Caches::new(&self.0.options));
        *self.0.tip.write() = Some(Tip { block: genesis, genesis, caches });
        Ok(genesis)
    }

    /// Deletes what an interrupted attempt left.
    fn clear(&self) -> Result<()> {
        let mut batch = self.db().batch();
        for column in Column::ALL.into_iter().filter(|column| *column != Column::Meta) {
            let mut iter = self.db().reader().iter(column);
            iter.seek_to_first();
            if iter.valid() {
                batch.delete_range(column, &[], &[0xff; 128]);
            }
            iter.status()?;
        }
        batch.write_synced()
    }

    fn load_flat(
        &self,
        accounts: impl IntoIterator<Item = (Address, GenesisAccount)>,
    ) -> Result<()> {
        let mut accounts = accounts.into_iter();
        let mut batch = self.db().batch();
        loop {
            let chunk: Vec<_> = accounts.by_ref().take(ACCOUNTS_AT_ONCE).collect();
            if chunk.is_empty() {
                return batch.write_unlogged();
            }
            let hashed: Vec<_> = chunk.par_iter().map(|(a, account)| hash(*a, account)).collect();
            for (account, (_, source)) in hashed.into_iter().zip(&chunk) {
                batch.put(Column::Account, account.key, account.record.encode());
                if let Some(code) = source.code.as_ref().filter(|code| !code.is_empty()) {
                    batch.put(Column::Code, account.record.account.code_hash, code);
                }
                for (slot, value) in account.slots {
                    let key = keys::pair(&account.key, &slot);
                    batch.put(Column::Slot, key, encode_slot(value));
                    write_if_large(&mut batch)?;
                }
            }
            write_if_large(&mut batch)?;
        }
    }

    /// Builds all tries from the flat state and stores every node and storage root.
    fn load_tries(&self) -> Result<GenesisState> {
        let reader = self.db().reader();
        let mut batch = self.db().batch();
        let mut roots = B256Map::default();
        let mut accounts = TrieStream::new();
        let mut slots = reader.iter(Column::Slot);
        slots.seek_to_first();
        reader.scan(Column::Account, &[], |key, value| {
            let hashed = B256::try_from(key)
                .map_err(|_| StateError::corrupt("an account key of another length"))?;
            let mut record = AccountRecord::decode(value)?;
            let mut storage = TrieStream::new();
            while let Some((key, value)) = slots.item().filter(|(key, _)| key[..32] == hashed[..]) {
                let path = keys::unpack(&B256::from_slice(&key[32..]));
                if let Some(leaf) = slot_leaf(decode_slot(value)?) {
                    storage.leaf(path, leaf);
                }
                slots.next();
                for (path, node) in storage.drain() {
                    let key = keys::path(hashed.as_slice(), &path);
                    batch.put(Column::StorageTrie, key, node.as_bytes());
                }
                write_if_large(&mut batch)?;
            }
            let root = storage.root();
            if root != EMPTY_ROOT_HASH {
                for (path, node) in storage.drain() {
                    let key = keys::path(hashed.as_slice(), &path);
                    batch.put(Column::StorageTrie, key, node.as_bytes());
                }
                roots.insert(hashed, root);
                record.storage_root = root;
                batch.put(Column::Account, hashed, record.encode());
            }
            accounts.leaf(keys::unpack(&hashed), record.trie_value());
            put_nodes(&mut batch, &mut accounts);
            write_if_large(&mut batch)
        })?;
        slots.status()?;
        let state_root = accounts.root();
        put_nodes(&mut batch, &mut accounts);
        batch.write_unlogged()?;
        Ok(GenesisState { state_root, storage_roots: roots })
    }
}

fn put_nodes(batch: &mut Batch<'_>, accounts: &mut TrieStream) {
    for (path, node) in accounts.drain() {
        batch.put(Column::AccountTrie, keys::path(&[], &path), node.as_bytes());
    }
}

fn write_if_large(batch: &mut Batch<'_>) -> Result<()> {
    if batch.size() >= BATCH_BYTES { batch.write_unlogged() } else { Ok(()) }
}

struct Hashed {
    key: B256,
    record: AccountRecord,
    slots: Vec<(B256, U256)>,
}

fn hash(address: Address, source: &GenesisAccount) -> Hashed {
    let code = source.code.as_ref().filter(|code| !code.is_empty());
    let account = Account {
        nonce: source.nonce.unwrap_or(0),
        balance: source.balance,
        code_hash: code.map_or(KECCAK256_EMPTY, keccak256),
    };
    let slots = source.storage.iter().flatten();
    let slots = slots.filter(|(_, value)| !value.is_zero());
    Hashed {
        key: keccak256(address),
        record: AccountRecord { account, storage_root: EMPTY_ROOT_HASH },
        slots: slots.map(|(slot, value)| (keccak256(slot), (*value).into())).collect(),
    }
}
