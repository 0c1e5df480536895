//! Changed state by plain address and slot, for reads that do not hash.

use alloy_primitives::map::{AddressMap, B256Map, HashMap};
use alloy_primitives::{Address, B256, Bytes, U256};
use cairn_primitives::Account;

/// What one step (a transaction, a block, several of them) left behind, keyed by plain address.
///
/// A delta only knows the values after the step. It is what views look up; what goes to disk is
/// [`StateChanges`](crate::StateChanges).
#[derive(Debug, Clone, Default)]
pub struct Delta {
    accounts: AddressMap<Option<Account>>,
    storage: AddressMap<StorageDelta>,
    code: B256Map<Bytes>,
}

/// Changed slots of one account.
#[derive(Debug, Clone, Default)]
struct StorageDelta {
    /// All slots that are not listed are zero.
    wiped: bool,
    slots: HashMap<U256, U256>,
}

impl Delta {
    /// An empty delta.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty delta with room for as many accounts.
    pub(crate) fn with_capacity(accounts: usize) -> Self {
        let mut delta = Self::default();
        delta.accounts.reserve(accounts);
        delta
    }

    /// Sets an account, or removes it together with its storage.
    pub fn set_account(&mut self, address: Address, account: Option<Account>) {
        self.accounts.insert(address, account);
        if account.is_none() {
            self.wipe_storage(address);
        }
    }

    /// Sets a slot.
    pub fn set_storage(&mut self, address: Address, slot: U256, value: U256) {
        self.storage.entry(address).or_default().slots.insert(slot, value);
    }

    /// Sets all slots of an account to zero, those set before included.
    pub fn wipe_storage(&mut self, address: Address) {
        self.storage.insert(address, StorageDelta { wiped: true, slots: HashMap::default() });
    }

    /// Adds code.
    pub fn set_code(&mut self, hash: B256, code: Bytes) {
        self.code.insert(hash, code);
    }

    /// Adds a later step that wipes nothing.
    pub(crate) fn extend(&mut self, later: Self) {
        debug_assert!(later.wiped().next().is_none(), "a wipe hides earlier slots");
        self.accounts.extend(later.accounts);
        for (address, storage) in later.storage {
            self.storage.entry(address).or_default().slots.extend(storage.slots);
        }
        self.code.extend(later.code);
    }

    /// The account if this delta changed it.
    pub fn account(&self, address: &Address) -> Option<Option<Account>> {
        self.accounts.get(address).copied()
    }

    /// The slot if this delta changed it.
    pub fn storage(&self, address: &Address, slot: &U256) -> Option<U256> {
        let storage = self.storage.get(address)?;
        storage.slots.get(slot).copied().or(storage.wiped.then_some(U256::ZERO))
    }

    /// Code that this delta added.
    pub fn code(&self, hash: &B256) -> Option<&Bytes> {
        self.code.get(hash)
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.accounts.is_empty() && self.storage.is_empty() && self.code.is_empty()
    }

    /// Changed accounts.
    pub fn accounts(&self) -> impl Iterator<Item = (&Address, &Option<Account>)> {
        self.accounts.iter()
    }

    /// Accounts whose storage was wiped.
    pub(crate) fn wiped(&self) -> impl Iterator<Item = &Address> {
        self.storage.iter().filter(|(_, storage)| storage.wiped).map(|(address, _)| address)
    }

    /// Whether it changed slots of the account.
    pub(crate) fn has_slots(&self, address: &Address) -> bool {
        self.storage.get(address).is_some_and(|storage| !storage.slots.is_empty())
    }

    /// Changed slots with their values.
    pub(crate) fn slots(&self) -> impl Iterator<Item = (Address, U256, U256)> + '_ {
        self.storage.iter().flat_map(|(address, storage)| {
            storage.slots.iter().map(move |(slot, value)| (*address, *slot, *value))
        })
    }

    /// Added code.
    pub(crate) fn codes(&self) -> impl Iterator<Item = (&B256, &Bytes)> {
        self.code.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wipe_hides_older_slots_and_not_newer_ones() {
        let (address, one) = (Address::repeat_byte(1), U256::from(1));
        let mut older = Delta::new();
        older.set_storage(address, one, one);
        let mut newer = Delta::new();
        newer.set_account(address, None);
        newer.set_storage(address, U256::from(2), one);
        assert_eq!(newer.storage(&address, &one), Some(U256::ZERO));
        assert_eq!(older.storage(&Address::ZERO, &one), None);
    }
}
