//! Executed blocks.

use std::sync::Arc;

use alloy_primitives::B256;
use cairn_primitives::{Receipt, RecoveredBlock};
use cairn_state::Layer;

/// How a reader names a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockRef {
    /// The canonical block with that number.
    Number(u64),
    /// The block with that hash.
    Hash(B256),
    /// The newest block.
    Latest,
    /// The newest safe block.
    Safe,
    /// The newest finalized block.
    Finalized,
    /// The first block that the chain has.
    Earliest,
}

impl From<u64> for BlockRef {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<B256> for BlockRef {
    fn from(hash: B256) -> Self {
        Self::Hash(hash)
    }
}

/// Where a transaction stands.
#[derive(Debug, Clone)]
pub struct TxPosition {
    /// The block that holds it.
    pub block: RecoveredBlock,
    /// Its index there.
    pub index: usize,
}

/// A block with everything that its execution gave. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ExecutedBlock {
    /// The block.
    pub block: RecoveredBlock,
    /// One receipt for each transaction.
    pub receipts: Arc<Vec<Receipt>>,
    /// Its state changes and trie nodes.
    pub layer: Arc<Layer>,
}
