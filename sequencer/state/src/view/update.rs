//! The root of the next block, computed on a view.

use alloy_primitives::{Address, B256, keccak256};

use super::StateView;
use crate::error::{Result, StateError};
use crate::root::{AccountInput, StorageInput, Tries};
use crate::{StateChanges, StateUpdate};

impl StateView {
    /// Applies a block's changes: the new state root and everything a [`Layer`] needs. Reads no
    /// pending deltas. Runs on the rayon pool when there is much to do.
    pub fn state_update(&self, changes: &StateChanges) -> Result<StateUpdate> {
        let tries = self.tries();
        let (inputs, storage) = self.inputs(&tries, changes)?;
        let update = tries.apply(&inputs, &storage);
        // Errors of a state that was pulled away are errors of timing, not of the store.
        self.check_current()?;
        update
    }

    /// The storage root of an account, [`EMPTY_ROOT_HASH`](alloy_trie::EMPTY_ROOT_HASH) for one
    /// without storage and `None` for one that does not exist. Reads no pending deltas.
    pub fn storage_root(&self, address: Address) -> Result<Option<B256>> {
        let hashed = keccak256(address);
        if let Some(update) = self.layers.iter().find_map(|l| l.update().account(&hashed)) {
            return Ok(update.after.map(|record| record.storage_root));
        }
        Ok(self.stored_account(&address)?.map(|record| record.storage_root))
    }

    /// The tries after this view's layers, read from the store as it moves. Whoever uses them
    /// calls [`Self::check_current`] afterwards.
    fn tries(&self) -> Tries<'_> {
        Tries {
            base: self.store.db().reader(),
            cache: Some(&self.caches.nodes),
            layers: self.layers.iter().map(|layer| layer.update()).collect(),
        }
    }

    fn check_current(&self) -> Result<()> {
        self.check_epoch()?;
        if self.store.tip_bound() > self.block.number {
            return Err(self.unavailable("the store has moved beyond it"));
        }
        Ok(())
    }

    /// Joins changed accounts and accounts with changed storage, with their records.
    fn inputs(
        &self,
        tries: &Tries<'_>,
        changes: &StateChanges,
    ) -> Result<(Vec<AccountInput>, Vec<StorageInput>)> {
        let mut touched: Vec<(B256, Address)> = changes
            .accounts()
            .iter()
            .map(|change| (change.hashed, change.address))
            .chain(changes.storage().iter().map(|change| (change.hashed, change.address)))
            .collect();
        touched.sort_unstable();
        touched.dedup();
        let cached = |(hashed, address): &(B256, Address)| {
            let layered = tries.layers.iter().any(|layer| layer.account(hashed).is_some());
            if layered { None } else { self.caches.read.peek_account(address) }
        };
        let known: Vec<_> = touched.iter().map(cached).collect();
        let unknown: Vec<B256> =
            touched.iter().zip(&known).filter(|(_, k)| k.is_none()).map(|(t, _)| t.0).collect();
        let mut read = tries.records(&unknown)?.into_iter();
        let mut changed = changes.accounts().iter().peekable();
        let mut inputs = Vec::with_capacity(touched.len());
        for ((hashed, _), known) in touched.iter().zip(known) {
            let before = known.unwrap_or_else(|| read.next().flatten());
            let current = before.map(|record| record.account);
            let after = match changed.next_if(|change| change.hashed == *hashed) {
                Some(change) if change.before != current => {
                    self.check_current()?;
                    let key = format!("{hashed} ({})", change.address);
                    let what = "the account is not what it was said to be";
                    return Err(StateError::ForeignChanges { key, what });
                }
                Some(change) => change.after,
                None => current,
            };
            inputs.push(AccountInput { hashed: *hashed, before, after });
        }
        let storage = changes.storage().iter().map(|change| {
            let at = inputs.binary_search_by(|input| input.hashed.cmp(&change.hashed));
            let exists = at.is_ok_and(|at| inputs[at].after.is_some());
            if !exists && change.slots.iter().any(|slot| !slot.after.is_zero()) {
                let key = format!("{} ({})", change.hashed, change.address);
                let what = "slots are set in an account that does not exist";
                return Err(StateError::ForeignChanges { key, what });
            }
            let slots = change.slots.as_slice().into();
            Ok(StorageInput { hashed: change.hashed, wiped: change.wiped, slots })
        });
        let storage = storage.collect::<Result<_>>()?;
        Ok((inputs, storage))
    }
}
