use alloy_eips::BlockNumHash;
use alloy_primitives::{B256, U256};
use cairn_primitives::L1Origin;
use op_alloy_consensus::TxDeposit;

use super::{ConfigUpdate, InboxTransaction};
use crate::L1BlockRef;

/// What derivation and sequencing need of one L1 block.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct L1Block {
    /// Block number.
    pub number: u64,
    /// Block hash.
    pub hash: B256,
    /// Hash of the parent.
    pub parent_hash: B256,
    /// Seconds since the epoch.
    pub timestamp: u64,
    /// Base fee in wei per gas.
    pub base_fee: U256,
    /// Blob base fee in wei per blob gas, 1 where the block has no blob fields.
    pub blob_base_fee: U256,
    /// Randomness of the beacon chain.
    pub prev_randao: B256,
    /// Root of the parent beacon block (EIP-4788), zero where the header has none.
    pub parent_beacon_block_root: B256,
    /// Deposits through the portal, in log order.
    pub deposits: Vec<TxDeposit>,
    /// Changes of the system configuration, in log order.
    pub config_updates: Vec<ConfigUpdate>,
    /// Successful transactions to the inbox, in block order, by whomever they were sent.
    pub batches: Vec<InboxTransaction>,
}

impl L1Block {
    /// Number and hash.
    pub const fn id(&self) -> BlockNumHash {
        BlockNumHash { number: self.number, hash: self.hash }
    }

    /// Its name and place.
    pub const fn block_ref(&self) -> L1BlockRef {
        L1BlockRef {
            hash: self.hash,
            number: self.number,
            parent_hash: self.parent_hash,
            timestamp: self.timestamp,
        }
    }

    /// What the L1-attributes transaction says of it.
    pub const fn origin(&self) -> L1Origin {
        L1Origin {
            number: self.number,
            hash: self.hash,
            timestamp: self.timestamp,
            base_fee: self.base_fee,
            blob_base_fee: self.blob_base_fee,
        }
    }
}
