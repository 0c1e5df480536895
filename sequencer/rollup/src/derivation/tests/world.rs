//! L1 with an inbox, a sequencer on it, and nodes that derive from it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use alloy_eips::BlockNumHash;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};

use super::super::*;
use super::chain::{Chain, execute};
use crate::batch::{BatchBlock, SingularBatch, SpanBatchBuilder};
use crate::channel::{BrotliQuality, compress_brotli};
use crate::frame::{ChannelId, Frame, encode_frames};
use crate::l1::{Carrier, InboxTransaction, L1Block};
use crate::origin::{L1View, select_origin};
use crate::start::{KnownL1, SafeHeadEntry, Start, StartError, find_start};
use crate::{AttributesInput, RollupAttributes, RollupConfig, SystemConfig};

pub(super) const BATCHER: Address = Address::repeat_byte(0xba);
/// Number of L1's genesis block for the rollup.
pub(super) const L1_GENESIS: u64 = 100;
pub(super) const GENESIS_TIME: u64 = crate::batch::tests::GENESIS_TIME;

#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) config: RollupConfig,
    /// From the genesis block on.
    pub(super) l1: Vec<L1Block>,
    /// Data that is not on L1, by transaction.
    pub(super) data: HashMap<B256, Vec<Bytes>>,
    transactions: u64,
}

impl World {
    /// L1 with its genesis block alone.
    pub(super) fn new() -> Self {
        let mut config = crate::batch::tests::config();
        config.seq_window_size = 10;
        config.channel_timeout_granite = 4;
        config.forks.jovian_time = Some(GENESIS_TIME);
        config.genesis.system_config = SystemConfig {
            batcher: BATCHER,
            gas_limit: 30_000_000,
            scalar: B256::with_last_byte(7),
            ..SystemConfig::default()
        };
        let mut world = Self { config, l1: Vec::new(), data: HashMap::new(), transactions: 0 };
        world.push_l1(GENESIS_TIME, 0);
        world.config.genesis.l1 = world.l1[0].id();
        world.config.genesis.l2.hash = B256::repeat_byte(0x22);
        world
    }

    /// L1 blocks `interval` seconds apart.
    pub(super) fn with_l1(blocks: u64, interval: u64) -> Self {
        let mut world = Self::new();
        for n in 1..=blocks {
            world.push_l1(GENESIS_TIME + n * interval, 0);
        }
        world
    }

