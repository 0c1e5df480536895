//! State as of one block, readable while the store moves on.
//!
//! # Why a view never mixes two states
//!
//! A view is a stack of layers over the store "as of its block". A key that a layer changed is
//! answered by the layer. Any other key has the same value at every block from the store's tip
//! when the view was made up to the view's block, so the store's flat value is right as long as
//! the store has not gone **beyond** the view's block. The store publishes an upper bound of its
//! tip before each commit begins. A view reads the flat value, then the bound: if the bound is not
//! beyond its block the value is right, otherwise it reads the value again through history, from a
//! snapshot. Unwinding raises an epoch before it begins; a view of an older epoch answers
//! [`ReadError::Unavailable`].

mod update;

use std::sync::Arc;

use alloy_eips::BlockNumHash;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_trie::EMPTY_ROOT_HASH;
use cairn_primitives::{Account, ReadError, StateReader};

use crate::cache::Caches;
use crate::error::{Result, StateError};
use crate::pending::Pending;
use crate::root::Base;
use crate::schema::{AccountRecord, Reader};
use crate::store::Store;
use crate::{Delta, Layer, PendingLayers};

/// The state after one block, or of the open block. Cheap to make and to clone.
#[derive(Clone)]
pub struct StateView {
    pub(crate) store: Store,
    pub(crate) epoch: u64,
    pub(crate) block: BlockNumHash,
    /// Newest first.
    pub(crate) layers: Arc<[Arc<Layer>]>,
    pub(crate) pending: Option<Pending>,
    pub(crate) caches: Arc<Caches>,
}

impl std::fmt::Debug for StateView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StateView")
            .field("block", &self.block)
            .field("epoch", &self.epoch)
            .field("layers", &self.layers.len())
            .field("pending", &self.pending.is_some())
            .finish_non_exhaustive()
    }
}

impl StateView {
    /// The block whose state this is; with pending deltas, the parent of the open block.
    pub const fn block(&self) -> BlockNumHash {
        self.block
    }

    /// Layers, newest first.
    pub fn layers(&self) -> &[Arc<Layer>] {
        &self.layers
    }

    /// This state with the open block's changes on top, in place of any before.
    pub fn with_pending(&self, pending: &PendingLayers) -> Self {
        Self { pending: pending.pending(), ..self.clone() }
    }

    /// The state without the open block's changes.
    pub fn without_pending(&self) -> Self {
        Self { pending: None, ..self.clone() }
    }

    /// The view of a child block that `layer` holds. The layer must follow this view's block.
    pub fn with_layer(&self, layer: Arc<Layer>) -> Result<Self> {
        if layer.parent_hash() != self.block.hash || layer.number() != self.block.number + 1 {
            return Err(StateError::NotOnTip {
                number: layer.number(),
                parent: layer.parent_hash(),
                tip_number: self.block.number,
                tip: self.block.hash,
            });
        }
        let block = layer.block();
        let layers = std::iter::once(layer).chain(self.layers.iter().cloned()).collect();
        Ok(Self { block, layers, pending: None, ..self.clone() })
    }

    /// The account if it can be had without the disk: from the open block, a layer or the cache of
    /// the tip. The outer `None` says nothing about the account.
    pub fn cached_account(&self, address: &Address) -> Option<Option<Account>> {
        if let Some(changed) = self.changed_account(address) {
            return Some(changed);
        }
        // As in `read_through`: right if the store has not moved beyond this view meanwhile.
        let record = self.caches.read.peek_account(address).filter(|_| self.at_tip())?;
        Some(record.map(|record| record.account))
    }

    pub(crate) fn check_epoch(&self) -> Result<()> {
        if self.store.epoch() == self.epoch {
            Ok(())
        } else {
            Err(self.unavailable("the chain was unwound"))
        }
    }

    const fn unavailable(&self, reason: &'static str) -> StateError {
        StateError::Unavailable { block: self.block.number, reason }
    }

    /// The store's value if the store has not gone beyond this view.
    fn at_tip(&self) -> bool {
        self.store.tip_bound() <= self.block.number && self.store.epoch() == self.epoch
    }

