//! An L2 chain that executes attributes by decoding their transactions.

use alloy_consensus::{BlockBody, Sealable, Transaction};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::keccak256;
use cairn_primitives::{Block, Header, ReadError, TxEnvelope};
use cairn_rollup::derivation::{DerivedAttributes, SafeChain};
use cairn_rollup::start::{SafeHeadEntry, StartSource};
use cairn_rollup::{L2BlockRef, RollupAttributes, SystemConfig, mismatch};

use super::world::World;
use crate::fuzz::targets::rollup::LEAST_GAS;

/// Canonical blocks from genesis on, and the safe-head index.
#[derive(Debug)]
pub(super) struct Chain<'a> {
    world: &'a World,
    blocks: Vec<(L2BlockRef, Block)>,
    pub(super) index: Vec<SafeHeadEntry>,
    /// Blocks that were executed, not found.
    pub(super) executed: usize,
}

impl<'a> Chain<'a> {
    pub(super) fn new(world: &'a World) -> Self {
        let genesis = &world.config.genesis;
        let block = L2BlockRef {
            hash: genesis.l2.hash,
            timestamp: genesis.l2_time,
            l1_origin: genesis.l1,
            ..L2BlockRef::default()
        };
        let blocks = vec![(block, Block::default())];
        Self { world, blocks, index: Vec::new(), executed: 0 }
    }

    pub(super) fn head(&self) -> L2BlockRef {
        self.blocks.last().expect("genesis is there").0
    }

    pub(super) fn refs(&self) -> Vec<L2BlockRef> {
        self.blocks.iter().map(|(block, _)| *block).collect()
    }

    /// The bodies with their blocks, from block 1 on.
    pub(super) fn blocks(&self) -> &[(L2BlockRef, Block)] {
        &self.blocks[1..]
    }

    /// Makes attributes the next block after their parent, or finds that they are; `None` if they do not
    /// execute.
    pub(super) fn apply(&mut self, derived: &DerivedAttributes) -> Option<L2BlockRef> {
        let number = derived.parent.number as usize + 1;
        if let Some((block, body)) = self.blocks.get(number)
            && mismatch(&derived.attributes, derived.parent.hash, body).is_none()
        {
            return Some(*block);
        }
        let block = execute(&derived.parent, &derived.attributes)?;
        self.truncate(number);
        self.push(block);
        self.executed += 1;
        Some(self.head())
    }

    pub(super) fn push(&mut self, block: Block) {
        let hash = block.header.hash_slow();
        let block_ref = L2BlockRef::from_block(&self.world.config, &block, hash);
        self.blocks.push((block_ref.expect("it has attributes"), block));
    }

    /// Keeps so many blocks.
    pub(super) fn truncate(&mut self, blocks: usize) {
        self.blocks.truncate(blocks);
    }
}

/// The block that the attributes make. Its state root stands for all of its content.
pub(super) fn execute(parent: &L2BlockRef, attributes: &RollupAttributes) -> Option<Block> {
    let deposits = attributes.deposits.iter();
    let mut transactions: Vec<TxEnvelope> =
        deposits.map(|deposit| TxEnvelope::Deposit(deposit.clone().seal_slow())).collect();
    for bytes in &attributes.transactions {
        let transaction = TxEnvelope::decode_2718_exact(bytes).ok()?;
        (transaction.gas_limit() >= LEAST_GAS).then_some(())?;
        transactions.push(transaction);
    }
    let encoded: Vec<Vec<u8>> = transactions.iter().map(Encodable2718::encoded_2718).collect();
    let header = Header {
        parent_hash: parent.hash,
        number: parent.number + 1,
        timestamp: attributes.timestamp,
        beneficiary: attributes.fee_recipient,
        mix_hash: attributes.prev_randao,
        gas_limit: attributes.gas_limit,
        extra_data: attributes.extra_data.clone(),
        parent_beacon_block_root: Some(attributes.parent_beacon_block_root),
        state_root: keccak256(encoded.concat()),
        ..Header::default()
    };
    let withdrawals = Some(Default::default());
    Some(Block { header, body: BlockBody { transactions, ommers: Vec::new(), withdrawals } })
}

impl Chain<'_> {
    fn at(&self, number: u64) -> Option<&(L2BlockRef, Block)> {
        self.blocks.get(usize::try_from(number).ok()?)
    }
}

impl SafeChain for Chain<'_> {
    fn block(&self, number: u64) -> Result<L2BlockRef, ReadError> {
        let block = self.at(number).map(|(block, _)| *block);
        block.ok_or_else(|| ReadError::Store(format!("no block {number}")))
    }
}

impl StartSource for Chain<'_> {
    fn block(&self, number: u64) -> Result<Option<L2BlockRef>, ReadError> {
        Ok(self.at(number).map(|(block, _)| *block))
    }

    fn system_config(&self, number: u64) -> Result<SystemConfig, ReadError> {
        let (_, block) = self.at(number).ok_or_else(|| ReadError::Store("no block".into()))?;
        Ok(SystemConfig::of_block(&self.world.config, block).expect("it has attributes"))
    }

    fn safe_head(&self, l1_number: u64) -> Result<Option<SafeHeadEntry>, ReadError> {
        Ok(self.index.iter().rev().find(|entry| entry.l1.number <= l1_number).copied())
    }
}
