//! Everything around the batcher: an L2 chain that grows, an L1 with a mempool, a DA network, and
//! derivation through this crate's own decoders.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::Duration,
};

use alloy_eips::BlockNumHash;
use alloy_primitives::{B256, Bytes, keccak256};

use crate::{
    L1BlockRef, L2BlockRef, RollupConfig,
    batch::{
        Batch, BatchBlock, SpanBatch,
        tests::{GENESIS_TIME, config as rollup_config},
    },
    batcher::{
        Batcher, BatcherConfig, BatcherTransaction, DispersalFailure, DispersalId, Effect, Event,
        ResetReason, SafeHead, TxFailure, TxId,
    },
    blob::{decode_blob, encode_blob},
    channel::{
        BatchReader, BrotliQuality, ChannelAssembler, ChannelOutConfig, FrameOutcome,
        tests::half_random_call,
    },
    frame::decode_frames,
};

/// A transaction of the batcher's account.
#[derive(Debug, Clone)]
pub(super) struct Tx {
    nonce: u64,
    /// None: replaced by an empty one.
    content: Option<BatcherTransaction>,
    /// Of the batcher that runs now.
    id: Option<TxId>,
    success: bool,
}

#[derive(Debug, Clone)]
struct L1Block {
    hash: B256,
    parent: B256,
    txs: Vec<Tx>,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) config: BatcherConfig,
    rollup: RollupConfig,
    pub(super) batcher: Batcher,
    pub(super) now: Duration,
    /// By number; the genesis block is the first.
    pub(super) l2: Vec<BatchBlock>,
    fork: u64,
    l1: Vec<L1Block>,
    mempool: BTreeMap<u64, Tx>,
    lost: Vec<Tx>,
    /// A lost transaction came back, so the batcher may meet it.
    surprised: bool,
    /// The transaction that the shell looks after.
    own: Option<Tx>,
    window: (u64, u64),
    fed: u64,
    certified: HashMap<Bytes, Bytes>,
    pub(super) dispersals: VecDeque<(DispersalId, Bytes)>,
    pub(super) derived: Derived,
    pub(super) sent: Vec<BatcherTransaction>,
    pub(super) bumps: usize,
    pub(super) cancels: usize,
    pub(super) resets: Vec<ResetReason>,
    pub(super) throttled: Vec<Option<u64>>,
}

/// What derivation has made of L1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Derived {
    pub(super) safe: u64,
    /// Blocks that were on L1 already.
    pub(super) repeated: u64,
}

pub(super) fn settings(target_size: usize) -> BatcherConfig {
    let quality = BrotliQuality::new(1).unwrap();
    let channel = ChannelOutConfig {
        target_size,
        quality,
        max_duration: Duration::from_secs(20),
        ..ChannelOutConfig::default()
    };
    BatcherConfig { channel, max_calldata: 2048, max_da_payload: 4096, ..Default::default() }
}

fn block(number: u64, fork: u64, parent: B256) -> BatchBlock {
    let origin = number / 5;
    let block = L2BlockRef {
        hash: keccak256([number.to_be_bytes(), fork.to_be_bytes()].concat()),
        number,
        parent_hash: parent,
        timestamp: GENESIS_TIME + 2 * number,
        l1_origin: BlockNumHash::new(origin, keccak256([b'o', fork as u8, origin as u8])),
        sequence_number: number % 5,
    };
    let seed = (number * 4 + fork * 997) as u16;
    let transactions = (seed..seed + (number % 4) as u16).map(half_random_call).collect();
    BatchBlock { block, transactions }
}

impl World {
    pub(super) fn new(config: BatcherConfig) -> Self {
        Self::with(config, rollup_config())
    }

    pub(super) fn with(config: BatcherConfig, rollup: RollupConfig) -> Self {
        let batcher = Batcher::new(config, rollup.clone()).unwrap();
        let genesis = L1Block { hash: B256::repeat_byte(1), parent: B256::ZERO, txs: vec![] };
        let mut world = Self {
            config,
            rollup,
            batcher,
            now: Duration::from_secs(1000),
            l2: vec![block(0, 0, B256::ZERO)],
            fork: 0,
            l1: vec![genesis],
            mempool: BTreeMap::new(),
            lost: vec![],
            surprised: false,
            own: None,
            window: (1, 0),
            fed: 0,
            certified: HashMap::new(),
            dispersals: VecDeque::new(),
            derived: Derived::default(),
            sent: vec![],
            bumps: 0,
            cancels: 0,
            resets: vec![],
            throttled: vec![],
        };
        world.announce();
        world
    }

