//! L1, and what is posted on it.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, keccak256};
use cairn_rollup::batch::{Batch, SPAN_BATCH_VERSION};
use cairn_rollup::blob::encode_blob;
use cairn_rollup::channel::compress_zlib;
use cairn_rollup::frame::{ChannelId, Frame, encode_frames};
use cairn_rollup::l1::{BlobId, Carrier, ConfigUpdate, InboxTransaction, L1Block};
use cairn_rollup::testing::{BATCHER, L1, L1_GENESIS, L1Source, jovian, plain};
use cairn_rollup::{L2BlockRef, RollupConfig};
use op_alloy_consensus::TxDeposit;

use super::input::{Form, Record};

/// Seconds between L2 blocks.
const BLOCK_TIME: u64 = 100;
/// Seconds between L1 blocks. One of them is longer than the sequencer may be ahead of its origin.
const INTERVALS: [u64; 11] = [100, 50, 300, 100, 2100, 100, 200, 50, 50, 300, 100];

/// L1 before anything is posted.
#[derive(Debug)]
pub(super) struct World {
    pub(super) config: RollupConfig,
    pub(super) l1: L1,
}

impl World {
    /// A deposit in every third block, a new gas limit in every fourth.
    pub(super) fn new() -> Self {
        let mut config = jovian();
        config.block_time = BLOCK_TIME;
        config.seq_window_size = 4;
        config.channel_timeout_granite = 2;
        let mut l1 = L1::new(&mut config);
        for (index, interval) in (1..).zip(INTERVALS) {
            l1.push(l1.last().timestamp + interval, 0);
            let block = l1.block_mut(l1.head());
            if index % 3 == 1 {
                let gas_limit = 100_000 + index;
                block.deposits.push(TxDeposit { gas_limit, ..TxDeposit::default() });
            }
            if index % 4 == 2 {
                block.config_updates.push(ConfigUpdate::GasLimit(30_000_000 + index));
            }
        }
        Self { config, l1 }
    }
}

/// L1 with the records of an input. A block is made when it is asked for first, since batches that fit name
/// the chain as it is then; afterwards it stays.
#[derive(Debug)]
pub(super) struct Posted<'a> {
    world: &'a World,
    records: Vec<Record<'a>>,
    made: RefCell<HashMap<u64, Arc<L1Block>>>,
    data: RefCell<HashMap<B256, Vec<Bytes>>>,
}

impl<'a> Posted<'a> {
    pub(super) fn new(world: &'a World, records: Vec<Record<'a>>) -> Self {
        Self { world, records, made: RefCell::default(), data: RefCell::default() }
    }

    fn post(&self, index: u64, record: &Record<'_>, safe: &L2BlockRef) -> InboxTransaction {
        let hash = keccak256(index.to_be_bytes());
        let content = Bytes::copy_from_slice(record.content);
        let sender = if record.form == Form::Stranger { Address::ZERO } else { BATCHER };
        let carrier = match record.form {
            Form::Calldata | Form::Stranger => Carrier::Calldata(content),
            Form::Blob => {
                let blob = encode_blob(&content).expect("inputs are shorter than a blob");
                self.data.borrow_mut().insert(hash, vec![Bytes::copy_from_slice(&blob.0)]);
                Carrier::Blobs(vec![BlobId { index, versioned_hash: hash }])
            }
            Form::Certificate => {
                self.data.borrow_mut().insert(hash, vec![content]);
                Carrier::Certificate(Bytes::from_static(b"certificate"))
            }
            Form::Batches => Carrier::Calldata(channel(index, &content)),
            Form::Batch => Carrier::Calldata(channel(index, &plain(&[content.to_vec()]))),
            Form::FittedBatch => {
                let batch = self.fit(&content, safe);
                Carrier::Calldata(channel(index, &plain(&[batch])))
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

impl L1Source for Posted<'_> {
    fn hash(&self, number: u64) -> Option<B256> {
        self.world.l1.block(number).map(|block| block.hash)
    }

    fn block(&self, number: u64, safe: &L2BlockRef) -> Option<Arc<L1Block>> {
        if let Some(made) = self.made.borrow().get(&number) {
            return Some(made.clone());
        }
        let mut block = self.world.l1.block(number)?.clone();
        let blocks = self.world.l1.blocks.len() as u64;
        for (index, record) in (0..).zip(&self.records) {
            if L1_GENESIS + u64::from(record.l1) % blocks == number {
                block.batches.push(self.post(index, record, safe));
            }
        }
        let block = Arc::new(block);
        self.made.borrow_mut().insert(number, block.clone());
        Some(block)
    }

    fn data(&self, transaction: B256) -> Vec<Bytes> {
        self.data.borrow().get(&transaction).cloned().unwrap_or_default()
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
