//! The state that the transactions of one block see and change.
//!
//! Each value that the block reads or writes is kept once, with the value before the block beside
//! it: what the block changed is at hand when it ends, and nothing is merged then.

use alloy_primitives::map::hash_map::Entry;
use alloy_primitives::map::{AddressMap, B256Map, HashMap};
use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use cairn_primitives::{Account, StateReader};
use revm::bytecode::Bytecode;
use revm::state::{Account as EvmAccount, AccountInfo};
use revm::{Database, DatabaseCommit};

use crate::database::{account_info, account_of};
use crate::{AccountDelta, AccountDiff, BlockDiff, DbError, StateDb};

/// The parent's state under what the block has changed so far.
#[derive(Debug)]
pub(super) struct BlockState<R> {
    parent: Parent<R>,
    accounts: AddressMap<Known>,
    /// Code that the block has run.
    code: B256Map<Bytecode>,
    /// Code that the block has deployed.
    deployed: B256Map<Bytecode>,
    block_hashes: HashMap<u64, B256>,
}

#[derive(Debug)]
struct Parent<R> {
    state: StateDb<R>,
    /// Whether accounts without nonce and code have to be asked for storage.
    storage_only: bool,
}

/// An account that the block has read.
#[derive(Debug)]
struct Known {
    /// Before the block.
    before: Option<Account>,
    /// Now; `None` while the trie has no leaf for it.
    now: Option<AccountInfo>,
    /// Whether a transaction has written it.
    written: bool,
    /// Whether all storage from before the block is gone.
    wiped: bool,
    slots: HashMap<U256, Slot>,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    before: U256,
    now: U256,
}

impl<R: StateReader> BlockState<R> {
    /// The state of a block on top of `parent`. With `storage_only` there may be accounts with
    /// storage, but with neither nonce nor code.
    pub(super) fn new(parent: R, storage_only: bool) -> Self {
        Self {
            parent: Parent { state: StateDb(parent), storage_only },
            accounts: AddressMap::default(),
            code: B256Map::default(),
            deployed: B256Map::default(),
            block_hashes: HashMap::default(),
        }
    }

    /// What the block has changed.
    pub(super) fn into_diff(self) -> BlockDiff {
        let mut accounts = Vec::with_capacity(self.accounts.len());
        for (address, known) in self.accounts {
            if !known.written {
                continue;
            }
            let after = known.now.as_ref().map(account_of);
            let storage: Vec<_> = known
                .slots
                .into_iter()
                .filter(|(_, slot)| slot.before != slot.now)
                .map(|(key, slot)| (key, slot.before, slot.now))
                .collect();
            if known.before != after || known.wiped || !storage.is_empty() {
                let (before, wiped) = (known.before, known.wiped);
                accounts.push(AccountDiff { address, before, after, wiped, storage });
            }
        }
        let code = self.deployed.into_iter().map(|(hash, code)| (hash, code.original_bytes()));
        BlockDiff { accounts, code: code.collect() }
    }

    /// What the block has changed so far. Goes through all that it has read.
    pub(super) fn deltas(&self) -> Vec<AccountDelta> {
        let written = self.accounts.iter().filter(|(_, known)| known.written);
        let deltas = written.map(|(address, known)| {
            let changed = known.slots.iter().filter(|(_, slot)| slot.before != slot.now);
            let code = known.now.as_ref().and_then(|now| {
                let code = self.deployed.get(&now.code_hash)?;
                Some((now.code_hash, code.original_bytes()))
            });
            AccountDelta {
                address: *address,
                account: known.now.as_ref().map(account_of),
                code,
                wiped: known.wiped,
                storage: changed.map(|(key, slot)| (*key, slot.now)).collect(),
            }
        });
        deltas.collect()
    }

