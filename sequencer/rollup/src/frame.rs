//! Frames: the pieces of a channel, as they stand in a batcher transaction.
//!
//! ```text
//! data   = 0x00 ‖ frame ‖ frame …          calldata, the content of one blob, or of a certificate
//! frame  = channel id (16) ‖ number (2) ‖ length (4) ‖ bytes (length) ‖ is_last (1)
//! ```
//!
//! Integers are big-endian. `is_last` is 0 or 1, `length` at most [`MAX_FRAME_LEN`]. The frames of
//! one data are all read or none is: a wrong byte anywhere, or nothing after the version byte,
//! makes it no batch (OP specification: Derivation, Batcher transaction format, Frame format).

use std::fmt;

use alloy_primitives::{Bytes, hex};

/// Version byte in front of frames.
pub const DERIVATION_VERSION_0: u8 = 0;
/// Most bytes of a channel in one frame.
pub const MAX_FRAME_LEN: usize = 1_000_000;
/// Bytes of a frame besides those of its channel.
pub const FRAME_OVERHEAD: usize = 16 + 2 + 4 + 1;

/// Name of a channel: any 16 bytes that were not used lately.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct ChannelId(pub [u8; 16]);

impl fmt::Display for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ChannelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ChannelId({self})")
    }
}

/// A piece of a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The channel.
    pub channel: ChannelId,
    /// Place within the channel, from 0.
    pub number: u16,
    /// The bytes.
    pub data: Bytes,
    /// Whether the channel ends with this frame.
    pub is_last: bool,
}

/// Data that are no frames; they count as if they were not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// No byte at all, or a version byte and no frame.
    #[error("{0} bytes hold no frame")]
    Empty(usize),
    /// Another version byte.
    #[error("version byte {0:#04x} instead of {DERIVATION_VERSION_0:#04x}")]
    Version(u8),
    /// The data end within a frame.
    #[error("frame {index} needs {needed} bytes, {available} are left")]
    Truncated {
        /// Frames before it.
        index: usize,
        /// Bytes up to the end of the part that is missing.
        needed: usize,
        /// Bytes that there are.
        available: usize,
    },
    /// More than [`MAX_FRAME_LEN`].
    #[error("frame {index} announces {length} bytes, {MAX_FRAME_LEN} are allowed")]
    TooLong {
        /// Frames before it.
        index: usize,
        /// Announced length.
        length: usize,
    },
    /// Neither 0 nor 1.
    #[error("frame {index} ends with {byte:#04x}, which is no flag")]
    LastFlag {
        /// Frames before it.
        index: usize,
        /// What stands there.
        byte: u8,
    },
}

impl Frame {
    /// Bytes of the encoded frame.
    pub fn encoded_len(&self) -> usize {
        FRAME_OVERHEAD + self.data.len()
    }

    /// Appends the encoding. `data` must have at most [`MAX_FRAME_LEN`] bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        debug_assert!(self.data.len() <= MAX_FRAME_LEN, "a frame of {} bytes", self.data.len());
        out.extend_from_slice(&self.channel.0);
        out.extend_from_slice(&self.number.to_be_bytes());
        out.extend_from_slice(&(self.data.len() as u32).to_be_bytes());
        out.extend_from_slice(&self.data);
        out.push(u8::from(self.is_last));
    }

    /// Reads the frame at `offset`, and says where it ends.
    fn decode_at(data: &Bytes, offset: usize, index: usize) -> Result<(Self, usize), FrameError> {
        const HEAD: usize = 16 + 2 + 4;
        let rest = data.get(offset..).unwrap_or_default();
        let truncated = |needed| FrameError::Truncated { index, needed, available: rest.len() };
        let (id, tail) = rest.split_first_chunk::<16>().ok_or(truncated(HEAD))?;
        let (number, tail) = tail.split_first_chunk::<2>().ok_or(truncated(HEAD))?;
        let (length, tail) = tail.split_first_chunk::<4>().ok_or(truncated(HEAD))?;
        let length = u32::from_be_bytes(*length) as usize;
        if length > MAX_FRAME_LEN {
            return Err(FrameError::TooLong { index, length });
        }
        let is_last = match tail.get(length) {
            Some(0) => false,
            Some(1) => true,
            Some(byte) => return Err(FrameError::LastFlag { index, byte: *byte }),
            None => return Err(truncated(FRAME_OVERHEAD + length)),
        };
        let start = offset + HEAD;
        let frame = Self {
            channel: ChannelId(*id),
            number: u16::from_be_bytes(*number),
            data: data.slice(start..start + length),
            is_last,
        };
        Ok((frame, start + length + 1))
    }
}

