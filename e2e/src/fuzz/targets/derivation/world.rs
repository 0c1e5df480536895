//! L1, and what is posted on it.

use std::collections::HashMap;
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use cairn_rollup::batch::{Batch, SPAN_BATCH_VERSION};
use cairn_rollup::blob::encode_blob;
use cairn_rollup::channel::compress_zlib;
use cairn_rollup::frame::{ChannelId, Frame, encode_frames};
use cairn_rollup::l1::{BlobId, Carrier, ConfigUpdate, InboxTransaction, L1Block};
use cairn_rollup::{L2BlockRef, RollupConfig};
use op_alloy_consensus::TxDeposit;

use super::input::{Form, Record};
use crate::fuzz::targets::rollup::{self, BATCHER, GENESIS_TIME};

/// Seconds between L2 blocks.
const BLOCK_TIME: u64 = 100;
/// Seconds between L1 blocks. One of them is longer than the sequencer may be ahead of its origin.
const INTERVALS: [u64; 11] = [100, 50, 300, 100, 2100, 100, 200, 50, 50, 300, 100];
/// Number of L1's genesis block for the rollup.
const L1_GENESIS: u64 = 100;

/// L1 before anything is posted.
#[derive(Debug)]
pub(super) struct World {
    pub(super) config: Arc<RollupConfig>,
    l1: Vec<L1Block>,
}

impl World {
    pub(super) fn new() -> Self {
        let mut config = rollup::config();
        config.block_time = BLOCK_TIME;
        config.seq_window_size = 4;
        config.channel_timeout_granite = 2;
        let mut l1: Vec<L1Block> = Vec::new();
        let mut timestamp = GENESIS_TIME;
        for (index, interval) in (0..).zip([0].into_iter().chain(INTERVALS)) {
            timestamp += interval;
            l1.push(l1_block(index, timestamp, l1.last().map_or(B256::ZERO, |last| last.hash)));
        }
        config.genesis.l1 = l1[0].id();
        config.genesis.l2.hash = B256::repeat_byte(0x22);
        Self { config: Arc::new(config), l1 }
    }

    pub(super) fn block(&self, number: u64) -> Option<&L1Block> {
        self.l1.get(place(number)?)
    }

    pub(super) fn blocks(&self) -> &[L1Block] {
        &self.l1
    }
}

fn place(number: u64) -> Option<usize> {
    number.checked_sub(L1_GENESIS).map(|place| place as usize)
}

/// Block `index`: a deposit in every third, a new gas limit in every fourth.
fn l1_block(index: u64, timestamp: u64, parent_hash: B256) -> L1Block {
    let hash = keccak256([parent_hash.0, U256::from(index).to_be_bytes()].concat());
    let deposit = TxDeposit { gas_limit: 100_000 + index, ..TxDeposit::default() };
    let update = ConfigUpdate::GasLimit(30_000_000 + index);
    L1Block {
        number: L1_GENESIS + index,
        hash,
        parent_hash,
        timestamp,
        base_fee: U256::from(index),
        blob_base_fee: U256::from(1),
        prev_randao: keccak256(hash),
        parent_beacon_block_root: keccak256(parent_hash),
        deposits: if index % 3 == 1 { vec![deposit] } else { Vec::new() },
        config_updates: if index % 4 == 2 { vec![update] } else { Vec::new() },
        ..L1Block::default()
    }
}

/// L1 with the records of an input. A block is made when it is asked for first, since batches that fit name
/// the chain as it is then; afterwards it stays.
#[derive(Debug)]
pub(super) struct Posted<'a> {
    world: &'a World,
    records: Vec<Record<'a>>,
    made: HashMap<u64, Arc<L1Block>>,
    data: HashMap<B256, Vec<Bytes>>,
}

impl<'a> Posted<'a> {
    pub(super) fn new(world: &'a World, records: Vec<Record<'a>>) -> Self {
        Self { world, records, made: HashMap::new(), data: HashMap::new() }
    }

