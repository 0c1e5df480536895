//! Origin selection: which L1 block the sequencer's next block is built on (OP specification:
//! Derivation, constraints of L2 blocks).
//!
//! The next origin is taken as soon as its timestamp allows and it is deep enough. A block that is
//! further ahead of its origin than the drift allows holds deposits alone, and only while the next
//! origin is known and in the future; without that knowledge the block might be one that
//! derivation refuses, so none is built.

use alloy_eips::BlockNumHash;
use alloy_primitives::B256;

use crate::{L1BlockRef, L2BlockRef, RollupConfig};

/// What the sequencer knows of L1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct L1View {
    /// Number of L1's head.
    pub head: u64,
    /// The canonical block at the number of the parent's origin.
    pub current: Option<L1BlockRef>,
    /// The one after it.
    pub next: Option<L1BlockRef>,
}

/// The origin of the next block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OriginChoice {
    /// The L1 block.
    pub origin: L1BlockRef,
    /// Blocks since the first one with that origin.
    pub sequence_number: u64,
    /// Whether the block must hold deposits alone.
    pub deposits_only: bool,
}

/// Why no block may be built now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// L1 does not show the parent's origin: ask again.
    #[error("L1 block {} is not known", .0.number)]
    Unknown(BlockNumHash),
    /// L1 was reorganised below the parent: reset.
    #[error("L1 block {} is {actual}, not {}", expected.number, expected.hash)]
    Reorg {
        /// The parent's origin.
        expected: BlockNumHash,
        /// What L1 has.
        actual: B256,
    },
    /// L1 stands still or is not followed: wait.
    #[error(
        "next block is {ahead} s ahead of L1 block {origin}, and L1 shows no block after it that \
         is {confirmations} deep"
    )]
    StaleL1 {
        /// Number of the parent's origin.
        origin: u64,
        /// Seconds that the block would be ahead.
        ahead: u64,
        /// Confirmation depth.
        confirmations: u64,
    },
}

/// Chooses the origin of the block after `parent`. The next origin must have `confirmations`
/// blocks on it.
pub fn select_origin(
    config: &RollupConfig,
    parent: &L2BlockRef,
    l1: &L1View,
    confirmations: u64,
) -> Result<OriginChoice, OriginError> {
    let expected = parent.l1_origin;
    let current = l1.current.ok_or(OriginError::Unknown(expected))?;
    if current.id() != expected {
        return Err(OriginError::Reorg { expected, actual: current.hash });
    }
    let timestamp = parent.timestamp.saturating_add(config.block_time);
    let drift = config.sequencer_drift_max();
    let beyond = |origin: &L1BlockRef| timestamp > origin.timestamp.saturating_add(drift);

    let next = l1.next.filter(|next| next.parent_hash == current.hash);
    let deep = |next: &L1BlockRef| next.number.saturating_add(confirmations) <= l1.head;
    if let Some(next) = next.filter(|next| deep(next) && next.timestamp <= timestamp) {
        return Ok(OriginChoice { origin: next, sequence_number: 0, deposits_only: beyond(&next) });
    }
    let deposits_only = beyond(&current);
    let next_is_ahead = next.is_some_and(|next| deep(&next) && next.timestamp > timestamp);
    if deposits_only && !next_is_ahead {
        return Err(OriginError::StaleL1 {
            origin: current.number,
            ahead: timestamp.saturating_sub(current.timestamp),
            confirmations,
        });
    }
    let sequence_number = parent.sequence_number.saturating_add(1);
    Ok(OriginChoice { origin: current, sequence_number, deposits_only })
}

#[cfg(test)]
#[path = "origin_tests.rs"]
mod tests;