    /// Appends an L1 block; those of another fork have another salt.
    pub(super) fn push_l1(&mut self, timestamp: u64, salt: u64) {
        let (number, parent_hash) = match self.l1.last() {
            Some(last) => (last.number + 1, last.hash),
            None => (L1_GENESIS, B256::ZERO),
        };
        let hash =
            keccak256([parent_hash.0, U256::from(number ^ salt << 32).to_be_bytes()].concat());
        self.l1.push(L1Block {
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

    /// Forgets the L1 blocks from `number` on.
    pub(super) fn cut(&mut self, number: u64) {
        self.l1.truncate((number - L1_GENESIS) as usize);
    }

    pub(super) fn block(&mut self, number: u64) -> &mut L1Block {
        &mut self.l1[(number - L1_GENESIS) as usize]
    }

    pub(super) fn l1_block(&self, number: u64) -> Option<&L1Block> {
        self.l1.get((number.checked_sub(L1_GENESIS)?) as usize)
    }

    pub(super) fn head(&self) -> u64 {
        self.l1.last().unwrap().number
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
        let block = self.block(l1);
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

    /// The system configuration as of an L1 block.
    pub(super) fn system_config(&self, number: u64) -> SystemConfig {
        let mut config = self.config.genesis.system_config;
        for block in self.l1.iter().skip(1).filter(|block| block.number <= number) {
            block.config_updates.iter().for_each(|update| config.apply(update));
        }
        config
    }

    /// Builds `count` blocks on a chain as the sequencer does, with these transactions each.
    pub(super) fn sequence(
        &self,
        chain: &mut Chain,
        count: usize,
        mut txs: impl FnMut() -> Vec<Bytes>,
    ) {
        for _ in 0..count {
            let parent = chain.head();
            let at = |number| self.l1_block(number).map(L1Block::block_ref);
            let view = L1View {
                head: self.head(),
                current: at(parent.l1_origin.number),
                next: at(parent.l1_origin.number + 1),
            };
            let choice = select_origin(&self.config, &parent, &view, 0).unwrap();
            let origin = self.l1_block(choice.origin.number).unwrap();
            let system_config = &self.system_config(origin.number);
            let input = AttributesInput { parent: &parent, origin, system_config };
            let mut attributes = RollupAttributes::new(&self.config, input);
            if !choice.deposits_only {
                attributes.transactions = txs();
            }
            chain.push(execute(&parent, &attributes).unwrap());
        }
    }

    /// A new chain of `count` blocks with one transaction each.
    pub(super) fn sequenced(&self, count: usize) -> Chain {
        let mut chain = Chain::new(&self.config);
        let mut nonce = 0;
        self.sequence(&mut chain, count, || {
            nonce += 1;
            vec![super::chain::transaction(nonce, 10)]
        });
        chain
    }

    /// A node that derived everything from nothing.
    pub(super) fn derive(&self) -> Node {
        let mut node = Node::new(&self.config);
        node.follow(self);
        node
    }
}

pub(super) fn span(config: &RollupConfig, blocks: &[BatchBlock]) -> Vec<u8> {
    let mut builder = SpanBatchBuilder::new(config);
    blocks.iter().for_each(|block| builder.push(block).unwrap());
    builder.encode().unwrap()
}

pub(super) fn singular(blocks: &[BatchBlock]) -> Vec<SingularBatch> {
    blocks.iter().map(Into::into).collect()
}

/// A channel of encoded batches.
pub(super) fn channel(batches: &[Vec<u8>]) -> Vec<u8> {
    let mut rlp = Vec::new();
    for batch in batches {
        alloy_rlp::Encodable::encode(batch.as_slice(), &mut rlp);
    }
    compress_brotli(&rlp, BrotliQuality::default())
}

/// A channel in frames of `size` bytes.
pub(super) fn frames(id: u8, channel: &[u8], size: usize) -> Vec<Frame> {
    let chunks: Vec<&[u8]> = channel.chunks(size.max(1)).collect();
    let last = chunks.len() - 1;
    let frame = |(number, data): (usize, &&[u8])| Frame {
        channel: ChannelId([id; 16]),
        number: number as u16,
        data: data.to_vec().into(),
        is_last: number == last,
    };
    chunks.iter().enumerate().map(frame).collect()
}

/// Block numbers as they are in a chain.
pub(super) fn all(chain: &Chain) -> Range<usize> {
    1..chain.blocks.len()
}

/// A verifier.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) chain: Chain,
    pub(super) machine: Derivation,
    pub(super) start: Start,
    pub(super) dropped: Vec<DropReason>,
    pub(super) finalized: Option<u64>,
    pub(super) resets: Vec<ResetReason>,
    /// The L1 block that the machine waits for.
    wanted: Option<u64>,
}

impl Node {
    pub(super) fn new(config: &RollupConfig) -> Self {
        let chain = Chain::new(config);
        let genesis = config.genesis;
        let start = Start {
            unsafe_head: chain.head(),
            safe: chain.head(),
            l1: genesis.l1,
            system_config: genesis.system_config,
            processed: genesis.l1,
        };
        Self {
            machine: Derivation::new(Arc::new(config.clone()), &start),
            chain,
            start,
            dropped: Vec::new(),
            finalized: None,
            resets: Vec::new(),
            wanted: None,
        }
    }

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

    /// Derives until L1 ends.
    pub(super) fn follow(&mut self, world: &World) {
        let mut event = match self.wanted {
            Some(number) => world.l1_block(number).cloned().map(|b| Event::L1Block(Arc::new(b))),
            None => Some(Event::Start),
        };
        while let Some(next) = event {
            event = self.step(next, world);
        }
    }

    /// Takes an event in; gives the next one.
    pub(super) fn step(&mut self, event: Event, world: &World) -> Option<Event> {
        let effects = self.machine.step(event, &self.chain).unwrap();
        let mut next = None;
        for effect in effects {
            assert!(next.is_none(), "the machine waits for one thing at a time");
            match effect {
                Effect::NeedL1Block { number, .. } => {
                    self.wanted = Some(number);
                    let block = world.l1_block(number).cloned();
                    next = block.map(|block| Event::L1Block(Arc::new(block)));
                }
                Effect::NeedData(request) => {
                    let data = world.data[&request.transaction].clone();
                    let transaction = request.transaction;
                    next = Some(Event::Data(BatchData { transaction, data }));
                }
                Effect::Attributes(derived) => {
                    let applied = self.chain.apply(&derived);
                    next = Some(applied.map_or(Event::Invalid, Event::Applied));
                }
                Effect::SafeHead { l1, l2 } => {
                    self.chain.index.retain(|entry| entry.l1.number < l1.number);
                    self.chain.index.push(SafeHeadEntry { l1, l2: l2.id() });
                }
                Effect::Finalized(block) => self.finalized = Some(block.number),
                Effect::Dropped(reason) => self.dropped.push(reason),
                Effect::Reset(reason) => {
                    self.resets.push(reason);
                    self.restart(world);
                    next = Some(Event::Start);
                }
            }
        }
        next
    }

    /// Begins anew from what is in the store, as after a crash.
    pub(super) fn restart(&mut self, world: &World) {
        let mut known = KnownL1::new();
        let head = self.chain.head().number;
        self.start = loop {
            match find_start(&world.config, head, 0, &self.chain, &known) {
                Ok(start) => break start,
                Err(StartError::NeedL1(number)) => {
                    known.insert(number, world.l1_block(number).map(|block| block.hash));
                }
                Err(error) => panic!("{error}"),
            }
        };
        self.chain.blocks.truncate(self.start.unsafe_head.number as usize + 1);
        self.machine = Derivation::new(Arc::new(world.config.clone()), &self.start);
        self.wanted = None;
    }

    /// L1 block and safe block of every entry of the index.
    pub(super) fn index(&self) -> Vec<(BlockNumHash, BlockNumHash)> {
        self.chain.index.iter().map(|entry| (entry.l1, entry.l2)).collect()
    }
}