    fn apply(&mut self, address: Address, account: EvmAccount) {
        if !account.is_touched() {
            return;
        }
        let known = self.accounts.get_mut(&address).expect("what is written was read before");
        known.written = true;
        // Before Spurious Dragon, revm marks the empty accounts that stay as created or untouched.
        let gone = account.is_selfdestructed() || (account.is_empty() && !account.is_created());
        if gone {
            known.now = None;
            known.wiped = true;
            known.slots.clear();
            return;
        }
        if account.is_created() {
            // Nothing can be created over storage (EIP-7610): what was read here was zero.
            known.slots.clear();
        }
        for (key, slot) in account.storage {
            if slot.is_changed() {
                let (before, now) = (slot.original_value, slot.present_value);
                known.slots.entry(key).or_insert(Slot { before, now }).now = now;
            }
        }
        let deployed = account.info.code_hash != KECCAK256_EMPTY
            && known.now.as_ref().is_none_or(|now| now.code_hash != account.info.code_hash);
        if deployed && let Some(code) = &account.info.code {
            self.code.insert(account.info.code_hash, code.clone());
            self.deployed.insert(account.info.code_hash, code.clone());
        }
        known.now = Some(account.info);
    }
}

/// The account, read from the parent's state where the block has not read it yet.
fn load<'a, R: StateReader>(
    accounts: &'a mut AddressMap<Known>,
    parent: &mut Parent<R>,
    address: Address,
) -> Result<&'a mut Known, DbError> {
    Ok(match accounts.entry(address) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => {
            let now = match parent.storage_only {
                true => parent.state.basic(address)?,
                false => parent.state.0.account(address)?.map(account_info),
            };
            let before = now.as_ref().map(account_of);
            let slots = HashMap::default();
            entry.insert(Known { before, now, written: false, wiped: false, slots })
        }
    })
}

impl<R: StateReader> Database for BlockState<R> {
    type Error = DbError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, DbError> {
        Ok(load(&mut self.accounts, &mut self.parent, address)?.now.clone())
    }

    fn code_by_hash(&mut self, code_hash: B256) -> Result<Bytecode, DbError> {
        Ok(match self.code.entry(code_hash) {
            Entry::Occupied(entry) => entry.get().clone(),
            Entry::Vacant(entry) => {
                entry.insert(self.parent.state.code_by_hash(code_hash)?).clone()
            }
        })
    }

    fn storage(&mut self, address: Address, key: U256) -> Result<U256, DbError> {
        let known = load(&mut self.accounts, &mut self.parent, address)?;
        let has_none = known.wiped || known.before.is_none();
        Ok(match known.slots.entry(key) {
            Entry::Occupied(entry) => entry.get().now,
            Entry::Vacant(entry) => {
                let before =
                    if has_none { U256::ZERO } else { self.parent.state.storage(address, key)? };
                entry.insert(Slot { before, now: before }).now
            }
        })
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, DbError> {
        Ok(match self.block_hashes.entry(number) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => *entry.insert(self.parent.state.block_hash(number)?),
        })
    }
}

impl<R: StateReader> DatabaseCommit for BlockState<R> {
    fn commit(&mut self, changes: AddressMap<EvmAccount>) {
        for (address, account) in changes {
            self.apply(address, account);
        }
    }

