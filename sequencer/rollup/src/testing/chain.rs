//! An L2 chain that executes attributes by decoding their transactions.

use alloy_consensus::{BlockBody, Header, Sealable, Transaction};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::{Bytes, keccak256};
use cairn_primitives::{Block, ReadError, TxEnvelope};

use super::L1;
use crate::batch::BatchBlock;
use crate::derivation::{DerivedAttributes, SafeChain};
use crate::l1::L1Block;
use crate::origin::{L1View, OriginError, select_origin};
use crate::start::{SafeHeadEntry, StartSource};
use crate::{AttributesInput, L2BlockRef, RollupAttributes, RollupConfig, SystemConfig, mismatch};

/// Gas below which no transaction executes.
pub const LEAST_GAS: u64 = 21_000;

/// Canonical blocks from genesis on, and the safe-head index.
#[derive(Debug, Clone)]
pub struct Chain {
    /// The rollup.
    pub config: RollupConfig,
    /// With what they say of themselves; genesis has no body.
    pub blocks: Vec<(L2BlockRef, Block)>,
    /// The safe-head index.
    pub index: Vec<SafeHeadEntry>,
    /// Blocks that were executed, not found.
    pub executed: usize,
}

impl Chain {
    /// Genesis alone.
    pub fn new(config: &RollupConfig) -> Self {
        let genesis = L2BlockRef {
            hash: config.genesis.l2.hash,
            timestamp: config.genesis.l2_time,
            l1_origin: config.genesis.l1,
            ..L2BlockRef::default()
        };
        let blocks = vec![(genesis, Block::default())];
        Self { config: config.clone(), blocks, index: Vec::new(), executed: 0 }
    }

    /// The newest block.
    pub fn head(&self) -> L2BlockRef {
        self.blocks.last().expect("genesis is there").0
    }

    /// All blocks.
    pub fn refs(&self) -> Vec<L2BlockRef> {
        self.blocks.iter().map(|(block, _)| *block).collect()
    }

    /// What a batch says of the blocks with these numbers.
    pub fn batch_blocks(&self, numbers: std::ops::Range<usize>) -> Vec<BatchBlock> {
        let block = |(block, body): &(L2BlockRef, Block)| BatchBlock {
            block: *block,
            transactions: body
                .body
                .transactions
                .iter()
                .filter(|tx| !matches!(tx, TxEnvelope::Deposit(_)))
                .map(|tx| tx.encoded_2718().into())
                .collect(),
        };
        self.blocks[numbers].iter().map(block).collect()
    }

    /// Makes attributes the next block after their parent, or finds that they are; `None` if they
    /// do not execute.
    pub fn apply(&mut self, derived: &DerivedAttributes) -> Option<L2BlockRef> {
        let number = derived.parent.number as usize + 1;
        if let Some((block, body)) = self.blocks.get(number)
            && mismatch(&derived.attributes, derived.parent.hash, body).is_none()
        {
            return Some(*block);
        }
        let block = execute(&derived.parent, &derived.attributes)?;
        self.blocks.truncate(number);
        self.push(block);
        self.executed += 1;
        Some(self.head())
    }

    /// Builds `count` blocks as the sequencer does, with these transactions each.
    pub fn sequence(&mut self, l1: &L1, count: usize, mut txs: impl FnMut() -> Vec<Bytes>) {
        for _ in 0..count {
            self.sequence_one(l1, 0, &mut txs).expect("an origin");
        }
    }

    /// Builds the next block as the sequencer does, on an origin with so many blocks behind it, with these
    /// transactions if it may have any.
    pub fn sequence_one(
        &mut self,
        l1: &L1,
        confirmations: u64,
        txs: impl FnOnce() -> Vec<Bytes>,
    ) -> Result<(), OriginError> {
        let parent = self.head();
        let at = |number| l1.block(number).map(L1Block::block_ref);
        let view = L1View {
            head: l1.head(),
            current: at(parent.l1_origin.number),
            next: at(parent.l1_origin.number + 1),
        };
        let choice = select_origin(&self.config, &parent, &view, confirmations)?;
        let origin = l1.block(choice.origin.number).expect("it is of L1");
        let system_config = &l1.system_config(&self.config, origin.number);
        let input = AttributesInput { parent: &parent, origin, system_config };
        let mut attributes = RollupAttributes::new(&self.config, input);
        if !choice.deposits_only {
            attributes.transactions = txs();
        }
        self.push(execute(&parent, &attributes).expect("it executes"));
        Ok(())
    }

    /// Appends a block.
    pub fn push(&mut self, block: Block) {
        let hash = block.header.hash_slow();
        let block_ref =
            L2BlockRef::from_block(&self.config, &block, hash).expect("it has attributes");
        self.blocks.push((block_ref, block));
    }
}

/// The block that the attributes make. Its state root stands for all of its content.
pub fn execute(parent: &L2BlockRef, attributes: &RollupAttributes) -> Option<Block> {
    let deposits = attributes.deposits.iter();
    let mut transactions: Vec<TxEnvelope> =
        deposits.map(|deposit| TxEnvelope::Deposit(deposit.clone().seal_slow())).collect();
    for bytes in &attributes.transactions {
        let tx = TxEnvelope::decode_2718_exact(bytes).ok()?;
        (tx.gas_limit() >= LEAST_GAS).then_some(())?;
        transactions.push(tx);
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

impl SafeChain for Chain {
    fn block(&self, number: u64) -> Result<Option<L2BlockRef>, ReadError> {
        let block = self.blocks.get(number as usize).map(|(block, _)| *block);
        block.map(Some).ok_or_else(|| ReadError::Store(format!("no block {number}")))
    }
}

impl StartSource for Chain {
    fn block(&self, number: u64) -> Result<Option<L2BlockRef>, ReadError> {
        Ok(self.blocks.get(number as usize).map(|(block, _)| *block))
    }

    fn system_config(&self, number: u64) -> Result<SystemConfig, ReadError> {
        let (_, block) = &self.blocks[number as usize];
        Ok(SystemConfig::of_block(&self.config, block).expect("it has attributes"))
    }

    fn safe_head(&self, l1_number: u64) -> Result<Option<SafeHeadEntry>, ReadError> {
        Ok(self.index.iter().rev().find(|entry| entry.l1.number <= l1_number).copied())
    }
}
