//! Roots of states that never come to be.

use std::sync::Arc;

use alloy_primitives::B256;
use alloy_primitives::map::B256Map;

use crate::error::{Result, StateError};
use crate::root::{AccountInput, StateUpdate, StorageInput, Tries};
use crate::{StateChanges, StateView};

impl StateView {
    /// What `changes` would do to this view's state, without pending deltas. Unlike
    /// [`Self::state_update`] it also works below the store's tip and while the store moves on.
    ///
    /// # Errors
    /// [`StateError::Unavailable`] for pruned or unwound state, [`StateError::ForeignChanges`] for
    /// changes of another state.
    pub fn simulated_update(&self, changes: &StateChanges) -> Result<StateUpdate> {
        self.in_tries(|tries| {
            let (accounts, storage) = inputs(tries, changes)?;
            tries.apply(&accounts, &storage)
        })
    }
}

/// Joins changed accounts and accounts with changed storage, with their records.
fn inputs(
    tries: &Tries<'_>,
    changes: &StateChanges,
) -> Result<(Vec<AccountInput>, Vec<StorageInput>)> {
    let mut changed: B256Map<_> =
        changes.accounts().iter().map(|change| (change.hashed, change)).collect();
    let mut touched: Vec<B256> = changed.keys().copied().collect();
    touched.extend(changes.storage().iter().map(|change| change.hashed));
    touched.sort_unstable();
    touched.dedup();
    let mut accounts = Vec::with_capacity(touched.len());
    for (hashed, before) in touched.iter().zip(tries.records(&touched)?) {
        let current = before.map(|record| record.account);
        let after = match changed.remove(hashed) {
            Some(change) if change.before != current => {
                let key = format!("{hashed} ({})", change.address);
                let what = "the account is not what it was said to be";
                return Err(StateError::ForeignChanges { key, what });
            }
            Some(change) => change.after,
            None => current,
        };
        accounts.push(AccountInput { hashed: *hashed, before, after });
    }
    let storage = changes.storage().iter().map(|change| StorageInput {
        hashed: change.hashed,
        wiped: change.wiped,
        slots: Arc::from(change.slots.as_slice()),
    });
    Ok((accounts, storage.collect()))
}
