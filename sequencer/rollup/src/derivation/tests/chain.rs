//! An L2 chain that executes attributes by decoding their transactions.

use alloy_consensus::{BlockBody, Header, Sealable, SignableTransaction, Transaction, TxEip1559};
use alloy_eips::eip2718::{Decodable2718, Encodable2718};
use alloy_primitives::{Address, Bytes, Signature, TxKind, U256, keccak256};
use cairn_primitives::{Block, ReadError, TxEnvelope};

use super::super::{DerivedAttributes, SafeChain};
use crate::batch::BatchBlock;
use crate::start::{SafeHeadEntry, StartSource};
use crate::{L2BlockRef, RollupAttributes, RollupConfig, SystemConfig, mismatch};

/// Canonical blocks from genesis on, and the safe-head index.
#[derive(Debug, Clone)]
pub(super) struct Chain {
    pub(super) config: RollupConfig,
    pub(super) blocks: Vec<(L2BlockRef, Block)>,
    pub(super) index: Vec<SafeHeadEntry>,
    /// Blocks that were executed, not found.
    pub(super) executed: usize,
}

impl Chain {
    pub(super) fn new(config: &RollupConfig) -> Self {
        let genesis = L2BlockRef {
            hash: config.genesis.l2.hash,
            timestamp: config.genesis.l2_time,
            l1_origin: config.genesis.l1,
            ..L2BlockRef::default()
        };
        let blocks = vec![(genesis, Block::default())];
        Self { config: config.clone(), blocks, index: Vec::new(), executed: 0 }
    }

    pub(super) fn head(&self) -> L2BlockRef {
        self.blocks.last().unwrap().0
    }

    pub(super) fn refs(&self) -> Vec<L2BlockRef> {
        self.blocks.iter().map(|(block, _)| *block).collect()
    }

    /// What a batch says of the blocks with these numbers.
    pub(super) fn batch_blocks(&self, numbers: std::ops::Range<usize>) -> Vec<BatchBlock> {
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
    pub(super) fn apply(&mut self, derived: &DerivedAttributes) -> Option<L2BlockRef> {
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

    pub(super) fn push(&mut self, block: Block) {
        let hash = block.header.hash_slow();
        let block_ref = L2BlockRef::from_block(&self.config, &block, hash).unwrap();
        self.blocks.push((block_ref, block));
    }
}

/// The block that the attributes make. Its state root stands for all of its content.
pub(super) fn execute(parent: &L2BlockRef, attributes: &RollupAttributes) -> Option<Block> {
    let deposits = attributes.deposits.iter();
    let mut transactions: Vec<TxEnvelope> =
        deposits.map(|deposit| TxEnvelope::Deposit(deposit.clone().seal_slow())).collect();
    for bytes in &attributes.transactions {
        let tx = TxEnvelope::decode_2718_exact(bytes).ok()?;
        (tx.gas_limit() >= 21_000).then_some(())?;
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
    fn block(&self, number: u64) -> Result<L2BlockRef, ReadError> {
        let block = self.blocks.get(number as usize).map(|(block, _)| *block);
        block.ok_or_else(|| ReadError::Store(format!("no block {number}")))
    }
}

impl StartSource for Chain {
    fn block(&self, number: u64) -> Result<Option<L2BlockRef>, ReadError> {
        Ok(self.blocks.get(number as usize).map(|(block, _)| *block))
    }

    fn system_config(&self, number: u64) -> Result<SystemConfig, ReadError> {
        let (_, block) = &self.blocks[number as usize];
        Ok(SystemConfig::of_block(&self.config, block).unwrap())
    }

    fn safe_head(&self, l1_number: u64) -> Result<Option<SafeHeadEntry>, ReadError> {
        Ok(self.index.iter().rev().find(|entry| entry.l1.number <= l1_number).copied())
    }
}

/// A signed transaction as far as decoding goes.
pub(super) fn transaction(nonce: u64, size: usize) -> Bytes {
    signed(nonce, 21_000 + nonce, vec![nonce as u8; size])
}

/// One whose data does not compress.
pub(super) fn random_transaction(nonce: u64, size: usize) -> Bytes {
    let words =
        (0..size as u64 / 32).map(|n| keccak256([nonce.to_be_bytes(), n.to_be_bytes()].concat()));
    signed(nonce, 21_000, words.flatten().collect())
}

/// One that does not execute: it has no gas.
pub(super) fn invalid_transaction() -> Bytes {
    signed(9, 0, vec![])
}

fn signed(nonce: u64, gas_limit: u64, input: Vec<u8>) -> Bytes {
    let tx = TxEip1559 {
        chain_id: 901,
        nonce,
        gas_limit,
        max_fee_per_gas: 10,
        max_priority_fee_per_gas: 1,
        to: TxKind::Call(Address::with_last_byte(nonce as u8)),
        value: U256::from(nonce),
        input: input.into(),
        ..TxEip1559::default()
    };
    let word = U256::from(nonce + 1);
    let signed = tx.into_signed(Signature::new(word, word, nonce % 2 == 1));
    TxEnvelope::Eip1559(signed).encoded_2718().into()
}
