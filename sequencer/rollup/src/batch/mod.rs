//! Batches: what a channel holds of L2 blocks.
//!
//! A channel, once decompressed, is a sequence of RLP byte strings, each `version ‖ content`:
//! version 0 a singular batch ([`singular`]), version 1 a span batch ([`span`]) (OP specification:
//! Derivation, Batch format; Span batches). Bytes behind the content are passed over.
//!
//! Decoding takes memory in proportion to its input, and says nothing about validity against the
//! chain: that is for derivation.

mod error;
mod rlp;
pub mod singular;
pub mod span;

use alloy_eips::BlockNumHash;
use alloy_primitives::{B256, Bytes};

pub use error::{BatchError, SpanField};
pub use span::SpanBatchBuilder;

use crate::{L2BlockRef, RollupConfig};

/// Version byte of a singular batch.
pub const SINGULAR_BATCH_VERSION: u8 = 0;
/// Version byte of a span batch.
pub const SPAN_BATCH_VERSION: u8 = 1;
/// Most blocks, and most transactions, in one span batch (Fjord).
pub const MAX_SPAN_BATCH_ELEMENT_COUNT: u64 = 10_000_000;

/// One L2 block without its deposits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SingularBatch {
    /// Hash of the parent block.
    pub parent_hash: B256,
    /// The L1 origin.
    pub epoch: BlockNumHash,
    /// Seconds since the epoch.
    pub timestamp: u64,
    /// EIP-2718 transactions, no deposits.
    pub transactions: Vec<Bytes>,
}

/// Consecutive L2 blocks, compressed together: what a span batch says once its columns are read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpanBatch {
    /// First 20 bytes of the hash of the parent of the first block.
    pub parent_check: [u8; 20],
    /// First 20 bytes of the hash of the last block's L1 origin.
    pub l1_origin_check: [u8; 20],
    /// The blocks, oldest first; never empty.
    pub blocks: Vec<SpanBatchBlock>,
}

/// One block of a span batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SpanBatchBlock {
    /// Number of its L1 origin.
    pub epoch: u64,
    /// Seconds since the epoch.
    pub timestamp: u64,
    /// EIP-2718 transactions, no deposits.
    pub transactions: Vec<Bytes>,
}

/// Any batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Batch {
    /// Version 0.
    Singular(SingularBatch),
    /// Version 1.
    Span(SpanBatch),
}

/// An L2 block as a batch is made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchBlock {
    /// The block.
    pub block: L2BlockRef,
    /// Its EIP-2718 transactions without the deposits.
    pub transactions: Vec<Bytes>,
}

impl Batch {
    /// Reads `version ‖ content`.
    pub fn decode(bytes: &[u8], config: &RollupConfig) -> Result<Self, BatchError> {
        match bytes.split_first() {
            Some((&SINGULAR_BATCH_VERSION, content)) => {
                SingularBatch::decode(content).map(Self::Singular)
            }
            Some((&SPAN_BATCH_VERSION, content)) => {
                SpanBatch::decode(content, config).map(Self::Span)
            }
            Some((version, _)) => Err(BatchError::Version(*version)),
            None => Err(BatchError::Empty),
        }
    }
}

impl From<&BatchBlock> for SingularBatch {
    fn from(block: &BatchBlock) -> Self {
        Self {
            parent_hash: block.block.parent_hash,
            epoch: block.block.l1_origin,
            timestamp: block.block.timestamp,
            transactions: block.transactions.clone(),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