    /// Hash of the block at that number.
    pub(super) fn hash(&self, number: u64) -> Option<B256> {
        self.world.block(number).map(|block| block.hash)
    }

    /// The block at that number, `safe` being the safe head before it.
    pub(super) fn block(&mut self, number: u64, safe: &L2BlockRef) -> Option<Arc<L1Block>> {
        if let Some(made) = self.made.get(&number) {
            return Some(made.clone());
        }
        let mut block = self.world.block(number)?.clone();
        let blocks = self.world.blocks().len();
        for (index, record) in self.records.clone().iter().enumerate() {
            if Some(usize::from(record.l1) % blocks) == place(number) {
                let transaction = self.post(index as u64, record, safe);
                block.batches.push(transaction);
            }
        }
        let block = Arc::new(block);
        self.made.insert(number, block.clone());
        Some(block)
    }

    /// Data of a transaction that are not in its block.
    pub(super) fn data(&self, transaction: B256) -> Vec<Bytes> {
        self.data.get(&transaction).cloned().unwrap_or_default()
    }

    fn post(&mut self, index: u64, record: &Record<'_>, safe: &L2BlockRef) -> InboxTransaction {
        let hash = keccak256(index.to_be_bytes());
        let content = Bytes::copy_from_slice(record.content);
        let sender = if record.form == Form::Stranger { Address::ZERO } else { BATCHER };
        let carrier = match record.form {
            Form::Calldata | Form::Stranger => Carrier::Calldata(content),
            Form::Blob => {
                let blob = encode_blob(&content).expect("inputs are shorter than a blob");
                self.data.insert(hash, vec![Bytes::copy_from_slice(&blob.0)]);
                Carrier::Blobs(vec![BlobId { index, versioned_hash: hash }])
            }
            Form::Certificate => {
                self.data.insert(hash, vec![content]);
                Carrier::Certificate(Bytes::from_static(b"certificate"))
            }
            Form::Batches => Carrier::Calldata(channel(index, &content)),
            Form::Batch => Carrier::Calldata(channel(index, &rollup::plain(&[content.to_vec()]))),
            Form::FittedBatch => {
                let batch = self.fit(&content, safe);
                Carrier::Calldata(channel(index, &rollup::plain(&[batch])))
            }
        };
        InboxTransaction { index, hash, sender, carrier }
    }

    /// The batch with the hashes that let it follow the safe head; any other bytes as they are.
    fn fit(&self, bytes: &[u8], safe: &L2BlockRef) -> Vec<u8> {
        let hash_of = |number| self.hash(number).unwrap_or_default();
        match Batch::decode(bytes, &self.world.config) {
            Ok(Batch::Singular(mut batch)) => {
                batch.parent_hash = safe.hash;
                batch.epoch.hash = hash_of(batch.epoch.number);
                batch.encode()
            }
            Ok(Batch::Span(span)) => {
                let mut bytes = bytes.to_vec();
                let last = span.blocks.last().map_or(0, |block| block.epoch);
                let checks = varint_end(&bytes, varint_end(&bytes, 1));
                debug_assert_eq!(bytes[0], SPAN_BATCH_VERSION);
                bytes[checks..checks + 20].copy_from_slice(&safe.hash[..20]);
                bytes[checks + 20..checks + 40].copy_from_slice(&hash_of(last)[..20]);
                bytes
            }
            Err(_) => bytes.to_vec(),
        }
    }
}

/// Where the varint at `start` ends.
fn varint_end(bytes: &[u8], start: usize) -> usize {
    let length = bytes[start..].iter().position(|byte| *byte < 0x80);
    start + 1 + length.unwrap_or_default()
}

/// Calldata with a whole channel.
fn channel(index: u64, plain: &[u8]) -> Bytes {
    let mut id = [0xcc; 16];
    id[8..].copy_from_slice(&index.to_be_bytes());
    let data = compress_zlib(plain, 1).into();
    let frame = Frame { channel: ChannelId(id), number: 0, data, is_last: true };
    encode_frames(&[frame]).into()
}
