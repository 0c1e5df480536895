//! Caches of what the store holds at its tip.
//!
//! # Why they are never stale
//!
//! Commits overwrite the entries of every key they change, after the batch is written and before
//! the new tip is published. A reader that misses takes the key's placeholder **before** it reads
//! the database and fills it only if nobody has replaced it meanwhile; a commit's write does
//! replace it. So an entry is the value at the tip, or, during a commit, the value before it for a
//! key that the commit changes. A view is told apart in that moment by its own check: see
//! [`StateView`](crate::StateView).
//!
//! Unwinding, and the rare commit that wipes storage whose plain slots are not known, start new
//! caches; views keep the old ones, which nobody updates and which are right for those views.

use alloy_primitives::{Address, B256, Bytes, U256};
use quick_cache::sync::{Cache, GuardResult};
use quick_cache::{OptionsBuilder, Weighter};

use crate::error::Result;
use crate::schema::AccountRecord;
use crate::trie::BranchRecord;

type Hasher = alloy_primitives::map::DefaultHashBuilder;

/// Bytes that an entry costs beside its value.
const ENTRY: u64 = 48;

#[derive(Debug, Clone, Copy)]
struct Weight;

impl Weighter<Address, Option<AccountRecord>> for Weight {
    fn weight(&self, _: &Address, _: &Option<AccountRecord>) -> u64 {
        ENTRY + size_of::<(Address, Option<AccountRecord>)>() as u64
    }
}

impl Weighter<(Address, U256), U256> for Weight {
    fn weight(&self, _: &(Address, U256), _: &U256) -> u64 {
        ENTRY + size_of::<(Address, U256, U256)>() as u64
    }
}

impl Weighter<B256, Bytes> for Weight {
    fn weight(&self, _: &B256, code: &Bytes) -> u64 {
        ENTRY + 64 + code.len() as u64
    }
}

impl Weighter<Box<[u8]>, Option<BranchRecord>> for Weight {
    fn weight(&self, key: &Box<[u8]>, record: &Option<BranchRecord>) -> u64 {
        let record = record.as_ref().map_or(0, |record| record.as_bytes().len() + 32);
        ENTRY + (48 + key.len() + record) as u64
    }
}

fn cache<K, V>(bytes: usize, entry: usize) -> Cache<K, V, Weight, Hasher>
where
    K: Eq + std::hash::Hash,
    V: Clone,
    Weight: Weighter<K, V>,
{
    let options = OptionsBuilder::new()
        .weight_capacity(bytes as u64)
        .estimated_items_capacity(bytes / entry)
        .build()
        .expect("both capacities are set");
    Cache::with_options(options, Weight, Hasher::default(), Default::default())
}

/// Flat values at the tip, by plain address, slot and code hash.
#[derive(Debug)]
pub(crate) struct ReadCache {
    accounts: Cache<Address, Option<AccountRecord>, Weight, Hasher>,
    slots: Cache<(Address, U256), U256, Weight, Hasher>,
    code: Cache<B256, Bytes, Weight, Hasher>,
}

impl ReadCache {
    pub(crate) fn new(bytes: usize) -> Self {
        Self {
            accounts: cache(bytes / 8 * 3, 200),
            slots: cache(bytes / 8 * 3, 140),
            code: cache(bytes / 4, 8 << 10),
        }
    }

    pub(crate) fn peek_account(&self, address: &Address) -> Option<Option<AccountRecord>> {
        self.accounts.get(address)
    }

    /// The cached account, or what `read` says, which is kept if `keep` confirms it afterwards.
    pub(crate) fn account(
        &self,
        address: &Address,
        read: impl FnOnce() -> Result<Option<AccountRecord>>,
        keep: impl FnOnce() -> bool,
    ) -> Result<Option<AccountRecord>> {
        match self.accounts.get_value_or_guard(address, None) {
            GuardResult::Value(value) => Ok(value),
            GuardResult::Guard(guard) => {
                let value = read()?;
                if keep() {
                    // Refused when a commit has written the key: its value stays.
                    let _ = guard.insert(value);
                }
                Ok(value)
            }
            GuardResult::Timeout => read(),
        }
    }

    /// As [`Self::account`], for a slot.
    pub(crate) fn slot(
        &self,
        address: &Address,
        slot: &U256,
        read: impl FnOnce() -> Result<U256>,
        keep: impl FnOnce() -> bool,
    ) -> Result<U256> {
        match self.slots.get_value_or_guard(&(*address, *slot), None) {
            GuardResult::Value(value) => Ok(value),
            GuardResult::Guard(guard) => {
                let value = read()?;
                if keep() {
                    // Refused when a commit has written the key: its value stays.
                    let _ = guard.insert(value);
                }
                Ok(value)
            }
            GuardResult::Timeout => read(),
        }
    }

    /// Code never changes under its hash.
    pub(crate) fn code(&self, hash: &B256) -> Option<Bytes> {
        self.code.get(hash)
    }

    pub(crate) fn put_account(&self, address: Address, record: Option<AccountRecord>) {
        self.accounts.insert(address, record);
    }

    pub(crate) fn put_slot(&self, address: Address, slot: U256, value: U256) {
        self.slots.insert((address, slot), value);
    }

    pub(crate) fn put_code(&self, hash: B256, code: Bytes) {
        self.code.insert(hash, code);
    }

    pub(crate) fn size(&self) -> u64 {
        self.accounts.weight() + self.slots.weight() + self.code.weight()
    }
}

/// Trie nodes at the tip, by their key on disk. Filled by commits, and by
/// [`Store::warm`](crate::Store::warm) between them.
#[derive(Debug)]
pub(crate) struct NodeCache {
    nodes: Cache<Box<[u8]>, Option<BranchRecord>, Weight, Hasher>,
}

impl NodeCache {
    pub(crate) fn new(bytes: usize) -> Self {
        Self { nodes: cache(bytes, 400) }
    }

    pub(crate) fn get(&self, key: &[u8]) -> Option<Option<BranchRecord>> {
        self.nodes.get(key)
    }

    pub(crate) fn put(&self, key: &[u8], record: Option<BranchRecord>) {
        self.nodes.insert(key.into(), record);
    }

    /// Puts a stored node where there is room and none is cached. `false` once it is full.
    pub(crate) fn warm(&self, key: &[u8], record: BranchRecord) -> bool {
        if !self.nodes.contains_key(key) {
            self.put(key, Some(record));
        }
        self.nodes.weight() < self.nodes.capacity() / 10 * 9
    }

    pub(crate) fn size(&self) -> u64 {
        self.nodes.weight()
    }
}

/// Both caches of one epoch of the store.
#[derive(Debug)]
pub(crate) struct Caches {
    pub(crate) read: ReadCache,
    pub(crate) nodes: NodeCache,
}

impl Caches {
    pub(crate) fn new(options: &crate::Options) -> Self {
        Self {
            read: ReadCache::new(options.read_cache_bytes),
            nodes: NodeCache::new(options.node_cache_bytes),
        }
    }
}