    /// What a shell tells first.
    fn announce(&mut self) {
        self.event(Event::L1Head(self.l1_ref()));
        self.derive();
    }

    pub(super) fn head(&self) -> u64 {
        self.l2.len() as u64 - 1
    }

    pub(super) fn in_doubt(&self) -> Option<TxId> {
        self.own.as_ref().and_then(|own| own.id)
    }

    /// No node takes the transaction in doubt.
    pub(super) fn refuse(&mut self, failure: TxFailure) {
        let own = self.own.take().expect("a transaction in doubt");
        self.mempool.remove(&own.nonce);
        self.event(Event::TxFailed { id: own.id.unwrap(), failure });
    }

    pub(super) fn safe_head(&mut self, block: L2BlockRef) {
        let derived_from = self.l1_ref().id();
        self.event(Event::SafeHead(SafeHead { block, derived_from }));
    }

    /// L1 blocks without anything of ours.
    pub(super) fn mine_empty(&mut self, blocks: usize) {
        (0..blocks).for_each(|_| self.mine(false, false));
    }

    pub(super) fn in_mempool(&self) -> usize {
        self.mempool.len()
    }

    pub(super) fn window(&self) -> (u64, u64) {
        self.window
    }

    fn l1_ref(&self) -> L1BlockRef {
        let number = self.l1.len() as u64 - 1;
        let block = self.l1.last().unwrap();
        L1BlockRef { hash: block.hash, number, parent_hash: block.parent, timestamp: number * 12 }
    }

    fn nonce(&self) -> u64 {
        self.l1.iter().map(|block| block.txs.len() as u64).sum()
    }

