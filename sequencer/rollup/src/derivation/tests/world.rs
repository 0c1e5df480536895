//! L1 with an inbox, a sequencer on it, and nodes that derive from it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_eips::BlockNumHash;
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, keccak256};
use cairn_primitives::TxEnvelope;

use super::super::*;
use crate::batch::{BatchBlock, SingularBatch};
use crate::frame::encode_frames;
use crate::l1::{Carrier, InboxTransaction, L1Block};
pub(super) use crate::testing::{
    BATCHER, CHAIN_ID, Chain, GENESIS_TIME, L1, L1_GENESIS, L1Source, LEAST_GAS, Verifier, channel,
    frames, jovian, singular, span,
};
use crate::{L2BlockRef, RollupConfig};

#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) config: RollupConfig,
    pub(super) l1: L1,
    /// Data that is not on L1, by transaction.
    pub(super) data: HashMap<B256, Vec<Bytes>>,
    transactions: u64,
}

impl World {
    /// L1 with its genesis block alone.
    pub(super) fn new() -> Self {
        let mut config = jovian();
        config.seq_window_size = 10;
        config.channel_timeout_granite = 4;
        let l1 = L1::new(&mut config);
        Self { config, l1, data: HashMap::new(), transactions: 0 }
    }

    /// L1 blocks `interval` seconds apart.
    pub(super) fn with_l1(blocks: u64, interval: u64) -> Self {
        let mut world = Self::new();
        for n in 1..=blocks {
            world.l1.push(GENESIS_TIME + n * interval, 0);
        }
        world
    }

    /// Posts data in the calldata of a transaction in that L1 block.
    pub(super) fn post(&mut self, l1: u64, data: Vec<u8>) -> B256 {
        self.post_as(l1, BATCHER, Carrier::Calldata(data.into()))
    }

    /// The same with its data on the DA network.
    pub(super) fn post_certificate(&mut self, l1: u64, data: Vec<u8>) {
        let hash = self.post_as(l1, BATCHER, Carrier::Certificate(Bytes::from_static(b"c")));
        self.data.insert(hash, vec![data.into()]);
    }

    pub(super) fn post_as(&mut self, l1: u64, sender: Address, carrier: Carrier) -> B256 {
        self.transactions += 1;
        let hash = keccak256(self.transactions.to_be_bytes());
        let block = self.l1.block_mut(l1);
        let index = block.batches.len() as u64;
        block.batches.push(InboxTransaction { index, hash, sender, carrier });
        hash
    }

    /// Posts a whole channel in one transaction.
    pub(super) fn post_channel(&mut self, l1: u64, id: u8, channel: Vec<u8>) {
        self.post(l1, encode_frames(&frames(id, &channel, channel.len())));
    }

    /// Posts one span batch.
    pub(super) fn post_span(&mut self, l1: u64, blocks: &[BatchBlock]) {
        let channel = channel(&[span(&self.config, blocks)]);
        self.post_channel(l1, l1 as u8, channel);
    }

    pub(super) fn post_singular(&mut self, l1: u64, batches: &[SingularBatch]) {
        let encoded: Vec<_> = batches.iter().map(SingularBatch::encode).collect();
        self.post_channel(l1, l1 as u8, channel(&encoded));
    }

    /// A new chain of `count` blocks with one transaction each.
    pub(super) fn sequenced(&self, count: usize) -> Chain {
        let mut chain = Chain::new(&self.config);
        let mut nonce = 0;
        chain.sequence(&self.l1, count, || {
            nonce += 1;
            vec![transaction(nonce, 10)]
        });
        chain
    }

    /// A node that derived everything from nothing.
    pub(super) fn derive(&self) -> Verifier {
        let mut node = Verifier::new(&self.config);
        node.follow(self);
        node
    }
}

/// Block numbers as they are in a chain.
pub(super) fn all(chain: &Chain) -> Range<usize> {
    1..chain.blocks.len()
}

impl L1Source for World {
    fn hash(&self, number: u64) -> Option<B256> {
        self.l1.block(number).map(|block| block.hash)
    }

    fn block(&self, number: u64, _safe: &L2BlockRef) -> Option<Arc<L1Block>> {
        self.l1.block(number).cloned().map(Arc::new)
    }

    fn data(&self, transaction: B256) -> Vec<Bytes> {
        self.data[&transaction].clone()
    }
}

impl Verifier {
    pub(super) fn safe(&self) -> u64 {
        self.machine.safe_head().number
    }

    /// Why batches were dropped.
    pub(super) fn batch_drops(&self) -> Vec<BatchDrop> {
        let reason = |dropped: &DropReason| match dropped {
            DropReason::Batch { reason, .. } => Some(*reason),
            _ => None,
        };
        self.dropped.iter().filter_map(reason).collect()
    }

    /// L1 block and safe block of every entry of the index.
    pub(super) fn index(&self) -> Vec<(BlockNumHash, BlockNumHash)> {
        self.chain.index.iter().map(|entry| (entry.l1, entry.l2)).collect()
    }
}

/// A signed transaction as far as decoding goes.
pub(super) fn transaction(nonce: u64, size: usize) -> Bytes {
    signed(nonce, LEAST_GAS + nonce, vec![nonce as u8; size])
}

/// One whose data does not compress.
pub(super) fn random_transaction(nonce: u64, size: usize) -> Bytes {
    let words =
        (0..size as u64 / 32).map(|n| keccak256([nonce.to_be_bytes(), n.to_be_bytes()].concat()));
    signed(nonce, LEAST_GAS, words.flatten().collect())
}

/// One that does not execute: it has no gas.
pub(super) fn invalid_transaction() -> Bytes {
    signed(9, 0, vec![])
}

fn signed(nonce: u64, gas_limit: u64, input: Vec<u8>) -> Bytes {
    let tx = TxEip1559 {
        chain_id: CHAIN_ID,
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
