//! Batches, channels and frames, made by hand and read back.

use std::collections::BTreeMap;

use alloy::consensus::{SignableTransaction, TxEip1559, TxEnvelope};
use alloy::eips::eip2718::Encodable2718;
use alloy::signers::SignerSync;
use alloy::signers::local::PrivateKeySigner;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use alloy_rlp::Encodable;
use cairn_rollup::batch::{Batch, BatchBlock, SingularBatch, SpanBatchBuilder};
use cairn_rollup::channel::{BatchReader, BrotliQuality, compress_brotli};
use cairn_rollup::frame::{ChannelId, Frame};
use cairn_rollup::{L2BlockRef, RollupConfig};
use eyre::{ContextCompat, ensure};

const TRANSFER_GAS: u64 = 21_000;
const FEE_CAP: u128 = 10_000_000_000;

/// A signed transfer of one wei on L2.
///
/// # Errors
/// When it cannot be signed.
pub fn transfer(
    chain_id: u64,
    from: &PrivateKeySigner,
    nonce: u64,
    to: Address,
) -> eyre::Result<TxEnvelope> {
    let transaction = TxEip1559 {
        chain_id,
        nonce,
        gas_limit: TRANSFER_GAS,
        max_fee_per_gas: FEE_CAP,
        max_priority_fee_per_gas: 1,
        to: TxKind::Call(to),
        value: U256::from(1),
        ..TxEip1559::default()
    };
    let signature = from.sign_hash_sync(&transaction.signature_hash())?;
    Ok(transaction.into_signed(signature).into())
}

/// The batch of the block after `parent`, with the same origin, as a channel holds it.
#[must_use]
pub fn singular_batch(
    config: &RollupConfig,
    parent: &L2BlockRef,
    transactions: &[Bytes],
) -> Vec<u8> {
    let batch = SingularBatch {
        parent_hash: parent.hash,
        epoch: parent.l1_origin,
        timestamp: parent.timestamp.saturating_add(config.block_time),
        transactions: transactions.to_vec(),
    };
    string(&batch.encode())
}

/// A span batch, as a channel holds it, that stands on `parent` and goes up to the block after
/// `safe`; `of` gives the transactions of each block. All have the safe head's origin.
///
/// # Errors
/// When `safe` is not above `parent` or has another origin.
pub fn span_batch(
    config: &RollupConfig,
    (parent, safe): (&L2BlockRef, &L2BlockRef),
    of: impl Fn(u64) -> Vec<Bytes>,
) -> eyre::Result<Vec<u8>> {
    let mut span = SpanBatchBuilder::new(config);
    let mut below = *parent;
    while below.number <= safe.number {
        let number = below.number.saturating_add(1);
        let block = L2BlockRef {
            hash: B256::with_last_byte(u8::try_from(number - parent.number)?),
            number,
            parent_hash: below.hash,
            timestamp: below.timestamp.saturating_add(config.block_time),
            l1_origin: safe.l1_origin,
            sequence_number: u64::from(parent.l1_origin == safe.l1_origin),
        };
        span.push(&BatchBlock { block, transactions: of(number) })?;
        below = block;
    }
    Ok(string(&span.encode().wrap_err("a span without a block")?))
}

/// A byte string of a channel.
#[must_use]
pub fn string(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len().saturating_add(9));
    bytes.encode(&mut out);
    out
}

/// A channel of these byte strings, compressed with brotli.
#[must_use]
pub fn channel(strings: &[Vec<u8>]) -> Vec<u8> {
    let fast = BrotliQuality::new(1).unwrap_or_default();
    compress_brotli(&strings.concat(), fast)
}

/// Cuts a channel into so many frames.
///
/// # Errors
/// When the channel has fewer bytes.
pub fn frames(name: u8, channel: &[u8], count: usize) -> eyre::Result<Vec<Frame>> {
    ensure!((1..=channel.len()).contains(&count), "{count} frames of {} bytes", channel.len());
    let mut frames = Vec::new();
    for (number, data) in (0..).zip(channel.chunks(channel.len().div_ceil(count))) {
        let data = Bytes::copy_from_slice(data);
        frames.push(Frame { channel: ChannelId([name; 16]), number, data, is_last: false });
    }
    ensure!(frames.len() == count, "{} frames, not {count}", frames.len());
    frames.iter_mut().skip(count - 1).for_each(|last| last.is_last = true);
    Ok(frames)
}

/// The batches of frames that a batcher sent: each of its channels begins with frame 0, has every
/// frame once and in order, and is complete, except a last one that is still being sent.
///
/// # Errors
/// When a frame is there twice, is missing or out of order, or holds what is no batch.
pub fn read_batches(config: &RollupConfig, frames: &[Frame]) -> eyre::Result<Vec<Batch>> {
    let mut channels: BTreeMap<ChannelId, Vec<&Frame>> = BTreeMap::new();
    let mut order: Vec<ChannelId> = Vec::new();
    for frame in frames {
        if order.last() != Some(&frame.channel) {
            let again = order.contains(&frame.channel);
            ensure!(!again, "channel {} goes on behind another", frame.channel);
            order.push(frame.channel);
        }
        let channel = channels.entry(frame.channel).or_default();
        let expected = channel.len();
        ensure!(usize::from(frame.number) == expected, "frame {expected} is not {frame:?}");
        let over = channel.last().is_some_and(|last| last.is_last);
        ensure!(!over, "{frame:?} behind the last of its channel");
        channel.push(frame);
    }
    let mut batches = Vec::new();
    for (place, name) in order.iter().enumerate() {
        let channel = channels.get(name).map(Vec::as_slice).unwrap_or_default();
        if channel.last().is_none_or(|last| !last.is_last) {
            ensure!(place + 1 == order.len(), "channel {name} is not complete");
            continue;
        }
        let bytes: Vec<u8> = channel.iter().flat_map(|frame| frame.data.iter().copied()).collect();
        let mut reader = BatchReader::new(bytes)?;
        while let Some(batch) = reader.next_batch(config)? {
            batches.push(batch);
        }
    }
    Ok(batches)
}

/// The encoding of a transaction, as batches hold it.
#[must_use]
pub fn encoded(transaction: &TxEnvelope) -> Bytes {
    transaction.encoded_2718().into()
}
