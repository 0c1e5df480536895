use std::{num::NonZeroU32, time::Duration};

use alloy_primitives::Bytes;
use alloy_rlp::Encodable;

use super::{BrotliQuality, MAX_RLP_BYTES_PER_CHANNEL, compress_brotli};
use crate::{
    L2BlockRef, RollupConfig,
    batch::{BatchBlock, BatchError, SpanBatchBuilder},
    frame::{ChannelId, FRAME_OVERHEAD, Frame, MAX_FRAME_LEN},
};

/// When a channel is closed, and how it is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChannelOutConfig {
    /// Compressed size at which it is closed. Reached by estimate: the channel may be some percent
    /// smaller or larger.
    pub target_size: usize,
    /// Compressed size beyond which it never grows, even if L1 does not keep up; by estimate, too.
    pub max_size: usize,
    /// Time after its first block at which it is closed.
    pub max_duration: Duration,
    /// L1 blocks after its first block at which it is closed.
    pub max_l1_blocks: u64,
    /// Most blocks in it.
    pub max_blocks: NonZeroU32,
    /// Cost of compression against its result.
    pub quality: BrotliQuality,
}

impl Default for ChannelOutConfig {
    fn default() -> Self {
        Self {
            target_size: 1 << 20,
            max_size: 16 << 20,
            max_duration: Duration::from_secs(30),
            max_l1_blocks: 10,
            max_blocks: NonZeroU32::MIN.saturating_add(9_999),
            quality: BrotliQuality::default(),
        }
    }
}

/// Compressed size of what is not random, in thousandths. Learnt from channel to channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CompressionRatio(pub u16);

impl Default for CompressionRatio {
    fn default() -> Self {
        Self(500)
    }
}

/// A channel that is being filled: one span batch.
#[derive(Debug, Clone)]
pub struct ChannelOut {
    id: ChannelId,
    config: ChannelOutConfig,
    ratio: CompressionRatio,
    span: SpanBatchBuilder,
}

/// Why a channel should be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChannelFull {
    /// Its target size is reached, by estimate. It may grow on, and compress better, while there
    /// is no room for it on L1.
    TargetSize,
    /// Its largest size is reached, by estimate.
    MaxSize,
    /// Its blocks have as many bytes as a channel may have.
    RlpBytes,
    /// It has as many blocks as it may have.
    Blocks,
}

/// A channel to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClosedChannel {
    /// Its name.
    pub id: ChannelId,
    /// First block.
    pub first: L2BlockRef,
    /// Last block.
    pub last: L2BlockRef,
    /// The compressed bytes, to be cut into frames.
    pub data: Bytes,
    /// What the estimate of the next channel should use.
    pub ratio: CompressionRatio,
}

/// Bytes that a batch's RLP header takes at most.
const RLP_HEADER: usize = 9;

impl ChannelOut {
    /// An empty channel. `id` must not have been used within the channel timeout.
    pub fn new(
        id: ChannelId,
        config: ChannelOutConfig,
        ratio: CompressionRatio,
        rollup: &RollupConfig,
    ) -> Self {
        Self { id, config, ratio, span: SpanBatchBuilder::new(rollup) }
    }

    /// Adds the next block. It is the caller's to close the channel once it [is full](Self::full).
    /// An error leaves the channel as it was.
    pub fn push(&mut self, block: &BatchBlock) -> Result<(), BatchError> {
        self.span.push(block)
    }

    /// Whether the channel would be larger than any may be with the block. To be asked before a
    /// block is added; an empty channel takes any block.
    pub fn fits(&self, block: &BatchBlock) -> bool {
        let size: usize = block.transactions.iter().map(|transaction| transaction.len()).sum();
        // A transaction in columns has no more bytes than its own encoding and its `r` and `s` at
        // full length.
        let added = size + 64 * block.transactions.len() + 16;
        self.is_empty() || self.rlp_len() + added <= MAX_RLP_BYTES_PER_CHANNEL
    }

    /// Why the channel should be closed.
    pub fn full(&self) -> Option<ChannelFull> {
        if self.rlp_len() >= MAX_RLP_BYTES_PER_CHANNEL {
            return Some(ChannelFull::RlpBytes);
        }
        if self.span.blocks() >= u64::from(self.config.max_blocks.get()) {
            return Some(ChannelFull::Blocks);
        }
        match self.estimated_size() {
            size if size >= self.config.max_size => Some(ChannelFull::MaxSize),
            size if size >= self.config.target_size => Some(ChannelFull::TargetSize),
            _ => None,
        }
    }

    /// Its name.
    pub const fn id(&self) -> ChannelId {
        self.id
    }

    /// Whether there is no block.
    pub const fn is_empty(&self) -> bool {
        self.span.blocks() == 0
    }

    /// Number of blocks.
    pub const fn blocks(&self) -> u64 {
        self.span.blocks()
    }

    /// Number of transactions.
    pub const fn transactions(&self) -> u64 {
        self.span.transactions()
    }

    /// First block.
    pub const fn first(&self) -> Option<&L2BlockRef> {
        self.span.first()
    }

    /// Last block.
    pub const fn last(&self) -> Option<&L2BlockRef> {
        self.span.last()
    }

    /// Bytes before compression, a few too many at most.
    pub fn rlp_len(&self) -> usize {
        self.span.max_encoded_len() + RLP_HEADER
    }

    /// Bytes after compression: signatures count whole, the rest at the ratio of the channel
    /// before.
    pub fn estimated_size(&self) -> usize {
        let random = self.span.random_len();
        random + (self.rlp_len() - random) * usize::from(self.ratio.0) / 1000
    }

    /// Compresses. Nothing if the channel is empty.
    ///
    /// This is the costly step: about as many microseconds per transaction as the quality asks for.
    pub fn close(&self) -> Option<ClosedChannel> {
        let (first, last) = (*self.span.first()?, *self.span.last()?);
        let batch = self.span.encode()?;
        let mut batches = Vec::with_capacity(batch.len() + RLP_HEADER);
        batch.as_slice().encode(&mut batches);
        drop(batch);
        let data = compress_brotli(&batches, self.config.quality);
        let ratio = self.measured(batches.len(), data.len());
        Some(ClosedChannel { id: self.id, first, last, data: data.into(), ratio })
    }

    /// The ratio that would have given the right estimate; the old one if there is too little to
    /// learn from.
    fn measured(&self, plain: usize, compressed: usize) -> CompressionRatio {
        const ENOUGH: usize = 4096;
        let random = self.span.random_len();
        let rest = plain.saturating_sub(random);
        if rest < ENOUGH {
            return self.ratio;
        }
        let ratio = compressed.saturating_sub(random) * 1000 / rest;
        CompressionRatio(ratio.clamp(20, 1000) as u16)
    }
}

impl ClosedChannel {
    /// Cuts the channel into frames that are at most `max_frame` bytes long when encoded, and at
    /// least one byte longer than a frame's overhead. Nothing if there would be more frames than
    /// can be numbered.
    pub fn frames(&self, max_frame: usize) -> Option<Vec<Frame>> {
        let size = max_frame.checked_sub(FRAME_OVERHEAD)?.min(MAX_FRAME_LEN);
        if size == 0 {
            return None;
        }
        let count = self.data.len().div_ceil(size).max(1);
        let mut frames = Vec::with_capacity(count);
        for index in 0..count {
            let start = index * size;
            let end = (start + size).min(self.data.len());
            frames.push(Frame {
                channel: self.id,
                number: u16::try_from(index).ok()?,
                data: self.data.slice(start..end),
                is_last: index + 1 == count,
            });
        }
        Some(frames)
    }
}
