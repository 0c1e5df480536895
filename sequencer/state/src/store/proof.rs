//! Account and storage proofs (EIP-1186), at the tip, above it and below it.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::EMPTY_ROOT_HASH;
use cairn_primitives::Account;

use crate::StateView;
use crate::error::{Result, StateError};
use crate::root::Tries;
use crate::schema::keys;
use crate::trie::prove;

/// Proof of one slot against the account's storage root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StorageProof {
    /// The slot.
    pub slot: U256,
    /// Its value, zero if the trie does not have it.
    pub value: U256,
    /// RLP nodes from the root down; empty for an empty trie.
    pub nodes: Vec<Bytes>,
}

/// Proof of an account, or of its absence, against a state root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountProof {
    /// The address.
    pub address: Address,
    /// The account, `None` if the state does not have it.
    pub account: Option<Account>,
    /// Root of its storage trie.
    pub storage_root: B256,
    /// RLP nodes from the root down; empty for an empty state.
    pub nodes: Vec<Bytes>,
    /// One for each slot asked for, in that order.
    pub storage: Vec<StorageProof>,
}

impl StateView {
    /// Proves an account and some of its slots in this view's state, without pending deltas. What a
    /// proof below the store's tip costs is bounded, however old its block is.
    ///
    /// # Errors
    /// [`StateError::Unavailable`] for pruned or unwound state.
    pub fn proof(&self, address: Address, slots: &[U256]) -> Result<AccountProof> {
        self.in_tries(|tries| tries.proof(address, slots))
    }
}

impl Tries<'_> {
    fn proof(&self, address: Address, slots: &[U256]) -> Result<AccountProof> {
        let hashed = keccak256(address);
        let record = self.record(&hashed)?;
        let (nodes, found) = prove(&mut self.accounts(), &keys::unpack(&hashed))?;
        if found != record.map(|record| record.trie_value()) {
            return Err(StateError::corrupt(format!("trie and record of {address} differ")));
        }
        let storage_root = record.map_or(EMPTY_ROOT_HASH, |record| record.storage_root);
        let mut trie = self.storage(hashed);
        let prove_slot = |slot: &U256| {
            let key = keccak256(slot.to_be_bytes::<32>());
            if storage_root == EMPTY_ROOT_HASH {
                return Ok(StorageProof { slot: *slot, value: U256::ZERO, nodes: Vec::new() });
            }
            let value = self.slot(&hashed, &key)?;
            let (nodes, found) = prove(&mut trie, &keys::unpack(&key))?;
            if found != crate::root::slot_leaf(value) {
                return Err(StateError::corrupt(format!("trie and slot {slot} of {address}")));
            }
            Ok(StorageProof { slot: *slot, value, nodes })
        };
        Ok(AccountProof {
            address,
            account: record.map(|record| record.account),
            storage_root,
            nodes,
            storage: slots.iter().map(prove_slot).collect::<Result<_>>()?,
        })
    }
}
