use std::fmt;

use brotli::{BrotliDecompressStream, BrotliResult, BrotliState, enc::StandardAlloc};
use miniz_oxide::inflate::{
    TINFLStatus,
    core::{DecompressorOxide, decompress, inflate_flags},
};

use super::{CHANNEL_VERSION_BROTLI, ChannelError};

/// Bytes that are decompressed in one go.
const CHUNK: usize = 64 * 1024;
/// Bytes that zlib may refer back to.
const ZLIB_WINDOW: usize = 32 * 1024;

/// The bytes of a channel as they come out of the decompressor. Memory: the window of the format,
/// at most 16 MiB.
pub(super) struct Decompressor {
    channel: Vec<u8>,
    /// Place of the next compressed byte.
    next: usize,
    format: Format,
}

enum Format {
    Brotli(Box<BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>>),
    Zlib(Box<Inflate>),
}

/// zlib with the last bytes of its output in a buffer that does not wrap around.
///
/// In one that does, what was not written yet counts as zeros, and a distance that reaches beyond the
/// beginning of the stream is taken; RFC 1951 forbids it, and every other reader ends there.
struct Inflate {
    state: DecompressorOxide,
    /// History, then room for the next bytes.
    buffer: Vec<u8>,
    history: usize,
}

/// Whether more can follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    More,
    End,
    /// The stream is broken; what came out in front of that counts.
    Corrupt,
}

impl Decompressor {
    pub(super) fn new(channel: Vec<u8>) -> Result<Self, ChannelError> {
        let first = *channel.first().ok_or(ChannelError::Empty)?;
        let (format, next) = match first {
            first if matches!(first & 0x0f, 8 | 15) => (Format::Zlib(Box::new(Inflate::new())), 0),
            CHANNEL_VERSION_BROTLI => {
                // The other constructor would accept windows beyond those of RFC 7932.
                let state = BrotliState::new_strict(
                    StandardAlloc::default(),
                    StandardAlloc::default(),
                    StandardAlloc::default(),
                );
                (Format::Brotli(Box::new(state)), 1)
            }
            version => return Err(ChannelError::Version(version)),
        };
        Ok(Self { channel, next, format })
    }

    /// Appends the next bytes, 64 KiB and `limit` at most.
    pub(super) fn read(&mut self, limit: usize, out: &mut Vec<u8>) -> Progress {
        let start = out.len();
        out.resize(start + limit.min(CHUNK), 0);
        let input = self.channel.get(self.next..).unwrap_or_default();
        let output = out.get_mut(start..).unwrap_or_default();
        let (consumed, written, progress) = match &mut self.format {
            Format::Brotli(state) => brotli(state, input, output),
            Format::Zlib(inflate) => inflate.read(input, output),
        };
        self.next += consumed;
        out.truncate(start + written);
        progress
    }
}

impl fmt::Debug for Decompressor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decompressor")
            .field("channel", &self.channel.len())
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

fn brotli(
    state: &mut BrotliState<StandardAlloc, StandardAlloc, StandardAlloc>,
    input: &[u8],
    output: &mut [u8],
) -> (usize, usize, Progress) {
    let (mut available_in, mut consumed) = (input.len(), 0);
    let (mut available_out, mut written) = (output.len(), 0);
    let mut total = 0;
    let result = BrotliDecompressStream(
        &mut available_in,
        &mut consumed,
        input,
        &mut available_out,
        &mut written,
        output,
        &mut total,
        state,
    );
    let progress = match result {
        BrotliResult::ResultSuccess => Progress::End,
        BrotliResult::NeedsMoreOutput => Progress::More,
        // All input is there from the start.
        BrotliResult::NeedsMoreInput | BrotliResult::ResultFailure => Progress::Corrupt,
    };
    (consumed, written, progress)
}

impl Inflate {
    fn new() -> Self {
        let buffer = vec![0; ZLIB_WINDOW + CHUNK];
        Self { state: DecompressorOxide::default(), buffer, history: 0 }
    }

    /// Bytes read, bytes written (`output` has at most [`CHUNK`]), and whether more can follow.
    fn read(&mut self, input: &[u8], output: &mut [u8]) -> (usize, usize, Progress) {
        let old = self.history.saturating_sub(ZLIB_WINDOW);
        self.buffer.copy_within(old..self.history, 0);
        self.history -= old;
        let start = self.history;
        let end = (start + output.len()).min(self.buffer.len());
        let room = self.buffer.get_mut(..end).unwrap_or_default();
        let flags = inflate_flags::TINFL_FLAG_PARSE_ZLIB_HEADER
            | inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
        let (status, consumed, written) = decompress(&mut self.state, input, room, start, flags);
        let new = room.get(start..start + written).unwrap_or_default();
        for (to, from) in output.iter_mut().zip(new) {
            *to = *from;
        }
        self.history += new.len();
        let progress = match status {
            TINFLStatus::Done => Progress::End,
            TINFLStatus::HasMoreOutput => Progress::More,
            _ => Progress::Corrupt,
        };
        (consumed, new.len(), progress)
    }
}
