//! Blocks that are executed but not yet in the store.

use std::sync::Arc;

use alloy_eips::BlockNumHash;
use alloy_primitives::B256;

use crate::{StateChanges, StateUpdate};

/// One executed block that is not yet committed: what views read before they turn to the store,
/// and what the commit writes. Share it by `Arc`.
#[derive(Debug)]
pub struct Layer {
    block: BlockNumHash,
    parent: B256,
    changes: Arc<StateChanges>,
    update: StateUpdate,
}

impl Layer {
    /// The layer of a block. `update` is what
    /// [`StateView::state_update`](crate::StateView::state_update) of the parent's view gave for
    /// `changes`.
    pub const fn new(
        block: BlockNumHash,
        parent: B256,
        changes: Arc<StateChanges>,
        update: StateUpdate,
    ) -> Self {
        Self { block, parent, changes, update }
    }

    /// Number and hash of the block.
    pub const fn block(&self) -> BlockNumHash {
        self.block
    }

    /// Block number.
    pub const fn number(&self) -> u64 {
        self.block.number
    }

    /// Block hash.
    pub const fn hash(&self) -> B256 {
        self.block.hash
    }

    /// Parent hash.
    pub const fn parent_hash(&self) -> B256 {
        self.parent
    }

    /// State root after the block.
    pub const fn state_root(&self) -> B256 {
        self.update.root()
    }

    /// What the block changed.
    pub const fn changes(&self) -> &Arc<StateChanges> {
        &self.changes
    }

    /// What it did to records and tries.
    pub const fn update(&self) -> &StateUpdate {
        &self.update
    }
}
