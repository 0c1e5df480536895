//! Channels: batches compressed together, cut into frames.
//!
//! ```text
//! channel = 0x01 ‖ brotli(batches) | zlib(batches)       batches = rlp(batch) ‖ rlp(batch) ‖ …
//! ```
//!
//! zlib is told by its first byte, whose low four bits are 8 (or 15, which is reserved for it and
//! always invalid); any other first byte than 1 makes the channel invalid. Of the decompressed
//! bytes the first [`MAX_RLP_BYTES_PER_CHANNEL`] count, and the batches that are whole within
//! them; batches in front of a defect count too (OP specification: Derivation, Channel format;
//! Fjord, Brotli channel compression; Holocene, Channel bank).

mod assembler;
mod compress;
mod decompress;
mod out;
mod reader;

pub use assembler::{ChannelAssembler, DroppedFrame, FrameOutcome};
pub use compress::{BrotliQuality, compress_brotli, compress_zlib};
pub use out::{ChannelFull, ChannelOut, ChannelOutConfig, ClosedChannel, CompressionRatio};
pub use reader::{BatchReader, ChannelError};

/// Most bytes of a channel that count, decompressed, and most that it may have compressed (Fjord,
/// Holocene).
pub const MAX_RLP_BYTES_PER_CHANNEL: usize = 100_000_000;
/// What a frame counts besides its data when the size of a compressed channel is limited.
pub const FRAME_SIZE_OVERHEAD: usize = 200;
/// First byte of a channel that is compressed with brotli.
pub const CHANNEL_VERSION_BROTLI: u8 = 1;

#[cfg(test)]
pub(crate) mod tests;
