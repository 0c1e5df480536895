//! Storage tries first, then the account trie over their roots.

use std::sync::Arc;

use alloy_primitives::map::B256Map;
use alloy_primitives::{B256, U256};
use alloy_trie::EMPTY_ROOT_HASH;
use cairn_primitives::Account;
use rayon::prelude::*;

use super::layered::slot_leaf;
use super::{AccountUpdate, Base, LayeredTrie, StateUpdate, StorageUpdate};
use crate::changes::SlotChange;
use crate::error::Result;
use crate::schema::{AccountRecord, keys};
use crate::trie::{Change, update};

/// An account that changes, or whose storage changes.
pub(crate) struct AccountInput {
    pub(crate) hashed: B256,
    pub(crate) before: Option<AccountRecord>,
    pub(crate) after: Option<Account>,
}

/// Slots that change. With `wiped` the previous values given are ignored and read instead.
#[derive(Clone)]
pub(crate) struct StorageInput {
    pub(crate) hashed: B256,
    pub(crate) wiped: bool,
    pub(crate) slots: Arc<[SlotChange]>,
}

/// The state and its tries after a stack of updates.
pub(crate) struct Tries<'a> {
    pub(crate) base: Base<'a>,
    /// Newest first.
    pub(crate) layers: Vec<&'a StateUpdate>,
}

/// Accounts and keys from which work is spread over threads.
const PARALLEL_ACCOUNTS: usize = 8;
const READ_CHUNK: usize = 128;

impl<'a> Tries<'a> {
    pub(crate) fn accounts(&self) -> LayeredTrie<'a> {
        LayeredTrie::accounts(self.base, &self.layers)
    }

    pub(crate) fn storage(&self, account: B256) -> LayeredTrie<'a> {
        LayeredTrie::storage(self.base, &self.layers, account)
    }

    /// The record of an account.
    pub(crate) fn record(&self, hashed: &B256) -> Result<Option<AccountRecord>> {
        if let Some(update) = self.layers.iter().find_map(|layer| layer.account(hashed)) {
            return Ok(update.after);
        }
        self.base.record(hashed)
    }

    /// Records of sorted keys, read in batches on all threads.
    pub(crate) fn records(&self, hashed: &[B256]) -> Result<Vec<Option<AccountRecord>>> {
        let chunks: Vec<Vec<_>> = hashed
            .par_chunks(READ_CHUNK)
            .map(|chunk| {
                let layered = |key: &B256| self.layers.iter().find_map(|layer| layer.account(key));
                let stored: Vec<_> = chunk.iter().filter(|key| layered(key).is_none()).collect();
                let mut stored = self.base.records(&stored)?.into_iter();
                let mut record = |key: &B256| match layered(key) {
                    Some(update) => update.after,
                    None => stored.next().flatten(),
                };
                Ok(chunk.iter().map(&mut record).collect())
            })
            .collect::<Result<_>>()?;
        Ok(chunks.into_iter().flatten().collect())
    }

    /// The value of a slot.
    pub(crate) fn slot(&self, account: &B256, slot: &B256) -> Result<U256> {
        for layer in &self.layers {
            let Some(update) = layer.storage(account) else { continue };
            if let Ok(at) = update.slots.binary_search_by(|change| change.hashed.cmp(slot)) {
                return Ok(update.slots[at].after);
            }
        }
        self.base.slot(account, slot)
    }

    /// All slots of an account, in key order.
    pub(crate) fn slots(&self, account: &B256) -> Result<Vec<(B256, U256)>> {
        let mut slots = self.base.slots(account)?;
        for layer in self.layers.iter().rev() {
            for change in layer.storage(account).iter().flat_map(|update| update.slots.iter()) {
                slots.insert(change.hashed, change.after);
            }
        }
        Ok(slots.into_iter().filter(|(_, value)| !value.is_zero()).collect())
    }

    /// Applies changes, sorted by key. Every account of `storage` must be among `accounts`.
    pub(crate) fn apply(
        &self,
        accounts: &[AccountInput],
        storage: &[StorageInput],
    ) -> Result<StateUpdate> {
        let before = |hashed: &B256| {
            let at = accounts.binary_search_by(|input| input.hashed.cmp(hashed)).ok()?;
            accounts[at].before
        };
        let one = |input: &StorageInput| self.apply_storage(input, before(&input.hashed));
        let done: Vec<_> = if storage.len() >= PARALLEL_ACCOUNTS {
            storage.par_iter().map(one).collect::<Result<_>>()?
        } else {
            storage.iter().map(one).collect::<Result<_>>()?
        };
        let roots: B256Map<B256> =
            done.iter().map(|(root, update)| (update.hashed, *root)).collect();
        let updates: Vec<_> = accounts
            .iter()
            .map(|input| AccountUpdate {
                hashed: input.hashed,
                before: input.before,
                after: input.after.map(|account| AccountRecord {
                    account,
                    storage_root: roots.get(&input.hashed).copied().unwrap_or_else(|| {
                        input.before.map_or(EMPTY_ROOT_HASH, |record| record.storage_root)
                    }),
                }),
            })
            .filter(|update| update.before != update.after)
            .collect();
        let changes: Vec<_> = updates
            .iter()
            .map(|update| Change {
                key: keys::unpack(&update.hashed),
                existed: update.before.is_some(),
                value: update.after.map(|record| record.trie_value()),
            })
            .collect();
        let (root, nodes) = update(self.accounts(), &changes, false)?;
        let storage = done.into_iter().map(|(_, update)| update);
        let storage = storage.filter(|s| !s.slots.is_empty() || !s.nodes.is_empty()).collect();
        Ok(StateUpdate::new(root, updates, storage, nodes))
    }

    fn apply_storage(
        &self,
        input: &StorageInput,
        before: Option<AccountRecord>,
    ) -> Result<(B256, StorageUpdate)> {
        let hashed = input.hashed;
        let old_root = before.map_or(EMPTY_ROOT_HASH, |record| record.storage_root);
        let empty = old_root == EMPTY_ROOT_HASH;
        let slots = match input.wiped {
            true if empty => input.slots.iter().filter(|c| !c.after.is_zero()).copied().collect(),
            true => self.wiped_slots(input)?,
            false => input.slots.clone(),
        };
        let changes: Vec<_> = slots
            .iter()
            .map(|change| Change {
                key: keys::unpack(&change.hashed),
                existed: !change.before.is_zero(),
                value: slot_leaf(change.after),
            })
            .collect();
        if changes.is_empty() {
            let update = StorageUpdate { hashed, slots, nodes: Default::default() };
            return Ok((old_root, update));
        }
        let (root, nodes) = update(self.storage(hashed), &changes, empty)?;
        Ok((root, StorageUpdate { hashed, slots, nodes }))
    }

    /// Every slot that the account had or gets, with its true previous value.
    fn wiped_slots(&self, input: &StorageInput) -> Result<Arc<[SlotChange]>> {
        let mut slots: std::collections::BTreeMap<_, _> = self
            .slots(&input.hashed)?
            .into_iter()
            .map(|(hashed, before)| (hashed, SlotChange { hashed, before, after: U256::ZERO }))
            .collect();
        for change in &*input.slots {
            let fresh = SlotChange { before: U256::ZERO, ..*change };
            slots.entry(change.hashed).or_insert(fresh).after = change.after;
        }
        Ok(slots.into_values().filter(|change| change.before != change.after).collect())
    }
}