    /// A value that no layer changed: `cached` if the store is not beyond this view, else from
    /// history.
    fn read_through<T>(
        &self,
        cached: impl FnOnce() -> Result<T>,
        history: impl FnOnce(Base<'_>) -> Result<T>,
    ) -> Result<T> {
        if self.store.tip_bound() <= self.block.number {
            let value = cached()?;
            self.check_epoch()?;
            if self.store.tip_bound() <= self.block.number {
                return Ok(value);
            }
        }
        let snapshot = self.store.db().snapshot();
        self.check_epoch()?;
        let reader = Reader::at(self.store.db(), &snapshot);
        let value = history(Base::before(reader, self.block.number.saturating_add(1)));
        // Pruning raises the floor before it deletes, so a value found amid it is not used.
        self.store.check_state_floor(self.block.number)?;
        value
    }

    fn stored_account(&self, address: &Address) -> Result<Option<AccountRecord>> {
        let read = |base: Base<'_>| base.record(&keccak256(address));
        let at_tip = || read(Base::tip(self.store.db().reader(), None));
        self.read_through(|| self.caches.read.account(address, at_tip, || self.at_tip()), read)
    }

    fn stored_slot(&self, address: &Address, slot: &U256) -> Result<U256> {
        let hashed = |slot: &U256| keccak256(slot.to_be_bytes::<32>());
        let read = |base: Base<'_>| base.slot(&keccak256(address), &hashed(slot));
        let at_tip = || read(Base::tip(self.store.db().reader(), None));
        self.read_through(|| self.caches.read.slot(address, slot, at_tip, || self.at_tip()), read)
    }

    /// What the layers changed, newest first.
    fn deltas(&self) -> impl Iterator<Item = &Delta> {
        self.layers.iter().map(|layer| layer.changes().delta())
    }

    /// The account if the open block or a layer changed it.
    fn changed_account(&self, address: &Address) -> Option<Option<Account>> {
        let pending = self.pending.as_ref().and_then(|pending| pending.account(address));
        pending.or_else(|| self.deltas().find_map(|delta| delta.account(address)))
    }

    fn changed_slot(&self, address: &Address, slot: &U256) -> Option<U256> {
        let pending = self.pending.as_ref().and_then(|pending| pending.storage(address, slot));
        pending.or_else(|| self.deltas().find_map(|delta| delta.storage(address, slot)))
    }
}

impl StateReader for StateView {
    fn account(&self, address: Address) -> Result<Option<Account>, ReadError> {
        if let Some(changed) = self.changed_account(&address) {
            return Ok(changed);
        }
        Ok(self.stored_account(&address)?.map(|record| record.account))
    }

    fn storage(&self, address: Address, slot: U256) -> Result<U256, ReadError> {
        if let Some(changed) = self.changed_slot(&address, &slot) {
            return Ok(changed);
        }
        Ok(self.stored_slot(&address, &slot)?)
    }

    fn has_storage(&self, address: Address) -> Result<bool, ReadError> {
        if let Some(known) = self.pending.as_ref().and_then(|p| p.has_storage(&address)) {
            return Ok(known);
        }
        Ok(self.storage_root(address)?.is_some_and(|root| root != EMPTY_ROOT_HASH))
    }

    fn code(&self, code_hash: B256) -> Result<Bytes, ReadError> {
        if code_hash == alloy_primitives::KECCAK256_EMPTY {
            return Ok(Bytes::new());
        }
        if let Some(code) = self.pending.as_ref().and_then(|pending| pending.code(&code_hash)) {
            return Ok(code);
        }
        if let Some(code) = self.deltas().find_map(|delta| delta.code(&code_hash)) {
            return Ok(code.clone());
        }
        if let Some(code) = self.caches.read.code(&code_hash) {
            return Ok(code);
        }
        match self.store.code(code_hash)? {
            Some(code) => {
                self.caches.read.put_code(code_hash, code.clone());
                Ok(code)
            }
            None => {
                self.check_epoch()?;
                Err(ReadError::Store(format!("no code for hash {code_hash}")))
            }
        }
    }

    fn block_hash(&self, number: u64) -> Result<B256, ReadError> {
        if number > self.block.number {
            return Ok(B256::ZERO);
        }
        if number == self.block.number {
            return Ok(self.block.hash);
        }
        if let Some(layer) = self.layers.iter().find(|layer| layer.number() == number) {
            return Ok(layer.hash());
        }
        let hash = self.store.canonical_hash(number)?;
        self.check_epoch()?;
        Ok(hash.unwrap_or_default())
    }
}
