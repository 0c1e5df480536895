//! Data in L1 blobs, in OP's blob encoding (OP specification: Ecotone, Blob encoding).
//!
//! A blob is 4096 field elements of 32 bytes, each below the BLS modulus, so that only 254 bits of
//! one are free. Four elements take 127 bytes: 31 go into each element behind its first byte, and
//! the three left over, `x`, `y`, `z`, are spread over the low six bits of the four first bytes.
//!
//! ```text
//! element 0   00 xxxxxx (x5‥x0)          ‖ 31 bytes
//! element 1   00 xx yyyy (x7x6, y3‥y0)   ‖ 31 bytes      (x's bits in places 5 and 4)
//! element 2   00 zzzzzz (z5‥z0)          ‖ 31 bytes
//! element 3   00 zz yyyy (z7z6, y7‥y4)   ‖ 31 bytes
//! ```
//!
//! 1024 such rounds hold 130,048 bytes: version 0, the length of the data in three bytes
//! (big-endian), the data, and zeros. Anything else in a blob makes it no batch: one sequence of
//! bytes has one blob.

use alloy_eips::eip4844::{BYTES_PER_BLOB, Blob};

/// Most bytes of data in one blob.
pub const MAX_BLOB_DATA_SIZE: usize = ROUNDS * ROUND_DATA - HEADER;

/// Version of this encoding.
pub const BLOB_ENCODING_VERSION: u8 = 0;

const ROUNDS: usize = 1024;
const ELEMENT: usize = 32;
const TAIL: usize = ELEMENT - 1;
/// Bytes of data in one round.
const ROUND_DATA: usize = 4 * TAIL + 3;
/// Version and length.
const HEADER: usize = 4;

/// Data that do not fit, or a blob that holds no data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// To be split by the sender.
    #[error("{0} bytes do not fit into a blob: {MAX_BLOB_DATA_SIZE} do")]
    TooLong(usize),
    /// Another encoding.
    #[error("blob encoding version {0} instead of {BLOB_ENCODING_VERSION}")]
    Version(u8),
    /// A field element with one of its two highest bits set.
    #[error("field element {0} has more than 254 bits")]
    Element(usize),
    /// A byte behind the data that is not zero.
    #[error("byte {0} behind the data is not zero")]
    Trailing(usize),
}

/// The blob of up to [`MAX_BLOB_DATA_SIZE`] bytes.
pub fn encode_blob(data: &[u8]) -> Result<Box<Blob>, BlobError> {
    if data.len() > MAX_BLOB_DATA_SIZE {
        return Err(BlobError::TooLong(data.len()));
    }
    let [_, length @ ..] = (data.len() as u32).to_be_bytes();
    let mut plain = Vec::with_capacity(ROUNDS * ROUND_DATA);
    plain.push(BLOB_ENCODING_VERSION);
    plain.extend_from_slice(&length);
    plain.extend_from_slice(data);
    plain.resize(ROUNDS * ROUND_DATA, 0);

    let mut blob = Box::new(Blob::ZERO);
    let rounds = blob.0.chunks_exact_mut(4 * ELEMENT).zip(plain.chunks_exact(ROUND_DATA));
    for (elements, bytes) in rounds {
        pack(elements, bytes);
    }
    Ok(blob)
}

/// The data of a blob.
pub fn decode_blob(blob: &Blob) -> Result<Vec<u8>, BlobError> {
    const { assert!(BYTES_PER_BLOB == ROUNDS * 4 * ELEMENT) };
    let heads = blob.0.chunks_exact(ELEMENT).enumerate();
    for (index, element) in heads {
        if element[0] & 0b1100_0000 != 0 {
            return Err(BlobError::Element(index));
        }
    }
    let mut plain = vec![0; ROUNDS * ROUND_DATA];
    let rounds = blob.0.chunks_exact(4 * ELEMENT).zip(plain.chunks_exact_mut(ROUND_DATA));
    for (elements, bytes) in rounds {
        unpack(elements, bytes);
    }
    if plain[0] != BLOB_ENCODING_VERSION {
        return Err(BlobError::Version(plain[0]));
    }
    let length = u32::from_be_bytes([0, plain[1], plain[2], plain[3]]) as usize;
    if length > MAX_BLOB_DATA_SIZE {
        return Err(BlobError::TooLong(length));
    }
    let behind = &plain[HEADER + length..];
    if let Some(place) = behind.iter().position(|byte| *byte != 0) {
        return Err(BlobError::Trailing(place));
    }
    plain.truncate(HEADER + length);
    plain.drain(..HEADER);
    Ok(plain)
}