    fn commit_iter(&mut self, changes: &mut dyn Iterator<Item = (Address, EvmAccount)>) {
        for (address, account) in changes {
            self.apply(address, account);
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Bytes;
    use cairn_primitives::ReadError;
    use revm::state::EvmStorageSlot;

    use super::*;

    const ADDRESS: Address = Address::repeat_byte(1);
    const ONE: U256 = U256::ONE;

    /// One account with 7 in every slot.
    #[derive(Debug)]
    struct Ones;

    impl StateReader for Ones {
        fn account(&self, address: Address) -> Result<Option<Account>, ReadError> {
            let account = Account { nonce: 1, balance: ONE, ..Account::default() };
            Ok((address == ADDRESS).then_some(account))
        }

        fn storage(&self, _: Address, _: U256) -> Result<U256, ReadError> {
            Ok(U256::from(7))
        }

        fn code(&self, _: B256) -> Result<Bytes, ReadError> {
            Err(ReadError::Store("no code".into()))
        }

        fn block_hash(&self, _: u64) -> Result<B256, ReadError> {
            Ok(B256::ZERO)
        }
    }

    /// The account as the EVM gives it back, with a slot changed from one value to another.
    fn written(state: &mut BlockState<Ones>, address: Address, to: u64) -> EvmAccount {
        let info = state.basic(address).unwrap().unwrap_or_default();
        let from = state.storage(address, ONE).unwrap();
        let mut account = EvmAccount::from(AccountInfo { nonce: info.nonce + 1, ..info });
        account.storage.insert(ONE, EvmStorageSlot::new_changed(from, U256::from(to), 0));
        account.mark_touch();
        account
    }

    fn commit(state: &mut BlockState<Ones>, address: Address, account: EvmAccount) {
        state.commit(AddressMap::from_iter([(address, account)]));
    }

    #[test]
    fn the_diff_spans_all_transactions_of_the_block() {
        let mut state = BlockState::new(Ones, true);
        for to in [8, 9] {
            let account = written(&mut state, ADDRESS, to);
            commit(&mut state, ADDRESS, account);
        }
        assert_eq!(state.basic(ADDRESS).unwrap().unwrap().nonce, 3);
        let diff = state.into_diff();
        assert_eq!(diff.accounts.len(), 1);
        let account = &diff.accounts[0];
        assert_eq!(account.before.unwrap().nonce, 1);
        assert_eq!(account.after.unwrap().nonce, 3);
        assert_eq!(account.storage, [(ONE, U256::from(7), U256::from(9))]);
        assert!(!account.wiped);
    }

    #[test]
    fn what_is_only_read_or_changed_back_is_no_change() {
        let mut state = BlockState::new(Ones, true);
        state.storage(ADDRESS, U256::from(2)).unwrap();
        let before = state.basic(ADDRESS).unwrap().unwrap();
        let account = written(&mut state, ADDRESS, 8);
        commit(&mut state, ADDRESS, account);
        let mut account = written(&mut state, ADDRESS, 7);
        account.info = before;
        commit(&mut state, ADDRESS, account);
        assert_eq!(state.into_diff(), BlockDiff::default());
    }

    #[test]
    fn destroyed_storage_is_gone_and_what_comes_after_it_starts_from_zero() {
        let mut state = BlockState::new(Ones, true);
        let mut account = written(&mut state, ADDRESS, 8);
        account.mark_selfdestruct();
        commit(&mut state, ADDRESS, account);
        assert_eq!(state.basic(ADDRESS).unwrap(), None);
        assert_eq!(state.storage(ADDRESS, U256::from(2)).unwrap(), U256::ZERO);
        let mut account = written(&mut state, ADDRESS, 5);
        account.mark_created();
        commit(&mut state, ADDRESS, account);
        let diff = state.into_diff();
        assert!(diff.accounts[0].wiped);
        assert_eq!(diff.accounts[0].storage, [(ONE, U256::ZERO, U256::from(5))]);
    }

    #[test]
    fn an_empty_account_that_is_touched_leaves_nothing() {
        let mut state = BlockState::new(Ones, true);
        let other = Address::repeat_byte(2);
        assert_eq!(state.basic(other).unwrap(), None);
        assert_eq!(state.storage(other, ONE).unwrap(), U256::ZERO);
        let mut account = EvmAccount::new_not_existing(0);
        account.mark_touch();
        commit(&mut state, other, account);
        assert_eq!(state.basic(other).unwrap(), None);
        let diff = state.into_diff();
        assert!(diff.accounts.iter().all(|account| account.after.is_none()), "{diff:?}");
    }
}
