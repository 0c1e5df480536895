//! A synthetic L1.

use std::sync::Arc;

use alloy_primitives::{B256, Bytes, U256, keccak256};

use super::GENESIS_TIME;
use crate::l1::L1Block;
use crate::{L2BlockRef, RollupConfig, SystemConfig};

/// Number of L1's genesis block for the rollup.
pub const L1_GENESIS: u64 = 100;

/// What a verifier asks of L1.
pub trait L1Source {
    /// Hash of the block at that number.
    fn hash(&self, number: u64) -> Option<B256>;

    /// The block at that number, `safe` being the safe head before it.
    fn block(&self, number: u64, safe: &L2BlockRef) -> Option<Arc<L1Block>>;

    /// Data of a transaction that are not in its block.
    fn data(&self, transaction: B256) -> Vec<Bytes>;
}

/// L1 without what is posted on it.
#[derive(Debug, Clone)]
pub struct L1 {
    /// From the rollup's genesis block on.
    pub blocks: Vec<L1Block>,
}

impl L1 {
    /// The genesis block alone, at the time of L2's; makes both the genesis of the rollup.
    pub fn new(config: &mut RollupConfig) -> Self {
        let mut l1 = Self { blocks: Vec::new() };
        l1.push(GENESIS_TIME, 0);
        config.genesis.l1 = l1.last().id();
        config.genesis.l2.hash = B256::repeat_byte(0x22);
        l1
    }

    /// Appends a block; those of another fork have another salt.
    pub fn push(&mut self, timestamp: u64, salt: u64) {
        let (number, parent_hash) = match self.blocks.last() {
            Some(last) => (last.number + 1, last.hash),
            None => (L1_GENESIS, B256::ZERO),
        };
        let hash =
            keccak256([parent_hash.0, U256::from(number ^ salt << 32).to_be_bytes()].concat());
        self.blocks.push(L1Block {
            number,
            hash,
            parent_hash,
            timestamp,
            base_fee: U256::from(number),
            blob_base_fee: U256::from(1),
            prev_randao: keccak256(hash),
            parent_beacon_block_root: keccak256(parent_hash),
            ..L1Block::default()
        });
    }

    /// Forgets the blocks from `number` on.
    pub fn cut(&mut self, number: u64) {
        self.blocks.truncate((number - L1_GENESIS) as usize);
    }

    /// The block at that number, if there is one.
    pub fn block(&self, number: u64) -> Option<&L1Block> {
        self.blocks.get(number.checked_sub(L1_GENESIS)? as usize)
    }

    /// The block at that number, which there is.
    pub fn block_mut(&mut self, number: u64) -> &mut L1Block {
        &mut self.blocks[(number - L1_GENESIS) as usize]
    }

    /// The newest block.
    pub fn last(&self) -> &L1Block {
        self.blocks.last().expect("genesis is there")
    }

    /// Its number.
    pub fn head(&self) -> u64 {
        self.last().number
    }

    /// The system configuration as of a block.
    pub fn system_config(&self, config: &RollupConfig, number: u64) -> SystemConfig {
        let mut config = config.genesis.system_config;
        for block in self.blocks.iter().skip(1).filter(|block| block.number <= number) {
            block.config_updates.iter().for_each(|update| config.apply(update));
        }
        config
    }
}
