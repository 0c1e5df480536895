use alloy_primitives::Bytes;

use super::{
    column::{Bits, Reader},
    transaction::{Signature, TransactionData},
};
use crate::{
    RollupConfig,
    batch::{BatchError, MAX_SPAN_BATCH_ELEMENT_COUNT, SpanBatch, SpanBatchBlock, SpanField},
};

/// Fewest bytes of one transaction: a signature, type byte or list header of its data, nonce, gas.
const MIN_TRANSACTION: usize = 64 + 1 + 1 + 1;

impl SpanBatch {
    /// Reads the content. The times of the blocks and the chain of the transactions are taken from
    /// the configuration.
    pub fn decode(content: &[u8], config: &RollupConfig) -> Result<Self, BatchError> {
        let mut reader = Reader(content);
        let relative = reader.varint(SpanField::RelativeTimestamp)?;
        let l1_origin = reader.varint(SpanField::L1OriginNumber)?;
        let parent_check = reader.check(SpanField::ParentCheck)?;
        let l1_origin_check = reader.check(SpanField::L1OriginCheck)?;
        let block_count = count(reader.varint(SpanField::BlockCount)?)?;
        if block_count == 0 {
            return Err(BatchError::NoBlock);
        }
        let origin_bits = reader.bits(block_count, SpanField::OriginBits)?;
        let counts = transaction_counts(&mut reader, block_count)?;
        let columns = Columns::read(&mut reader, counts.iter().sum())?;

        let epochs = epochs(l1_origin, origin_bits, block_count)?;
        let first = config.genesis.l2_time.checked_add(relative);
        let mut timestamp = first.ok_or(BatchError::Range(SpanField::RelativeTimestamp))?;
        let mut transactions = columns.transactions(config.l2_chain_id);
        let mut blocks = Vec::with_capacity(block_count);
        for (index, (epoch, count)) in epochs.zip(&counts).enumerate() {
            if index > 0 {
                timestamp = timestamp
                    .checked_add(config.block_time)
                    .ok_or(BatchError::Range(SpanField::RelativeTimestamp))?;
            }
            let transactions = transactions.next_block(*count)?;
            blocks.push(SpanBatchBlock { epoch, timestamp, transactions });
        }
        Ok(Self { parent_check, l1_origin_check, blocks })
    }
}

/// A number of elements within its limit.
fn count(value: u64) -> Result<usize, BatchError> {
    if value > MAX_SPAN_BATCH_ELEMENT_COUNT {
        return Err(BatchError::Elements(value));
    }
    Ok(value as usize)
}

fn transaction_counts(reader: &mut Reader<'_>, blocks: usize) -> Result<Vec<usize>, BatchError> {
    const FIELD: SpanField = SpanField::TransactionCounts;
    if reader.0.len() < blocks {
        return Err(BatchError::Truncated(FIELD));
    }
    let mut counts = Vec::with_capacity(blocks);
    let mut sum = 0;
    for _ in 0..blocks {
        let transactions = reader.varint(FIELD)?;
        sum += count(transactions)? as u64;
        count(sum)?;
        counts.push(transactions as usize);
    }
    Ok(counts)
}

/// Numbers of the origins, from the first block's on. Whether the first block changed its origin
/// does not matter for its number.
fn epochs(
    last: u64,
    changed: Bits<'_>,
    blocks: usize,
) -> Result<impl Iterator<Item = u64>, BatchError> {
    let changes = changed.count_ones() - usize::from(changed.get(0));
    let first =
        last.checked_sub(changes as u64).ok_or(BatchError::Range(SpanField::L1OriginNumber))?;
    let mut epoch = first;
    Ok((0..blocks).map(move |index| {
        epoch += u64::from(index > 0 && changed.get(index));
        epoch
    }))
}

/// The columns of the transactions, found but not put together.
struct Columns<'a> {
    creations: Bits<'a>,
    parities: Bits<'a>,
    signatures: &'a [u8],
    destinations: &'a [u8],
    data: Vec<TransactionData<'a>>,
    nonces: Vec<u64>,
    gas_limits: Vec<u64>,
    protected: Bits<'a>,
}

