//! What a block changes, hashed once.

use std::sync::Arc;

use alloy_primitives::map::{AddressMap, HashMap};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use cairn_primitives::Account;
use rayon::prelude::*;

use crate::Delta;

/// One changed account. `None` is an account that the trie does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AccountChange {
    /// Keccak-256 of the address.
    pub hashed: B256,
    /// The address.
    pub address: Address,
    /// Before the block.
    pub before: Option<Account>,
    /// After the block.
    pub after: Option<Account>,
}

/// One changed slot; zero is absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotChange {
    /// Keccak-256 of the slot.
    pub hashed: B256,
    /// Before the block.
    pub before: U256,
    /// After the block.
    pub after: U256,
}

/// The changed storage of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageChange {
    /// Keccak-256 of the address.
    pub hashed: B256,
    /// The address.
    pub address: Address,
    /// All slots that are not listed become zero (the account was destroyed in the block).
    pub wiped: bool,
    /// Sorted by hashed slot.
    pub slots: Vec<SlotChange>,
}

/// Everything that one block changes in the state. Immutable; share it by `Arc`.
#[derive(Debug, Clone, Default)]
pub struct StateChanges {
    pub(crate) accounts: Vec<AccountChange>,
    pub(crate) storage: Vec<Arc<StorageChange>>,
    pub(crate) delta: Delta,
}

impl StateChanges {
    /// Changed accounts, sorted by hashed address.
    pub fn accounts(&self) -> &[AccountChange] {
        &self.accounts
    }

    /// Accounts with changed storage, sorted by hashed address.
    pub fn storage(&self) -> &[Arc<StorageChange>] {
        &self.storage
    }

    /// The values after the block, by plain address and slot.
    pub const fn delta(&self) -> &Delta {
        &self.delta
    }
}

/// Collects the changes of a block and hashes their keys.
///
/// `before` must be the value in the state that the block is applied to, as the executor read it:
/// it becomes the history. Giving a key twice keeps the first `before` and the last `after`, so
/// changes of transactions may be added one after the other.
#[derive(Debug, Default)]
pub struct StateChangesBuilder {
    accounts: AddressMap<(Option<Account>, Option<Account>)>,
    storage: AddressMap<Slots>,
    code: Vec<(B256, Bytes)>,
}

#[derive(Debug, Default)]
struct Slots {
    wiped: bool,
    slots: HashMap<U256, (U256, U256)>,
}

/// From how many keys hashing goes parallel: about 100 µs of work.
const PARALLEL_KEYS: usize = 384;

impl StateChangesBuilder {
    /// No change yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// No change yet, with room for as many accounts.
    pub fn with_capacity(accounts: usize) -> Self {
        let mut changes = Self::default();
        changes.accounts.reserve(accounts);
        changes
    }

    /// An account before and after.
    pub fn account(&mut self, address: Address, before: Option<Account>, after: Option<Account>) {
        self.accounts.entry(address).or_insert((before, after)).1 = after;
        if after.is_none() {
            self.wipe_storage(address);
        }
    }

    /// A slot before and after.
    pub fn storage(&mut self, address: Address, slot: U256, before: U256, after: U256) {
        let slots = &mut self.storage.entry(address).or_default().slots;
        slots.entry(slot).or_insert((before, after)).1 = after;
    }

    /// The account lost its whole storage; slots given afterwards are set after that. Removing an
    /// account implies it.
    pub fn wipe_storage(&mut self, address: Address) {
        let storage = self.storage.entry(address).or_default();
        storage.wiped = true;
        for (_, after) in storage.slots.values_mut() {
            *after = U256::ZERO;
        }
    }

    /// New code. The empty code need not be given.
    pub fn code(&mut self, hash: B256, code: Bytes) {
        if !code.is_empty() {
            self.code.push((hash, code));
        }
    }

    /// Hashes and sorts. Values that did not change are dropped.
    pub fn build(mut self) -> StateChanges {
        self.accounts.retain(|_, (before, after)| before != after);
        self.storage.retain(|address, storage| {
            let created = self.accounts.get(address).is_some_and(|(before, _)| before.is_none());
            // An account that was not there had no storage to lose.
            storage.wiped &= !(created && storage.slots.values().all(|(old, _)| old.is_zero()));
            let wiped = storage.wiped;
            storage.slots.retain(|_, (before, after)| wiped || before != after);
            wiped || !storage.slots.is_empty()
        });
        let delta = self.delta();
        let slots: usize = self.storage.values().map(|storage| storage.slots.len()).sum();
        let parallel = self.accounts.len() + slots >= PARALLEL_KEYS;
        let hash_account = |(address, (before, after)): (Address, (_, _))| AccountChange {
            hashed: keccak256(address),
            address,
            before,
            after,
        };
        let hash_storage =
            |(address, storage): (Address, Slots)| Arc::new(storage.hash(address, parallel));
        let (mut accounts, mut storage): (Vec<_>, Vec<_>) = if parallel {
            let accounts: Vec<_> = self.accounts.into_iter().collect();
            let storage: Vec<_> = self.storage.into_iter().collect();
            rayon::join(
                || accounts.into_par_iter().map(hash_account).collect(),
                || storage.into_par_iter().map(hash_storage).collect(),
            )
        } else {
            (
                self.accounts.into_iter().map(hash_account).collect(),
                self.storage.into_iter().map(hash_storage).collect(),
            )
        };
        accounts.sort_unstable_by_key(|change: &AccountChange| change.hashed);
        storage.sort_unstable_by_key(|change: &Arc<StorageChange>| change.hashed);
        StateChanges { accounts, storage, delta }
    }

    fn delta(&mut self) -> Delta {
        let mut delta = Delta::with_capacity(self.accounts.len());
        for (address, (_, after)) in &self.accounts {
            delta.set_account(*address, *after);
        }
        for (address, storage) in &self.storage {
            if storage.wiped {
                delta.wipe_storage(*address);
            }
            for (slot, (_, after)) in &storage.slots {
                delta.set_storage(*address, *slot, *after);
            }
        }
        for (hash, code) in self.code.drain(..) {
            delta.set_code(hash, code);
        }
        delta
    }
}

impl Slots {
    fn hash(self, address: Address, parallel: bool) -> StorageChange {
        let hash = |(slot, (before, after)): (U256, (U256, U256))| SlotChange {
            hashed: keccak256(slot.to_be_bytes::<32>()),
            before,
            after,
        };
        let mut slots: Vec<_> = if parallel && self.slots.len() >= PARALLEL_KEYS {
            let plain: Vec<_> = self.slots.into_iter().collect();
            plain.into_par_iter().map(hash).collect()
        } else {
            self.slots.into_iter().map(hash).collect()
        };
        slots.sort_unstable_by_key(|change: &SlotChange| change.hashed);
        StorageChange { hashed: keccak256(address), address, wiped: self.wiped, slots }
    }
}
