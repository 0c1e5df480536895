//! Batches: what a channel holds of L2 blocks.
//!
//! A channel, once decompressed, is a sequence of RLP byte strings, each `version ‖ content`:
//! version 0 a singular batch, version 1 a span batch (OP specification: Derivation, Batch format;
//! Span batches).

use alloy_eips::BlockNumHash;
use alloy_primitives::{B256, Bytes};

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
