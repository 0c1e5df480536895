//! What one says of a block to name it and to order it.

use alloy_eips::BlockNumHash;
use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

/// An L1 block, in the form that `optimism_syncStatus` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct L1BlockRef {
    /// Block hash.
    pub hash: B256,
    /// Block number.
    pub number: u64,
    /// Hash of the parent.
    pub parent_hash: B256,
    /// Seconds since the epoch.
    pub timestamp: u64,
}

/// An L2 block, in the form that `optimism_syncStatus` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct L2BlockRef {
    /// Block hash.
    pub hash: B256,
    /// Block number.
    pub number: u64,
    /// Hash of the parent.
    pub parent_hash: B256,
    /// Seconds since the epoch.
    pub timestamp: u64,
    /// The L1 block that it is built on.
    #[serde(rename = "l1origin")]
    pub l1_origin: BlockNumHash,
    /// Blocks since the first one with this origin.
    pub sequence_number: u64,
}

impl L1BlockRef {
    /// Number and hash.
    pub const fn id(&self) -> BlockNumHash {
        BlockNumHash { number: self.number, hash: self.hash }
    }
}

impl L2BlockRef {
    /// Number and hash.
    pub const fn id(&self) -> BlockNumHash {
        BlockNumHash { number: self.number, hash: self.hash }
    }
}