impl<'a> Columns<'a> {
    fn read(reader: &mut Reader<'a>, count: usize) -> Result<Self, BatchError> {
        let creations = reader.bits(count, SpanField::CreationBits)?;
        let parities = reader.bits(count, SpanField::ParityBits)?;
        // Before anything is allocated for `count` transactions.
        if reader.0.len() < count.saturating_mul(MIN_TRANSACTION) {
            return Err(BatchError::Truncated(SpanField::Signatures));
        }
        let signatures = reader.bytes(count * 64, SpanField::Signatures)?;
        let calls = count - creations.count_ones();
        let destinations = reader.bytes(calls * 20, SpanField::Destinations)?;
        let mut data = Vec::with_capacity(count);
        for index in 0..count {
            data.push(TransactionData::read(reader, index)?);
        }
        let legacy = data.iter().filter(|data| data.is_legacy()).count();
        let nonces = varints(reader, count, SpanField::Nonces)?;
        let gas_limits = varints(reader, count, SpanField::GasLimits)?;
        let protected = reader.bits(legacy, SpanField::ProtectedBits)?;
        Ok(Self {
            creations,
            parities,
            signatures,
            destinations,
            data,
            nonces,
            gas_limits,
            protected,
        })
    }

    fn transactions(&self, chain_id: u64) -> Transactions<'_> {
        Transactions {
            columns: self,
            chain_id,
            next: 0,
            legacy: 0,
            signatures: self.signatures,
            destinations: self.destinations,
        }
    }
}

fn varints(
    reader: &mut Reader<'_>,
    count: usize,
    field: SpanField,
) -> Result<Vec<u64>, BatchError> {
    let mut values = Vec::with_capacity(count);
    for _ in 0..count {
        values.push(reader.varint(field)?);
    }
    Ok(values)
}

/// Puts transactions together, in order.
struct Transactions<'a> {
    columns: &'a Columns<'a>,
    chain_id: u64,
    next: usize,
    legacy: usize,
    signatures: &'a [u8],
    destinations: &'a [u8],
}

impl Transactions<'_> {
    /// The next `count` transactions. They share one buffer.
    fn next_block(&mut self, count: usize) -> Result<Vec<Bytes>, BatchError> {
        if count == 0 {
            return Ok(Vec::new());
        }
        let data = self.columns.data.get(self.next..self.next + count).unwrap_or_default();
        let size = data.iter().map(TransactionData::max_encoded_len).sum();
        let mut buffer = Vec::with_capacity(size);
        let mut ends = Vec::with_capacity(count);
        for data in data {
            self.encode(data, &mut buffer)?;
            ends.push(buffer.len());
        }
        let buffer = Bytes::from(buffer);
        let mut start = 0;
        let slice = |end| {
            let bytes = buffer.slice(start..end);
            start = end;
            bytes
        };
        Ok(ends.into_iter().map(slice).collect())
    }

    fn encode(&mut self, data: &TransactionData<'_>, out: &mut Vec<u8>) -> Result<(), BatchError> {
        let Columns { creations, parities, nonces, gas_limits, protected, .. } = self.columns;
        let index = self.next;
        self.next += 1;
        let to = if creations.get(index) { None } else { take(&mut self.destinations) };
        let protected = data.is_legacy() && {
            self.legacy += 1;
            protected.get(self.legacy - 1)
        };
        let signature = Signature {
            odd: parities.get(index),
            r: take(&mut self.signatures).ok_or(BatchError::Truncated(SpanField::Signatures))?,
            s: take(&mut self.signatures).ok_or(BatchError::Truncated(SpanField::Signatures))?,
            protected,
        };
        let (nonce, gas_limit) = match (nonces.get(index), gas_limits.get(index)) {
            (Some(nonce), Some(gas_limit)) => (*nonce, *gas_limit),
            _ => return Err(BatchError::Truncated(SpanField::Nonces)),
        };
        if to.is_none() && data.needs_destination() {
            return Err(BatchError::NoDestination(index));
        }
        data.encode_2718(self.chain_id, nonce, gas_limit, to, &signature, out)
            .map_err(|error| BatchError::Transaction { index, error })
    }
}

/// The next `N` bytes of a column whose length was checked.
fn take<'a, const N: usize>(column: &mut &'a [u8]) -> Option<&'a [u8; N]> {
    let (bytes, rest) = column.split_first_chunk()?;
    *column = rest;
    Some(bytes)
}
