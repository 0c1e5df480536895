//! What one says of a block to name it and to order it.

use alloy_eips::BlockNumHash;
use alloy_primitives::B256;
use cairn_primitives::{Block, L1Attributes, L1AttributesError, TxEnvelope};
use serde::{Deserialize, Serialize};

use crate::RollupConfig;

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

impl L2BlockRef {
    /// Name and place of a block, its origin read from its L1-attributes transaction.
    pub fn from_block(
        config: &RollupConfig,
        block: &Block,
        hash: B256,
    ) -> Result<Self, L2BlockError> {
        let header = &block.header;
        let (l1_origin, sequence_number) = if header.number == config.genesis.l2.number {
            (config.genesis.l1, 0)
        } else {
            let L1Attributes { origin, sequence_number, .. } = l1_attributes(block)?;
            (BlockNumHash { number: origin.number, hash: origin.hash }, sequence_number)
        };
        Ok(Self {
            hash,
            number: header.number,
            parent_hash: header.parent_hash,
            timestamp: header.timestamp,
            l1_origin,
            sequence_number,
        })
    }
}

/// An L2 block that says not what it was built on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum L2BlockError {
    /// Its first transaction is no deposit.
    #[error("block {0} does not begin with an L1-attributes transaction")]
    NoAttributes(u64),
    /// Its first deposit holds no attributes.
    #[error("block {number}: {source}")]
    Attributes {
        /// The block.
        number: u64,
        /// What is wrong.
        source: L1AttributesError,
    },
    /// Its extra data holds no EIP-1559 parameters.
    #[error("block {number} has extra data of {length} bytes")]
    ExtraData {
        /// The block.
        number: u64,
        /// Its bytes.
        length: usize,
    },
}

/// The L1 attributes of a block after genesis.
pub(crate) fn l1_attributes(block: &Block) -> Result<L1Attributes, L2BlockError> {
    let number = block.header.number;
    let Some(TxEnvelope::Deposit(deposit)) = block.body.transactions.first() else {
        return Err(L2BlockError::NoAttributes(number));
    };
    L1Attributes::from_deposit(deposit.inner())
        .map_err(|source| L2BlockError::Attributes { number, source })
}
