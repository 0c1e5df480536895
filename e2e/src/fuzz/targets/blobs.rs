//! Blobs and the data in them. An input is how a blob begins; zeros follow.

use alloy_eips::eip4844::{BYTES_PER_BLOB, Blob};
use cairn_rollup::blob::{MAX_BLOB_DATA_SIZE, decode_blob, encode_blob};

use crate::fuzz::{Outcome, Target};

pub(super) fn target() -> eyre::Result<Target> {
    let mut seeds = Vec::new();
    for length in [0, 1, 27, 31, 124, 500, 1500] {
        let data: Vec<u8> = (0..length).map(|at| at as u8 | 1).collect();
        let blob = encode_blob(&data)?;
        let end = blob.0.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
        seeds.push(blob.0[..end].to_vec());
    }
    let longest = (MAX_BLOB_DATA_SIZE as u32).to_be_bytes().to_vec();
    let tokens = vec![vec![0; 32], vec![0x3f], vec![0x40], vec![0xff; 31], longest];
    Ok(Target { name: "blobs", seeds, tokens, max_bytes: 2048, execute: Box::new(execute) })
}

fn execute(bytes: &[u8]) -> Outcome {
    let mut blob = Box::new(Blob::ZERO);
    let length = bytes.len().min(BYTES_PER_BLOB);
    blob.0[..length].copy_from_slice(&bytes[..length]);
    match decode_blob(&blob) {
        Ok(data) => {
            assert!(data.len() <= MAX_BLOB_DATA_SIZE);
            let again = encode_blob(&data).expect("what was in a blob fits into one");
            assert!(again == blob, "another blob has the same data");
            if data.is_empty() { Outcome::accepted("nothing") } else { Outcome::accepted("data") }
        }
        Err(error) => Outcome::error(&error),
    }
}
