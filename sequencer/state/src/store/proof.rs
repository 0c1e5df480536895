//! Account and storage proofs (EIP-1186), at the tip, above it and below it.

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::EMPTY_ROOT_HASH;
use cairn_primitives::Account;

use super::Store;
use super::history::Reversal;
use crate::StateView;
use crate::error::{Result, StateError};
use crate::root::{StateUpdate, Tries};
use crate::schema::{Column, Reader, keys, meta};
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
    /// Proves an account and some of its slots in this view's state, without pending deltas.
    ///
    /// Below the store's tip the later blocks are reverted in memory first, which costs as much as
    /// their changes. At most [`Options::max_proof_distance`](crate::Options) of them.
    ///
    /// # Errors
    /// [`StateError::ProofTooFar`] beyond that distance, [`StateError::Unavailable`] for pruned or
    /// unwound state.
    pub fn proof(&self, address: Address, slots: &[U256]) -> Result<AccountProof> {
        let snapshot = self.store.db().snapshot();
        self.check_epoch()?;
        let base = Reader::at(self.store.db(), &snapshot);
        let reversed = self.store.reversed(base, self.block.number)?;
        let layers = match &reversed {
            Some(update) => vec![update],
            None => self.layers.iter().map(|layer| layer.update()).collect(),
        };
        Tries { base, cache: None, layers }.proof(address, slots)
    }
}

impl Store {
    /// What leads from a snapshot's tip back to an older block; `None` if the tip is not later.
    pub(super) fn reversed(&self, base: Reader<'_>, block: u64) -> Result<Option<StateUpdate>> {
        let tip = base.get(Column::Meta, meta::TIP)?;
        let tip = tip.ok_or(StateError::Genesis("the store has no genesis block yet"))?;
        let tip = meta::decode_block(&tip)?.number;
        let distance = tip.saturating_sub(block);
        if distance == 0 {
            return Ok(None);
        }
        let limit = self.0.options.max_proof_distance;
        if distance > limit {
            return Err(StateError::ProofTooFar { block, distance, limit });
        }
        let mut reversal = Reversal::default();
        for number in (block + 1..=tip).rev() {
            reversal.add(base, number)?;
        }
        self.check_state_floor(block)?;
        let update = reversal.apply(&Tries { base, cache: None, layers: Vec::new() })?;
        let header = base.get(Column::Header, &keys::block(block))?;
        let header = header.ok_or_else(|| StateError::corrupt(format!("no header {block}")))?;
        let header: cairn_primitives::Header = alloy_rlp::decode_exact(&*header)
            .map_err(|error| StateError::corrupt(format!("header {block}: {error}")))?;
        if update.root != header.state_root {
            return Err(StateError::RootMismatch {
                block,
                expected: header.state_root,
                computed: update.root,
            });
        }
        Ok(Some(update))
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
