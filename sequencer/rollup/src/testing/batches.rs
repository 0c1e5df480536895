//! What a batcher makes of blocks.

use crate::RollupConfig;
use crate::batch::{BatchBlock, SingularBatch, SpanBatchBuilder};
use crate::channel::{BrotliQuality, compress_brotli};
use crate::frame::{ChannelId, Frame};

/// `version ‖ content` of a span batch.
pub fn span(config: &RollupConfig, blocks: &[BatchBlock]) -> Vec<u8> {
    let mut builder = SpanBatchBuilder::new(config);
    blocks.iter().for_each(|block| builder.push(block).expect("it follows"));
    builder.encode().expect("there are blocks")
}

/// A singular batch for each block.
pub fn singular(blocks: &[BatchBlock]) -> Vec<SingularBatch> {
    blocks.iter().map(Into::into).collect()
}

/// Encoded batches as RLP strings: what is compressed.
pub fn plain(batches: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for batch in batches {
        alloy_rlp::Encodable::encode(batch.as_slice(), &mut out);
    }
    out
}

/// A channel of encoded batches.
pub fn channel(batches: &[Vec<u8>]) -> Vec<u8> {
    compress_brotli(&plain(batches), BrotliQuality::default())
}

/// A channel in frames of `size` bytes.
pub fn frames(id: u8, channel: &[u8], size: usize) -> Vec<Frame> {
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
