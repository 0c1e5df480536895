use std::io;

use brotli::enc::BrotliEncoderParams;

use super::CHANNEL_VERSION_BROTLI;

/// Brotli's quality, 0 to 11: more is smaller and slower.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct BrotliQuality(u8);

impl BrotliQuality {
    /// The highest.
    pub const MAX: Self = Self(11);

    /// None beyond the highest.
    pub const fn new(quality: u8) -> Option<Self> {
        if quality <= Self::MAX.0 { Some(Self(quality)) } else { None }
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl Default for BrotliQuality {
    /// Signatures do not compress at any quality: of 80 bytes per transfer, quality 10 saves half a
    /// byte and takes forty times as long (`cairn-bench batch`).
    fn default() -> Self {
        Self(5)
    }
}

/// The channel of these RLP encoded batches, with its version byte.
pub fn compress_brotli(batches: &[u8], quality: BrotliQuality) -> Vec<u8> {
    let params = BrotliEncoderParams {
        quality: i32::from(quality.0),
        lgwin: 22,
        size_hint: batches.len(),
        ..BrotliEncoderParams::default()
    };
    let mut out = Vec::with_capacity(batches.len() / 2 + 64);
    out.push(CHANNEL_VERSION_BROTLI);
    let written: io::Result<usize> = brotli::BrotliCompress(&mut &*batches, &mut out, &params);
    // Reading a slice and writing to a vector cannot fail, and the encoder has no error of its own.
    written.expect("compression in memory");
    out
}

/// The same with zlib, level 0 to 10: the form before Fjord, which readers accept and nobody
/// writes any more.
pub fn compress_zlib(batches: &[u8], level: u8) -> Vec<u8> {
    miniz_oxide::deflate::compress_to_vec_zlib(batches, level.min(10))
}
