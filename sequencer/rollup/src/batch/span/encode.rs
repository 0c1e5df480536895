use alloy_primitives::B256;

use super::{
    column::{BitColumn, put_varint},
    split::SplitTransaction,
};
use crate::{
    L2BlockRef, RollupConfig,
    batch::{BatchBlock, BatchError, MAX_SPAN_BATCH_ELEMENT_COUNT, SPAN_BATCH_VERSION},
};

/// A span batch that grows block by block.
#[derive(Debug, Clone)]
pub struct SpanBatchBuilder {
    genesis_time: u64,
    block_time: u64,
    chain_id: u64,
    first: Option<L2BlockRef>,
    last: Option<L2BlockRef>,
    blocks: u64,
    origin_bits: BitColumn,
    counts: Vec<u8>,
    transactions: Columns,
}

/// The columns of the transactions.
#[derive(Debug, Clone, Default)]
struct Columns {
    count: u64,
    creations: BitColumn,
    parities: BitColumn,
    signatures: Vec<u8>,
    destinations: Vec<u8>,
    data: Vec<u8>,
    nonces: Vec<u8>,
    gas_limits: Vec<u8>,
    protected: BitColumn,
}

/// Bytes in front of the columns, at most: version, three varints, two checks.
const MAX_PREFIX: usize = 1 + 3 * 10 + 2 * 20;

impl SpanBatchBuilder {
    /// Without a block.
    pub fn new(config: &RollupConfig) -> Self {
        Self {
            genesis_time: config.genesis.l2_time,
            block_time: config.block_time,
            chain_id: config.l2_chain_id,
            first: None,
            last: None,
            blocks: 0,
            origin_bits: BitColumn::default(),
            counts: Vec::new(),
            transactions: Columns::default(),
        }
    }

    /// Adds the next block. After an error the builder is what it was before.
    pub fn push(&mut self, block: &BatchBlock) -> Result<(), BatchError> {
        let transactions = block.transactions.len() as u64;
        let elements = (self.blocks + 1).max(self.transactions.count + transactions);
        if elements > MAX_SPAN_BATCH_ELEMENT_COUNT {
            return Err(BatchError::Elements(elements));
        }
        let new_origin = self.follows(&block.block)?;
        // All are read before the first is put into the columns.
        let mut split = Vec::with_capacity(block.transactions.len());
        for (index, bytes) in block.transactions.iter().enumerate() {
            split.push(SplitTransaction::read(bytes, self.chain_id, index)?);
        }
        for transaction in &split {
            self.transactions.push(transaction);
        }
        self.origin_bits.push(new_origin);
        put_varint(transactions, &mut self.counts);
        self.blocks += 1;
        self.first.get_or_insert(block.block);
        self.last = Some(block.block);
        Ok(())
    }

    /// Whether the block has another origin than its parent; an error if the parent is not the
    /// last block.
    fn follows(&self, block: &L2BlockRef) -> Result<bool, BatchError> {
        let Some(last) = &self.last else {
            return Ok(block.sequence_number == 0);
        };
        let origins = block.l1_origin.number.checked_sub(last.l1_origin.number);
        let follows = block.parent_hash == last.hash
            && block.timestamp.checked_sub(last.timestamp) == Some(self.block_time);
        match origins {
            Some(origins @ 0..=1) if follows => Ok(origins == 1),
            _ => Err(BatchError::NotConsecutive { number: block.number, last: last.number }),
        }
    }

    /// First block.
    pub const fn first(&self) -> Option<&L2BlockRef> {
        self.first.as_ref()
    }

    /// Last block.
    pub const fn last(&self) -> Option<&L2BlockRef> {
        self.last.as_ref()
    }

    /// Number of blocks.
    pub const fn blocks(&self) -> u64 {
        self.blocks
    }

    /// Number of transactions.
    pub const fn transactions(&self) -> u64 {
        self.transactions.count
    }

    /// Bytes that do not compress: signatures are random.
    pub const fn random_len(&self) -> usize {
        self.transactions.signatures.len()
    }

    /// Size of the encoding, a few bytes too much at most.
    pub fn max_encoded_len(&self) -> usize {
        let columns = self.transactions.encoded_len();
        MAX_PREFIX + self.origin_bits.encoded_len() + self.counts.len() + columns
    }

    /// `version ‖ content`; nothing if there is no block.
    pub fn encode(&self) -> Option<Vec<u8>> {
        let (first, last) = (self.first.as_ref()?, self.last.as_ref()?);
        let mut out = Vec::with_capacity(self.max_encoded_len());
        out.push(SPAN_BATCH_VERSION);
        put_varint(first.timestamp.saturating_sub(self.genesis_time), &mut out);
        put_varint(last.l1_origin.number, &mut out);
        out.extend_from_slice(check(&first.parent_hash));
        out.extend_from_slice(check(&last.l1_origin.hash));
        put_varint(self.blocks, &mut out);
        self.origin_bits.encode(&mut out);
        out.extend_from_slice(&self.counts);
        self.transactions.encode(&mut out);
        Some(out)
    }
}

/// The part of a hash that a span batch carries.
fn check(hash: &B256) -> &[u8] {
    &hash.0[..20]
}

impl Columns {
    fn push(&mut self, transaction: &SplitTransaction<'_>) {
        self.count += 1;
        self.creations.push(transaction.to.is_none());
        self.parities.push(transaction.odd);
        transaction.put_signature(&mut self.signatures);
        self.destinations.extend_from_slice(transaction.to.unwrap_or_default());
        transaction.put_data(&mut self.data);
        put_varint(transaction.nonce, &mut self.nonces);
        put_varint(transaction.gas_limit, &mut self.gas_limits);
        if transaction.kind.type_byte().is_none() {
            self.protected.push(transaction.protected);
        }
    }

    const fn encoded_len(&self) -> usize {
        self.creations.encoded_len()
            + self.parities.encoded_len()
            + self.signatures.len()
            + self.destinations.len()
            + self.data.len()
            + self.nonces.len()
            + self.gas_limits.len()
            + self.protected.encoded_len()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.creations.encode(out);
        self.parities.encode(out);
        out.extend_from_slice(&self.signatures);
        out.extend_from_slice(&self.destinations);
        out.extend_from_slice(&self.data);
        out.extend_from_slice(&self.nonces);
        out.extend_from_slice(&self.gas_limits);
        self.protected.encode(out);
    }
}
