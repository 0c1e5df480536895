use alloy_rlp::Error as RlpError;

use super::{
    MAX_RLP_BYTES_PER_CHANNEL,
    decompress::{Decompressor, Progress},
};
use crate::{
    RollupConfig,
    batch::{Batch, BatchError},
};

/// Reads the batches of a channel one by one, decompressing only as far as it must. Memory: the
/// bytes of one batch, and the decompressor's window.
#[derive(Debug)]
pub struct BatchReader {
    stream: Option<Decompressor>,
    /// Decompressed bytes from `start` on are to be read.
    buffer: Vec<u8>,
    start: usize,
    /// Decompressed bytes that may still come.
    remaining: usize,
    corrupt: bool,
}

/// Why a channel ends before its end. The batches read before count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// No byte.
    #[error("the channel is empty")]
    Empty,
    /// Neither brotli's version byte nor a zlib header.
    #[error("channel version {0:#04x}")]
    Version(u8),
    /// The compressed stream is broken or cut off.
    #[error("the compressed data are broken")]
    Corrupt,
    /// The bytes end within a batch.
    #[error("the channel ends within a batch")]
    Truncated,
    /// A batch reaches beyond [`MAX_RLP_BYTES_PER_CHANNEL`].
    #[error("a batch of {0} bytes reaches beyond {MAX_RLP_BYTES_PER_CHANNEL} bytes")]
    TooLong(u64),
    /// What stands there is no byte string.
    #[error("between batches: {0}")]
    Rlp(RlpError),
    /// A byte string that is no batch.
    #[error(transparent)]
    Batch(#[from] BatchError),
}

/// Bytes that are kept in front of the current batch before they are moved away.
const COMPACT: usize = 1 << 20;

impl BatchReader {
    /// Of the bytes of a complete channel.
    pub fn new(channel: Vec<u8>) -> Result<Self, ChannelError> {
        Ok(Self {
            stream: Some(Decompressor::new(channel)?),
            buffer: Vec::new(),
            start: 0,
            remaining: MAX_RLP_BYTES_PER_CHANNEL,
            corrupt: false,
        })
    }

    /// The next batch; none at the end. After an error there are no more batches.
    pub fn next_batch(&mut self, config: &RollupConfig) -> Result<Option<Batch>, ChannelError> {
        let batch = match self.next_string() {
            Ok(Some((start, end))) => {
                let bytes = self.buffer.get(start..end).unwrap_or_default();
                Batch::decode(bytes, config).map(Some).map_err(ChannelError::Batch)
            }
            Ok(None) => Ok(None),
            Err(error) => Err(error),
        };
        if !matches!(batch, Ok(Some(_))) {
            self.close();
        }
        batch
    }

    /// Iterates over the batches; an error is the last item.
    pub fn batches(
        &mut self,
        config: &RollupConfig,
    ) -> impl Iterator<Item = Result<Batch, ChannelError>> {
        std::iter::from_fn(|| self.next_batch(config).transpose())
    }

    /// Gives memory back; nothing more is read.
    fn close(&mut self) {
        self.stream = None;
        self.remaining = 0;
        self.corrupt = false;
        self.buffer = Vec::new();
        self.start = 0;
    }

    /// Where the content of the next byte string is in the buffer.
    fn next_string(&mut self) -> Result<Option<(usize, usize)>, ChannelError> {
        if self.start >= COMPACT {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        if !self.fill(1) {
            return if self.corrupt { Err(ChannelError::Corrupt) } else { Ok(None) };
        }
        let (header, length) = self.header()?;
        let limit = self.buffer.len() - self.start + self.remaining;
        if length > (limit - header) as u64 {
            return Err(ChannelError::TooLong(length));
        }
        let size = header + length as usize;
        self.need(size)?;
        let end = self.start + size;
        let content = (self.start + header, end);
        if length == 1 && header == 1 && self.byte(1) < 0x80 {
            return Err(ChannelError::Rlp(RlpError::NonCanonicalSingleByte));
        }
        self.start = end;
        Ok(Some(content))
    }

    /// Sizes of the header and of the content of the byte string.
    fn header(&mut self) -> Result<(usize, u64), ChannelError> {
        match self.byte(0) {
            0..0x80 => Ok((0, 1)),
            first @ 0x80..0xb8 => Ok((1, u64::from(first - 0x80))),
            first @ 0xb8..0xc0 => {
                let size = usize::from(first - 0xb7);
                self.need(1 + size)?;
                let length = (1..=size).fold(0, |sum, i| sum << 8 | u64::from(self.byte(i)));
                match self.byte(1) {
                    0 => Err(ChannelError::Rlp(RlpError::LeadingZero)),
                    _ if length < 56 => Err(ChannelError::Rlp(RlpError::NonCanonicalSize)),
                    _ => Ok((1 + size, length)),
                }
            }
            0xc0.. => Err(ChannelError::Rlp(RlpError::UnexpectedList)),
        }
    }

    /// A byte behind `start` that is known to be there.
    fn byte(&self, place: usize) -> u8 {
        self.buffer.get(self.start + place).copied().unwrap_or_default()
    }

    fn need(&mut self, size: usize) -> Result<(), ChannelError> {
        match self.fill(size) {
            true => Ok(()),
            false if self.corrupt => Err(ChannelError::Corrupt),
            false if self.remaining == 0 => Err(ChannelError::TooLong(size as u64)),
            false => Err(ChannelError::Truncated),
        }
    }

    /// Decompresses until `size` bytes are there; whether they are.
    fn fill(&mut self, size: usize) -> bool {
        while self.buffer.len() - self.start < size {
            let Some(stream) = self.stream.as_mut().filter(|_| self.remaining > 0) else {
                return false;
            };
            let before = self.buffer.len();
            let progress = stream.read(self.remaining, &mut self.buffer);
            self.remaining -= self.buffer.len() - before;
            if progress != Progress::More {
                self.corrupt = progress == Progress::Corrupt;
                self.stream = None;
            }
        }
        true
    }
}