/// One round: 127 bytes into four elements. In the plain bytes, `x`, `y` and `z` follow the first
/// three tails.
fn pack(elements: &mut [u8], bytes: &[u8]) {
    let (x, y, z) = (bytes[TAIL], bytes[2 * TAIL + 1], bytes[3 * TAIL + 2]);
    let heads = [
        x & 0b0011_1111,
        (y & 0b0000_1111) | (x & 0b1100_0000) >> 2,
        z & 0b0011_1111,
        (z & 0b1100_0000) >> 2 | (y & 0b1111_0000) >> 4,
    ];
    for (index, head) in heads.into_iter().enumerate() {
        let element = &mut elements[index * ELEMENT..][..ELEMENT];
        element[0] = head;
        element[1..].copy_from_slice(&bytes[index * (TAIL + 1)..][..TAIL]);
    }
}

/// The reverse of [`pack`].
fn unpack(elements: &[u8], bytes: &mut [u8]) {
    for index in 0..4 {
        let tail = &elements[index * ELEMENT + 1..][..TAIL];
        bytes[index * (TAIL + 1)..][..TAIL].copy_from_slice(tail);
    }
    let [a, b, c, d] = [0, 1, 2, 3].map(|index| elements[index * ELEMENT]);
    bytes[TAIL] = a | (b & 0b0011_0000) << 2;
    bytes[2 * TAIL + 1] = (b & 0b0000_1111) | (d & 0b0000_1111) << 4;
    bytes[3 * TAIL + 2] = c | (d & 0b0011_0000) << 2;
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_full_blob_takes_130044_bytes_and_not_one_more() {
        assert_eq!(MAX_BLOB_DATA_SIZE, 130_044);
        let data: Vec<u8> = (0..MAX_BLOB_DATA_SIZE).map(|i| (i * 7 + i / 251) as u8).collect();
        assert_eq!(decode_blob(&encode_blob(&data).unwrap()), Ok(data));
        let error = encode_blob(&[0; MAX_BLOB_DATA_SIZE + 1]).unwrap_err();
        assert_eq!(error, BlobError::TooLong(MAX_BLOB_DATA_SIZE + 1));
    }

    /// The bits of x, y and z are where the specification's pseudocode puts them.
    #[test]
    fn the_first_round_is_as_specified() {
        let mut data = vec![0x11; 123];
        data[31 - 4] = 0b1011_0101;
        data[63 - 4] = 0b0110_1001;
        data[95 - 4] = 0b1101_1010;
        let blob = encode_blob(&data).unwrap();
        assert_eq!(blob[0], 0b0011_0101);
        assert_eq!(blob[1..5], [0, 0, 0, 123]);
        assert_eq!(blob[5..32], [0x11; 27]);
        assert_eq!(blob[32], 0b0010_1001);
        assert_eq!(blob[64], 0b0001_1010);
        assert_eq!(blob[96], 0b0011_0110);
        assert!(blob[128..].iter().all(|byte| *byte == 0));
        assert_eq!(decode_blob(&blob), Ok(data));
    }

    #[test]
    fn what_no_encoder_writes_is_refused() {
        let good = encode_blob(&[1, 2, 3]).unwrap();
        let with = |place: usize, byte: u8| {
            let mut blob = good.clone();
            blob[place] = byte;
            decode_blob(&blob)
        };
        assert_eq!(with(1, 1), Err(BlobError::Version(1)));
        assert_eq!(with(64, 0b0100_0000), Err(BlobError::Element(2)));
        assert_eq!(with(4095 * 32, 0b1000_0000), Err(BlobError::Element(4095)));
        assert_eq!(with(8, 1), Err(BlobError::Trailing(0)));
        assert_eq!(with(2, 0xff), Err(BlobError::TooLong(0xff_0003)));
        assert_eq!(with(BYTES_PER_BLOB - 32, 1), Err(BlobError::Trailing(130_044 - 3 - 64)));
    }

    proptest! {
        #[test]
        fn data_round_trip(data in prop::collection::vec(any::<u8>(), 0..600)) {
            let blob = encode_blob(&data).unwrap();
            prop_assert!(blob.0.chunks(ELEMENT).all(|element| element[0] < 0x40));
            prop_assert_eq!(decode_blob(&blob), Ok(data));
        }

        #[test]
        fn a_blob_decodes_to_what_encodes_to_it_or_not_at_all(
            length in 0u32..300,
            changes in prop::collection::vec((0usize..BYTES_PER_BLOB, any::<u8>()), 0..8),
        ) {
            let mut blob = encode_blob(&vec![0; length as usize]).unwrap();
            for (place, byte) in changes {
                blob[place % 512] = byte;
            }
            if let Ok(data) = decode_blob(&blob) {
                prop_assert_eq!(encode_blob(&data).unwrap(), blob);
            }
        }
    }
}
