//! The root of the next block, computed on a view.

use alloy_primitives::map::AddressSet;
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_trie::EMPTY_ROOT_HASH;
use cairn_primitives::StateReader;

use super::StateView;
use crate::error::{Result, StateError};
use crate::root::{AccountInput, Base, StorageInput, Tries};
use crate::{Delta, HeadStart, StateChanges, StateChangesBuilder, StateUpdate};

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
    /// the block ends. `before` is an earlier result for the same block, whose work is not done
    /// again. `None` where the block wiped storage, whose changes are only taken as a whole, and for
    /// a view without open block.
    pub fn head_start(&self, before: Option<HeadStart>) -> Result<Option<HeadStart>> {
        let Some(pending) = &self.pending else { return Ok(None) };
        let upto = pending.upto();
        let since = before.as_ref().map_or(0, |before| before.upto);
        let parent = self.without_pending();
        let known = before.as_ref().map(|before| &before.changes);
        let Some(late) = late_changes(&parent, known, &pending.delta_since(since))? else {
            return Ok(None);
        };
        let Some(HeadStart { changes, update, .. }) = before else {
            let update = parent.state_update(&late)?;
            return Ok(Some(HeadStart { changes: late, update, upto }));
        };
        let update = parent.state_update_after(update, &late)?;
        Ok(Some(HeadStart { changes: changes.then(late), update, upto }))
    }

    /// The update of a block in two steps: `late` are changes on top of those of `start`.
    fn state_update_after(&self, start: StateUpdate, late: &StateChanges) -> Result<StateUpdate> {
        if late.accounts().is_empty() && late.storage().is_empty() {
            return Ok(start);
        }
        let mut tries = self.tries();
        tries.layers.insert(0, &start);
        let (inputs, storage) = self.inputs(&tries, late)?;
        let update = tries.apply(&inputs, &storage);
        self.check_current()?;
        Ok(start.then(update?))
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
            base: Base::tip(self.store.db().reader(), Some(&self.caches.nodes)),
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

/// The changes that lead from `known`, earlier changes of the same block, to the values of `delta`.
/// `None` if storage was wiped that there was.
fn late_changes(
    parent: &StateView,
    known: Option<&StateChanges>,
    delta: &Delta,
) -> Result<Option<StateChanges>> {
    let known_delta = known.map(StateChanges::delta);
    let account = |address: &Address| match known_delta.and_then(|known| known.account(address)) {
        Some(account) => Ok(account),
        None => parent.account(*address),
    };
    let mut changes = StateChangesBuilder::new();
    let mut created = AddressSet::default();
    for (address, after) in delta.accounts() {
        let before = account(address)?;
        if before.is_none() {
            created.insert(*address);
        }
        match after {
            None if before.is_some() => return Ok(None),
            // Created and destroyed.
            None => {}
            Some(_) => changes.account(*address, before, *after),
        }
    }
    for address in delta.wiped() {
        let earlier = known_delta.is_some_and(|known| known.has_slots(address));
        let stored = || parent.storage_root(*address);
        if earlier || stored()?.is_some_and(|root| root != EMPTY_ROOT_HASH) {
            return Ok(None);
        }
    }
    for (address, slot, after) in delta.slots() {
        let known = known_delta.and_then(|known| known.storage(&address, &slot));
        let before = match known {
            Some(value) => value,
            None if created.contains(&address) => U256::ZERO,
            None => parent.storage(address, slot)?,
        };
        changes.storage(address, slot, before, after);
    }
    for (hash, code) in delta.codes() {
        changes.code(*hash, code.clone());
    }
    Ok(Some(changes.build()))
}