/// Version byte and frames: what a batcher transaction carries. The frames of one call share the
/// result, so it is for the caller to see that they fit their carrier.
pub fn encode_frames(frames: &[Frame]) -> Vec<u8> {
    let size = 1 + frames.iter().map(Frame::encoded_len).sum::<usize>();
    let mut out = Vec::with_capacity(size);
    out.push(DERIVATION_VERSION_0);
    for frame in frames {
        frame.encode(&mut out);
    }
    out
}

/// Reads what a batcher transaction carries: all its frames, or none. Their bytes are not copied.
pub fn decode_frames(data: &Bytes) -> Result<Vec<Frame>, FrameError> {
    match data.first() {
        None => return Err(FrameError::Empty(0)),
        Some(&DERIVATION_VERSION_0) => {}
        Some(version) => return Err(FrameError::Version(*version)),
    }
    let mut frames = Vec::new();
    let mut offset = 1;
    while offset < data.len() {
        let (frame, end) = Frame::decode_at(data, offset, frames.len())?;
        frames.push(frame);
        offset = end;
    }
    if frames.is_empty() { Err(FrameError::Empty(data.len())) } else { Ok(frames) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn frame(number: u16, data: &[u8], is_last: bool) -> Frame {
        Frame { channel: ChannelId([7; 16]), number, data: data.to_vec().into(), is_last }
    }

    fn any_frame() -> impl Strategy<Value = Frame> {
        (any::<[u8; 16]>(), any::<u16>(), prop::collection::vec(any::<u8>(), 0..80), any::<bool>())
            .prop_map(|(id, number, data, is_last)| Frame {
                channel: ChannelId(id),
                number,
                data: data.into(),
                is_last,
            })
    }

    #[test]
    fn a_frame_is_written_field_by_field() {
        let encoded = encode_frames(&[frame(258, &[0xaa, 0xbb], true)]);
        let expected = hex!("00 07070707070707070707070707070707 0102 00000002 aabb 01");
        assert_eq!(encoded, expected);
    }

    #[test]
    fn data_without_a_frame_are_refused() {
        assert_eq!(decode_frames(&Bytes::new()), Err(FrameError::Empty(0)));
        assert_eq!(decode_frames(&Bytes::from_static(&[0])), Err(FrameError::Empty(1)));
        assert_eq!(decode_frames(&Bytes::from_static(&[1, 1])), Err(FrameError::Version(1)));
    }

    #[test]
    fn one_wrong_frame_takes_the_others_with_it() {
        let good = encode_frames(&[frame(0, &[1], false), frame(1, &[2], true)]);
        for end in 1 + FRAME_OVERHEAD + 2..good.len() {
            let cut = Bytes::copy_from_slice(&good[..end]);
            let error = decode_frames(&cut).unwrap_err();
            assert!(matches!(error, FrameError::Truncated { index: 1, .. }), "{end}: {error}");
        }
        let mut flag = good.clone();
        *flag.last_mut().unwrap() = 2;
        let error = decode_frames(&flag.into());
        assert_eq!(error, Err(FrameError::LastFlag { index: 1, byte: 2 }));
        let trailing = [good.as_slice(), &[0]].concat();
        assert!(matches!(
            decode_frames(&trailing.into()),
            Err(FrameError::Truncated { index: 2, available: 1, .. })
        ));
    }

    #[test]
    fn a_frame_has_at_most_a_million_bytes() {
        let longest = frame(0, &vec![3; MAX_FRAME_LEN], true);
        let mut data = encode_frames(std::slice::from_ref(&longest));
        assert_eq!(decode_frames(&data.clone().into()), Ok(vec![longest]));
        data[1 + 16 + 2..][..4].copy_from_slice(&(MAX_FRAME_LEN as u32 + 1).to_be_bytes());
        let error = FrameError::TooLong { index: 0, length: MAX_FRAME_LEN + 1 };
        assert_eq!(decode_frames(&data.into()), Err(error));
    }

    proptest! {
        #[test]
        fn frames_round_trip(frames in prop::collection::vec(any_frame(), 1..6)) {
            let data = Bytes::from(encode_frames(&frames));
            prop_assert_eq!(decode_frames(&data), Ok(frames));
        }

        #[test]
        fn any_bytes_decode_to_what_encodes_to_them_or_not_at_all(
            mut data in prop::collection::vec(any::<u8>(), 0..200),
            length in 0u32..100,
        ) {
            if data.len() > 23 {
                data[0] = 0;
                data[19..23].copy_from_slice(&length.to_be_bytes());
            }
            let data = Bytes::from(data);
            if let Ok(frames) = decode_frames(&data) {
                prop_assert_eq!(encode_frames(&frames), data.to_vec());
            }
        }
    }
}
