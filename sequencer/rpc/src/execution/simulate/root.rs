//! State roots of simulated blocks.

use alloy_primitives::{Address, B256, KECCAK256_EMPTY};
use cairn_evm::revm_types::{AccountInfo, CachedState};
use cairn_primitives::{Account, StateReader};
use cairn_state::{StateChangesBuilder, StateView};

use crate::RpcError;
use crate::execution::context::CallDb;

/// Roots after the changes of all simulated blocks so far.
#[derive(Debug, Clone, Copy)]
pub(super) struct Roots {
    pub(super) state: B256,
    /// Storage root of an account that was asked for.
    pub(super) storage: Option<B256>,
}

/// Compares `db` with the state underneath. `empty` tells which accounts exist although they are
/// empty; any other empty account is gone (EIP-161).
pub(super) fn roots(
    base: &StateView,
    db: &CallDb,
    empty: impl Fn(&Address) -> bool,
    storage_of: Option<Address>,
) -> Result<Roots, RpcError> {
    let mut changes = StateChangesBuilder::new();
    for (address, cached) in &db.cache.accounts {
        let before = base.account(*address)?;
        let gone = cached.account_state == CachedState::NotExisting;
        let after = account(&cached.info);
        let after = (!gone && (!after.is_empty() || empty(address))).then_some(after);
        let cleared = gone || cached.account_state == CachedState::StorageCleared;
        if before.is_none() && after.is_none() {
            continue;
        }
        changes.account(*address, before, after);
        if cleared && before.is_some() {
            changes.wipe_storage(*address);
        }
        if after.is_none() {
            continue;
        }
        for (slot, value) in &cached.storage {
            changes.storage(*address, *slot, base.storage(*address, *slot)?, *value);
        }
    }
    let changes = changes.build();
    let update = base.simulated_update(&changes)?;
    let storage = match storage_of {
        None => None,
        Some(address) => match update.storage_root(address) {
            Some(root) => Some(root),
            None => base.storage_root(address)?,
        },
    };
    Ok(Roots { state: update.root(), storage })
}

fn account(info: &AccountInfo) -> Account {
    // The EVM knows some accounts without code by a hash of zero.
    let code_hash = if info.code_hash.is_zero() { KECCAK256_EMPTY } else { info.code_hash };
    Account { nonce: info.nonce, balance: info.balance, code_hash }
}
