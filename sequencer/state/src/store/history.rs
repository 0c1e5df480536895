//! The way back to an old state.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::{B256, U256};

use crate::changes::SlotChange;
use crate::error::{Result, StateError};
use crate::root::{AccountInput, Base, StateUpdate, StorageInput, Tries};
use crate::schema::{AccountRecord, Column, Reader, decode_slot, keys};

/// The difference between the present state and an older one.
#[derive(Default)]
pub(super) struct Reversal {
    /// Records at the older block.
    pub(super) accounts: BTreeMap<B256, Option<AccountRecord>>,
    /// Slots at the older block by hashed address and slot.
    pub(super) slots: BTreeMap<(B256, B256), U256>,
    /// What the change sets hold, for whoever removes them with their index.
    pub(super) account_keys: Vec<(u64, B256)>,
    pub(super) slot_keys: Vec<(u64, B256, B256)>,
}

impl Reversal {
    /// Adds the change set of one block. Blocks are added from the newest to the oldest.
    pub(super) fn add(&mut self, reader: Reader<'_>, number: u64) -> Result<()> {
        let malformed = || StateError::corrupt(format!("change set of block {number}"));
        reader.scan(Column::AccountChanges, &keys::block(number), |key, value| {
            let hashed = B256::try_from(&key[8..]).map_err(|_| malformed())?;
            let record = (!value.is_empty()).then(|| AccountRecord::decode(value)).transpose()?;
            self.accounts.insert(hashed, record);
            self.account_keys.push((number, hashed));
            Ok(())
        })?;
        reader.scan(Column::SlotChanges, &keys::block(number), |key, value| {
            let (account, slot) = key[8..].split_first_chunk::<32>().ok_or_else(malformed)?;
            let slot = B256::try_from(slot).map_err(|_| malformed())?;
            self.slots.insert((B256::new(*account), slot), decode_slot(value)?);
            self.slot_keys.push((number, B256::new(*account), slot));
            Ok(())
        })
    }

    /// Number of changes.
    pub(super) fn len(&self) -> usize {
        self.account_keys.len() + self.slot_keys.len()
    }

    /// Applies the reversal to the state that `base` is: the records, slots and trie nodes after
    /// `block`, and its root.
    ///
    /// # Errors
    /// [`StateError::RootMismatch`] if that is not `root`, which the block's header says.
    pub(super) fn apply(&self, base: Base<'_>, block: u64, root: B256) -> Result<StateUpdate> {
        let update = self.applied(&Tries { base, layers: Vec::new() })?;
        StateError::check_root(block, root, update.root)?;
        Ok(update)
    }

    fn applied(&self, tries: &Tries<'_>) -> Result<StateUpdate> {
        let mut storage: BTreeMap<B256, Vec<SlotChange>> = BTreeMap::new();
        for ((account, slot), value) in &self.slots {
            let before = tries.slot(account, slot)?;
            if before != *value {
                let change = SlotChange { hashed: *slot, before, after: *value };
                storage.entry(*account).or_default().push(change);
            }
        }
        let hashed: Vec<B256> = self.accounts.keys().copied().collect();
        let present = tries.records(&hashed)?;
        let accounts: Vec<_> = self
            .accounts
            .iter()
            .zip(present)
            .map(|((hashed, record), before)| AccountInput {
                hashed: *hashed,
                before,
                after: record.map(|record| record.account),
            })
            .collect();
        let storage: Vec<_> = storage
            .into_iter()
            .map(|(hashed, slots)| StorageInput { hashed, wiped: false, slots: Arc::from(slots) })
            .collect();
        tries.apply(&accounts, &storage)
    }
}
