//! The state of the block that is being built, published while it grows.
//!
//! All values are in one map that only grows, each with the number of the publication that brought
//! it; a view knows up to which number it sees. So publishing copies nothing that was published
//! before, and nothing that a view can see ever changes.

use std::sync::Arc;

use alloy_primitives::map::{AddressMap, B256Map, HashMap};
use alloy_primitives::{Address, B256, Bytes, U256};
use cairn_primitives::Account;
use parking_lot::RwLock;
use smallvec::{SmallVec, smallvec};

use crate::{Delta, StateView};

/// What an open block has published.
#[derive(Debug, Default)]
pub struct PendingLayers {
    values: Arc<RwLock<Values>>,
    published: u32,
}

/// What a view sees of an open block.
#[derive(Debug, Clone)]
pub(crate) struct Pending {
    values: Arc<RwLock<Values>>,
    upto: u32,
}

#[derive(Debug, Default)]
struct Values {
    accounts: AddressMap<Versions<Option<Account>>>,
    storage: AddressMap<StorageVersions>,
    code: B256Map<(u32, Bytes)>,
}

/// The versions of one value, oldest first, by number of publication.
#[derive(Debug)]
struct Versions<T>(SmallVec<[(u32, T); 1]>);

#[derive(Debug, Default)]
struct StorageVersions {
    /// Publications that wiped it, before they set slots.
    wipes: SmallVec<[u32; 1]>,
    slots: HashMap<U256, Versions<U256>>,
}

impl<T: Copy> Versions<T> {
    /// The newest version that was published at or before `upto`.
    fn at(&self, upto: u32) -> Option<(u32, T)> {
        self.0.iter().rev().find(|(number, _)| *number <= upto).copied()
    }
}

impl StorageVersions {
    fn wiped(&self, upto: u32) -> Option<u32> {
        self.wipes.iter().rev().find(|number| **number <= upto).copied()
    }

    /// A slot's value, `None` if it is what it was before the block.
    fn slot(&self, versions: Option<&Versions<U256>>, upto: u32) -> Option<U256> {
        let wiped = self.wiped(upto);
        match versions.and_then(|versions| versions.at(upto)) {
            Some((number, value)) if wiped.is_none_or(|wiped| wiped <= number) => Some(value),
            _ => wiped.map(|_| U256::ZERO),
        }
    }
}

impl PendingLayers {
    /// An open block without transactions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Publishes the changes of the next transactions.
    pub fn push(&mut self, delta: &Delta) {
        if delta.is_empty() {
            return;
        }
        self.published = self.published.checked_add(1).expect("a block has fewer transactions");
        self.values.write().add(self.published, delta);
    }

    /// Whether nothing was published.
    pub const fn is_empty(&self) -> bool {
        self.published == 0
    }

    /// The open block's state over its parent's.
    pub fn view(&self, parent: &StateView) -> StateView {
        parent.with_pending(self)
    }

    pub(crate) fn pending(&self) -> Option<Pending> {
        let seen = Pending { values: self.values.clone(), upto: self.published };
        (!self.is_empty()).then_some(seen)
    }
}

impl Values {
    fn add(&mut self, number: u32, delta: &Delta) {
        fn put<K: std::hash::Hash + Eq, T, S: std::hash::BuildHasher>(
            map: &mut HashMap<K, Versions<T>, S>,
            key: K,
            version: (u32, T),
        ) {
            match map.get_mut(&key) {
                Some(versions) => versions.0.push(version),
                None => drop(map.insert(key, Versions(smallvec![version]))),
            }
        }
        for (address, account) in delta.accounts() {
            put(&mut self.accounts, *address, (number, *account));
        }
        for address in delta.wiped() {
            self.storage.entry(*address).or_default().wipes.push(number);
        }
        for (address, slot, value) in delta.slots() {
            put(&mut self.storage.entry(address).or_default().slots, slot, (number, value));
        }
        for (hash, code) in delta.codes() {
            self.code.entry(*hash).or_insert_with(|| (number, code.clone()));
        }
    }
}

impl Pending {
    /// The account if the block changed it.
    pub(crate) fn account(&self, address: &Address) -> Option<Option<Account>> {
        let values = self.values.read();
        values.accounts.get(address)?.at(self.upto).map(|(_, account)| account)
    }

    /// The slot if the block changed it.
    pub(crate) fn storage(&self, address: &Address, slot: &U256) -> Option<U256> {
        let values = self.values.read();
        let storage = values.storage.get(address)?;
        storage.slot(storage.slots.get(slot), self.upto)
    }

