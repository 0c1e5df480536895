//! The root of the next block, computed on a view.

use alloy_primitives::map::AddressSet;
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_trie::EMPTY_ROOT_HASH;
use cairn_primitives::StateReader;

use super::StateView;
use crate::error::{Result, StateError};
use crate::pending::Pending;
use crate::root::{AccountInput, StorageInput, Tries};
use crate::{HeadStart, StateChanges, StateChangesBuilder, StateUpdate};

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

    /// Applies what the open block of this view has changed so far, so that the root takes less when
    /// the block ends. `before` is an earlier result for the same block. `None` where the block wiped
    /// storage: its root is then computed as a whole.
    pub fn head_start(&self, before: Option<HeadStart>) -> Result<Option<HeadStart>> {
        let parent = self.without_pending();
        let Some(delta) = self.pending.as_ref().map(Pending::delta) else { return Ok(before) };
        let mut changes = StateChangesBuilder::new();
        let mut created = AddressSet::default();
        for (address, after) in delta.accounts() {
            let before = parent.account(*address)?;
            if before.is_none() {
                created.insert(*address);
            }
            changes.account(*address, before, *after);
        }
        for address in delta.wiped().filter(|address| !created.contains(*address)) {
            if parent.storage_root(*address)?.is_some_and(|root| root != EMPTY_ROOT_HASH) {
                return Ok(None);
            }
        }
        for (address, slot, after) in delta.slots() {
            let before = match created.contains(&address) {
                true => U256::ZERO,
                false => parent.storage(address, slot)?,
            };
            changes.storage(address, slot, before, after);
        }
        let changes = changes.build();
        let update = match before {
            Some(before) => parent.state_update_from(before, &changes)?,
            None => parent.state_update(&changes)?,
        };
        Ok(Some(HeadStart { changes, update }))
    }

    /// [`Self::state_update`] of a block whose root has a head start on this view.
    pub fn state_update_from(
        &self,
        start: HeadStart,
        changes: &StateChanges,
    ) -> Result<StateUpdate> {
        let Some(late) = changes.since(&start.changes) else { return self.state_update(changes) };
        if late.accounts().is_empty() && late.storage().is_empty() {
            return Ok(start.update);
        }
        let mut tries = self.tries();
        tries.layers.insert(0, &start.update);
        let (inputs, storage) = self.inputs(&tries, &late)?;
        let update = tries.apply(&inputs, &storage);
        self.check_current()?;
        Ok(start.update.then(update?))
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
