//! What the node knows of the registry on L1.

use std::collections::BTreeMap;
use std::sync::Arc;

use alloy_primitives::B256;
use cairn_primitives::da::{Epoch, Snapshot, Timestamp};

/// A block of L1, confirmed deeply enough for this node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct L1Head {
    /// Number.
    pub number: u64,
    /// Hash.
    pub hash: B256,
    /// Its timestamp.
    pub time: Timestamp,
}

/// The registry as of a block: the epochs whose headers can be signed.
#[derive(Debug, Clone, Default)]
pub struct Quorums {
    /// As of this block.
    pub head: L1Head,
    /// Epoch of that block.
    pub current: Epoch,
    /// Epochs with a snapshot and a seed: the one before, the current and the next one.
    pub snapshots: BTreeMap<Epoch, Arc<Snapshot>>,
}