    pub(super) fn event(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            for effect in self.batcher.step(event, self.now) {
                self.carry_out(effect, &mut events);
            }
            if events.is_empty() {
                events.extend(self.feed());
            }
        }
    }

    /// The next block that was asked for and exists.
    fn feed(&mut self) -> Option<Event> {
        let (_, to) = self.window;
        let next = self.fed + 1;
        let block = self.l2.get(next as usize).filter(|_| next <= to)?.clone();
        self.fed = next;
        Some(Event::UnsafeBlock(block))
    }

    fn carry_out(&mut self, effect: Effect, events: &mut VecDeque<Event>) {
        match effect {
            Effect::LoadBlocks { from, to } => {
                self.window = (from, to);
                self.fed = from - 1;
            }
            Effect::Disperse { id, payload } => self.dispersals.push_back((id, payload)),
            Effect::Send { id, transaction } => {
                assert!(self.own.is_none(), "two transactions in doubt");
                assert!(self.mempool.is_empty() || self.surprised, "an older one is undecided");
                self.sent.push(transaction.clone());
                let nonce = self.nonce();
                let tx = Tx { nonce, content: Some(transaction), id: Some(id), success: true };
                self.own = Some(tx.clone());
                self.mempool.insert(nonce, tx);
            }
            Effect::BumpFee { id } => {
                self.bumps += 1;
                let own = self.own.clone().expect("the transaction in doubt");
                assert_eq!(own.id, Some(id));
                self.mempool.insert(own.nonce, own);
            }
            Effect::QueryNonces => {
                let latest = self.nonce();
                let pending = (latest..).find(|nonce| !self.mempool.contains_key(nonce)).unwrap();
                let at = self.l1_ref().number;
                events.push_back(Event::Nonces { latest, pending, at });
            }
            Effect::Cancel { nonce } => {
                self.cancels += 1;
                let empty = Tx { nonce, content: None, id: None, success: true };
                self.mempool.insert(nonce, empty);
            }
            Effect::Throttle { block_bytes } => self.throttled.push(block_bytes),
            Effect::Reset { reason } => {
                self.resets.push(reason);
                self.forget();
            }
            Effect::Halt { block, error } => panic!("halted at block {block}: {error}"),
        }
    }

    /// The shell of now knows nothing of what was sent.
    fn forget(&mut self) {
        self.own = None;
        self.window = (1, 0);
        self.mempool.values_mut().chain(&mut self.lost).for_each(|tx| tx.id = None);
        self.l1.iter_mut().flat_map(|block| &mut block.txs).for_each(|tx| tx.id = None);
    }

    pub(super) fn tick(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.event(Event::Tick);
    }

    pub(super) fn build(&mut self, blocks: usize) {
        for _ in 0..blocks {
            let parent = self.l2.last().unwrap().block.hash;
            self.l2.push(block(self.l2.len() as u64, self.fork, parent));
        }
        self.event(Event::UnsafeHead(self.head()));
    }

    /// Derivation reads L1 and finds nothing new, whatever is there.
    pub(super) fn derive_nothing(&mut self) {
        self.safe_head(self.l2[self.derived.safe as usize].block);
    }

    /// Other blocks from `keep` blocks behind the safe head on, as many as there were.
    pub(super) fn reorg_l2(&mut self, keep: usize) {
        self.derive();
        let first = self.derived.safe as usize + 1 + keep;
        let count = self.l2.len().saturating_sub(first);
        if count == 0 {
            return;
        }
        self.l2.truncate(first);
        self.fork += 1;
        for _ in 0..count {
            let parent = self.l2.last().unwrap().block.hash;
            self.l2.push(block(self.l2.len() as u64, self.fork, parent));
        }
        self.event(Event::L2Reorg);
    }

    /// A new L1 block, with what is in the mempool or with nothing.
    pub(super) fn mine(&mut self, include: bool, revert: bool) {
        let parent = self.l1.last().unwrap().hash;
        let mut txs = vec![];
        let mut nonce = self.nonce();
        while let Some(tx) = include.then(|| self.mempool.remove(&nonce)).flatten() {
            nonce += 1;
            txs.push(Tx { success: tx.success && !revert, ..tx });
        }
        self.push_l1(parent, txs);
    }

    fn push_l1(&mut self, parent: B256, txs: Vec<Tx>) {
        let number = self.l1.len() as u64;
        let salt = [number, self.now.as_millis() as u64, self.sent.len() as u64];
        let salt: Vec<u8> = salt.into_iter().flat_map(u64::to_be_bytes).collect();
        let hash = keccak256([parent.as_slice(), &salt].concat());
        self.l1.push(L1Block { hash, parent, txs: txs.clone() });
        self.event(Event::L1Head(self.l1_ref()));
        for tx in txs {
            let Some(own) = self.own.take_if(|own| own.nonce == tx.nonce) else { continue };
            let id = own.id.unwrap();
            let event = match (tx.id == own.id, tx.success) {
                (true, true) => Event::TxIncluded { id, block: number },
                (true, false) => Event::TxFailed { id, failure: TxFailure::Reverted },
                (false, _) => Event::TxFailed { id, failure: TxFailure::NonceTaken },
            };
            self.event(event);
        }
    }

    /// Replaces the last L1 blocks by one; their transactions return to the mempool or are lost.
    pub(super) fn reorg_l1(&mut self, depth: usize, keep: bool) {
        let depth = depth.min(self.l1.len() - 1);
        if depth == 0 {
            return;
        }
        let gone = self.l1.split_off(self.l1.len() - depth);
        for tx in gone.into_iter().flat_map(|block| block.txs) {
            if keep {
                self.mempool.insert(tx.nonce, tx);
            } else {
                // Later nonces may wait behind the hole.
                self.surprised = true;
                self.lost.push(tx);
            }
        }
        self.own = None;
        let parent = self.l1.last().unwrap().hash;
        self.now += Duration::from_millis(1);
        self.push_l1(parent, vec![]);
        self.event(Event::L1Reorg);
        self.derive();
    }

    /// The mempool forgets everything.
    pub(super) fn lose(&mut self) {
        self.lost.extend(std::mem::take(&mut self.mempool).into_values());
    }

    /// And remembers it again.
    pub(super) fn find(&mut self) {
        for mut tx in std::mem::take(&mut self.lost) {
            if tx.nonce >= self.nonce() {
                self.surprised = true;
                if self.own.as_ref().is_none_or(|own| own.id != tx.id) {
                    tx.id = None;
                }
                self.mempool.insert(tx.nonce, tx);
            }
        }
    }

    pub(super) fn restart(&mut self) {
        self.batcher = Batcher::new(self.config, self.rollup.clone()).unwrap();
        self.dispersals.clear();
        self.forget();
        self.announce();
    }

    /// Ends the oldest dispersal.
    pub(super) fn disperse(&mut self, outcome: Result<(), DispersalFailure>) {
        let Some((id, payload)) = self.dispersals.pop_front() else { return };
        match outcome {
            Ok(()) => {
                let certificate = Bytes::from(keccak256(&payload).to_vec());
                self.certified.insert(certificate.clone(), payload);
                self.event(Event::Dispersed { id, certificate });
            }
            Err(failure) => self.event(Event::DispersalFailed { id, failure }),
        }
    }

    /// Derivation catches up with L1.
    pub(super) fn derive(&mut self) {
        self.derived = self.derivation();
        self.safe_head(self.l2[self.derived.safe as usize].block);
    }

    fn derivation(&self) -> Derived {
        let mut derived = Derived::default();
        let mut assembler = ChannelAssembler::default();
        for (number, block) in (0u64..).zip(&self.l1) {
            let timeout = self.rollup.channel_lifetime();
            if assembler.opened_in().is_some_and(|opened| number > opened + timeout) {
                assembler.reset();
            }
            for tx in block.txs.iter().filter(|tx| tx.success) {
                for data in tx.content.iter().flat_map(|content| self.data(content)) {
                    for frame in decode_frames(&data).expect("the batcher sends frames") {
                        if let FrameOutcome::Complete(channel) = assembler.push(&frame, number) {
                            self.read(channel, &mut derived);
                        }
                    }
                }
            }
        }
        derived
    }

    /// Data of a transaction: one for each blob.
    fn data(&self, content: &BatcherTransaction) -> Vec<Bytes> {
        match content {
            BatcherTransaction::Certificate(certificate) => {
                assert_eq!(content.calldata()[..2], [1, 1]);
                vec![self.certified[certificate].clone()]
            }
            BatcherTransaction::Calldata(data) => {
                assert!(data.len() <= self.config.max_calldata);
                vec![data.clone()]
            }
            BatcherTransaction::Blobs(blobs) => {
                let through = |data: &Bytes| decode_blob(&encode_blob(data).unwrap()).unwrap();
                blobs.iter().map(|data| through(data).into()).collect()
            }
        }
    }

    fn read(&self, channel: Vec<u8>, derived: &mut Derived) {
        let mut reader = BatchReader::new(channel).expect("the batcher compresses");
        for batch in reader.batches(&self.rollup) {
            let Batch::Span(span) = batch.expect("the batcher encodes") else {
                panic!("the batcher writes span batches")
            };
            if !self.apply(&span, derived) {
                return;
            }
        }
    }

    /// Holocene's checks of a span batch; whether the channel goes on.
    fn apply(&self, span: &SpanBatch, derived: &mut Derived) -> bool {
        let number = |timestamp: u64| (timestamp - GENESIS_TIME) / 2;
        let first = number(span.blocks[0].timestamp);
        let last = first + span.blocks.len() as u64 - 1;
        let known = |number: u64| self.l2.get(number as usize).map(|block| &block.block);
        let origin = known(last).is_some_and(|b| b.l1_origin.hash[..20] == span.l1_origin_check);
        let parent = known(first - 1).is_some_and(|b| b.hash[..20] == span.parent_check);
        if !origin || !parent || first > derived.safe + 1 {
            return false;
        }
        for (number, block) in (first..).zip(&span.blocks) {
            let l2 = &self.l2[number as usize];
            assert_eq!(block.transactions, l2.transactions, "block {number}");
            assert_eq!(block.epoch, l2.block.l1_origin.number, "block {number}");
            if number <= derived.safe {
                derived.repeated += 1;
            } else {
                derived.safe = number;
            }
        }
        true
    }

    /// Everything works for a while; whether all blocks are safe at the end.
    pub(super) fn settle(&mut self, rounds: usize) -> bool {
        for _ in 0..rounds {
            self.tick(12);
            while !self.dispersals.is_empty() {
                self.disperse(Ok(()));
            }
            self.mine(true, false);
            self.derive();
            if self.derived.safe == self.head() && self.own.is_none() {
                return true;
            }
        }
        false
    }
}