    /// Whether the account has storage, as far as the block alone can tell.
    pub(crate) fn has_storage(&self, address: &Address) -> Option<bool> {
        let values = self.values.read();
        let storage = values.storage.get(address)?;
        let value = |versions| storage.slot(Some(versions), self.upto);
        let any = storage.slots.values().any(|slot| value(slot).is_some_and(|v| !v.is_zero()));
        any.then_some(true).or(storage.wiped(self.upto).map(|_| false))
    }

    /// Code that the block added.
    pub(crate) fn code(&self, hash: &B256) -> Option<Bytes> {
        let values = self.values.read();
        let (number, code) = values.code.get(hash)?;
        (*number <= self.upto).then(|| code.clone())
    }

    /// The last publication that the view sees.
    pub(crate) const fn upto(&self) -> u32 {
        self.upto
    }

    /// What the publications after `since` changed, as far as the view sees them, with the values
    /// that it sees. Zero is all of them.
    pub(crate) fn delta_since(&self, since: u32) -> Delta {
        let values = self.values.read();
        let new = |number: u32| number > since && number <= self.upto;
        let mut delta = Delta::new();
        for (address, versions) in &values.accounts {
            if let Some((number, account)) = versions.at(self.upto)
                && new(number)
            {
                delta.set_account(*address, account);
            }
        }
        for (address, storage) in &values.storage {
            let wiped = storage.wiped(self.upto);
            if wiped.is_some_and(new) {
                delta.wipe_storage(*address);
            }
            for (slot, versions) in &storage.slots {
                let seen = versions.at(self.upto);
                if let Some((number, value)) = seen.filter(|(number, _)| wiped <= Some(*number))
                    && new(number)
                {
                    delta.set_storage(*address, *slot, value);
                }
            }
        }
        for (hash, (number, code)) in &values.code {
            if new(*number) {
                delta.set_code(*hash, code.clone());
            }
        }
        delta
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: Address = Address::repeat_byte(1);

    fn with(build: impl FnOnce(&mut Delta)) -> Delta {
        let mut delta = Delta::new();
        build(&mut delta);
        delta
    }

    #[test]
    fn a_view_sees_what_was_published_before_it_and_nothing_later() {
        let mut pending = PendingLayers::new();
        assert!(pending.pending().is_none());
        let mut views = Vec::new();
        for n in 1..=100u64 {
            let account = Account { nonce: n, ..Account::default() };
            pending.push(&with(|delta| {
                delta.set_account(ADDRESS, Some(account));
                delta.set_storage(ADDRESS, U256::from(n % 3), U256::from(n));
                if n == 50 {
                    delta.wipe_storage(ADDRESS);
                    delta.set_storage(ADDRESS, U256::from(2), U256::from(50));
                }
            }));
            views.push(pending.pending().unwrap());
        }
        for (n, view) in (1u64..).zip(&views) {
            assert_eq!(view.account(&ADDRESS).unwrap().unwrap().nonce, n);
            for slot in 0..3u64 {
                let newest = (1..=n).rev().find(|m| m % 3 == slot);
                let expected = match newest {
                    Some(newest) if n < 50 || newest >= 50 => Some(newest),
                    _ if n >= 50 => Some(0),
                    _ => None,
                };
                let slot = U256::from(slot);
                let expected = expected.map(U256::from);
                assert_eq!(view.storage(&ADDRESS, &slot), expected, "slot {slot} after {n}");
                let whole = view.delta_since(0);
                assert_eq!(whole.storage(&ADDRESS, &slot), expected, "slot {slot} after {n}");
            }
            assert_eq!(view.has_storage(&ADDRESS), Some(true));
        }
        assert_eq!(views[9].account(&Address::ZERO), None);
    }

    #[test]
    fn storage_that_is_wiped_or_cleared_is_none() {
        let (mut pending, one) = (PendingLayers::new(), U256::from(1));
        pending.push(&with(|delta| delta.set_storage(ADDRESS, one, one)));
        pending.push(&with(|delta| delta.set_storage(ADDRESS, one, U256::ZERO)));
        assert_eq!(pending.pending().unwrap().has_storage(&ADDRESS), None);
        pending.push(&with(|delta| delta.wipe_storage(ADDRESS)));
        assert_eq!(pending.pending().unwrap().has_storage(&ADDRESS), Some(false));
        let code = Bytes::from([7]);
        pending.push(&with(|delta| delta.set_code(B256::ZERO, code.clone())));
        assert_eq!(pending.pending().unwrap().code(&B256::ZERO), Some(code));
    }
}
