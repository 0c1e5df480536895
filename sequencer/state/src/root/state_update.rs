//! What a block did to the flat state and the tries, in hashed keys.

use std::sync::Arc;

use alloy_primitives::map::B256Map;
use alloy_primitives::{Address, B256, keccak256};

use crate::changes::SlotChange;
use crate::schema::AccountRecord;
use crate::trie::NodeSet;

/// A changed account record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct AccountUpdate {
    pub(crate) hashed: B256,
    pub(crate) before: Option<AccountRecord>,
    pub(crate) after: Option<AccountRecord>,
}

/// Changed slots of one account, complete even where the storage was wiped.
#[derive(Debug, Clone)]
pub(crate) struct StorageUpdate {
    pub(crate) hashed: B256,
    /// Sorted by key.
    pub(crate) slots: Arc<[SlotChange]>,
    pub(crate) nodes: NodeSet,
}

/// The result of applying a block's changes: the new state root, every changed record with its
/// previous value, and the changed trie nodes. It is all that a commit writes to the flat state,
/// the tries and the history, and what later roots and proofs read until then.
#[derive(Debug, Clone)]
pub struct StateUpdate {
    pub(crate) root: B256,
    /// Sorted by key.
    pub(crate) accounts: Vec<AccountUpdate>,
    /// Sorted by key.
    pub(crate) storage: Vec<StorageUpdate>,
    pub(crate) nodes: NodeSet,
    /// Position in `storage`.
    pub(crate) storage_index: B256Map<usize>,
}

impl StateUpdate {
    pub(crate) fn new(
        root: B256,
        accounts: Vec<AccountUpdate>,
        storage: Vec<StorageUpdate>,
        nodes: NodeSet,
    ) -> Self {
        let storage_index = storage.iter().enumerate().map(|(i, s)| (s.hashed, i)).collect();
        Self { root, accounts, storage, nodes, storage_index }
    }

    /// The state root after the block.
    pub const fn root(&self) -> B256 {
        self.root
    }

    /// The storage root after the block of an account that the block changed, be it only in its
    /// storage; `None` for any other account and for one that was removed.
    pub fn storage_root(&self, address: Address) -> Option<B256> {
        let update = self.account(&keccak256(address))?;
        update.after.map(|record| record.storage_root)
    }

    /// Number of changed accounts, counting those with changed storage only.
    pub fn changed_accounts(&self) -> usize {
        self.accounts.len()
    }

    /// Number of trie nodes written or removed.
    pub fn changed_nodes(&self) -> usize {
        self.nodes.len() + self.storage.iter().map(|s| s.nodes.len()).sum::<usize>()
    }

    /// Bytes of memory, roughly.
    pub fn size(&self) -> usize {
        let storage: usize =
            self.storage.iter().map(|s| s.slots.len() * 96 + s.nodes.size() + 128).sum();
        self.accounts.len() * size_of::<AccountUpdate>() + storage + self.nodes.size()
    }

    pub(crate) fn account(&self, hashed: &B256) -> Option<&AccountUpdate> {
        let at = self.accounts.binary_search_by(|update| update.hashed.cmp(hashed)).ok()?;
        Some(&self.accounts[at])
    }

    pub(crate) fn storage(&self, hashed: &B256) -> Option<&StorageUpdate> {
        self.storage_index.get(hashed).map(|at| &self.storage[*at])
    }
}
