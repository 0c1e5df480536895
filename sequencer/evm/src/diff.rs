//! State changes in plain types.

use alloy_primitives::{Address, B256, Bytes, KECCAK256_EMPTY, U256};
use cairn_primitives::Account;
use revm::state::EvmState;

use crate::database::account_of;

/// What a block changed, with the values before it. Unsorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BlockDiff {
    /// One entry for each changed account.
    pub accounts: Vec<AccountDiff>,
    /// Code that the block deployed, by hash.
    pub code: Vec<(B256, Bytes)>,
}

/// What a block changed in one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountDiff {
    /// The account.
    pub address: Address,
    /// Before the block, `None` where the trie had no leaf.
    pub before: Option<Account>,
    /// After the block.
    pub after: Option<Account>,
    /// All storage from before the block is gone; `storage` holds what was written after.
    /// Happens only to a SELFDESTRUCT before Cancun.
    pub wiped: bool,
    /// Slot, value before and value after; values differ.
    pub storage: Vec<(U256, U256, U256)>,
}

/// What one transaction left behind in one account, for readers of the pending state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountDelta {
    /// The account.
    pub address: Address,
    /// Its state now, `None` when it is gone.
    pub account: Option<Account>,
    /// Code that the transaction gave it.
    pub code: Option<(B256, Bytes)>,
    /// All earlier storage is gone.
    pub wiped: bool,
    /// Slots that the transaction changed, with their new values.
    pub storage: Vec<(U256, U256)>,
}

/// The deltas of one transaction. Before Spurious Dragon (EIP-161) touched accounts exist even if
/// they are empty, storage of theirs included.
pub(crate) fn deltas(state: &EvmState, removes_empty: bool) -> Vec<AccountDelta> {
    let mut deltas = Vec::with_capacity(state.len());
    for (address, account) in state {
        if !account.is_touched() {
            continue;
        }
        let gone = account.is_selfdestructed() || (removes_empty && account.is_empty());
        let code = account
            .info
            .code
            .as_ref()
            .filter(|_| account.info.code_hash != KECCAK256_EMPTY)
            .filter(|_| {
                account.is_created() || account.info.code_hash != account.original_info.code_hash
            })
            .map(|code| (account.info.code_hash, code.original_bytes()));
        deltas.push(AccountDelta {
            address: *address,
            account: (!gone).then(|| account_of(&account.info)),
            code,
            wiped: account.is_selfdestructed() || account.is_created(),
            storage: if gone {
                Vec::new()
            } else {
                account.changed_storage_slots().map(|(slot, v)| (*slot, v.present_value)).collect()
            },
        });
    }
    deltas
}
