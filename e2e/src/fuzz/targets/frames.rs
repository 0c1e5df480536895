//! Calldata of batcher transactions, and the frames in it.

use alloy_primitives::Bytes;
use cairn_rollup::blob::{MAX_BLOB_DATA_SIZE, decode_blob, encode_blob};
use cairn_rollup::frame::{ChannelId, Frame, MAX_FRAME_LEN, decode_frames, encode_frames};
use cairn_rollup::l1::Carrier;

use crate::fuzz::{Outcome, Target};

pub(super) fn target() -> eyre::Result<Target> {
    let mut seeds = vec![[&[1, 1][..], &[7; 300]].concat()];
    for sizes in [&[0][..], &[1], &[300], &[40, 40, 3], &[200, 0, 1, 500, 17]] {
        let frames = (0..).zip(sizes).map(|(number, size)| Frame {
            channel: ChannelId([number as u8; 16]),
            number,
            data: vec![number as u8 + 1; *size].into(),
            is_last: number % 2 == 0,
        });
        seeds.push(encode_frames(&frames.collect::<Vec<_>>()));
    }
    let longest = (MAX_FRAME_LEN as u32).to_be_bytes().to_vec();
    let tokens = vec![vec![0; 16], vec![0], vec![1, 1], vec![0, 0, 0, 1], longest];
    Ok(Target { name: "frames", seeds, tokens, max_bytes: 2048, execute: Box::new(execute) })
}

fn execute(bytes: &[u8]) -> Outcome {
    let input = Bytes::copy_from_slice(bytes);
    let data = match Carrier::from_calldata(&input) {
        None => return Outcome::refused("no batch"),
        Some(Carrier::Blobs(_)) => panic!("calldata names blobs"),
        Some(Carrier::Certificate(certificate)) => {
            assert!([&[1, 1], &certificate[..]].concat() == bytes, "the certificate is another");
            return Outcome::accepted("certificate");
        }
        Some(Carrier::Calldata(data)) => data,
    };
    assert!(data == input, "the version byte belongs to the data");
    let frames = match decode_frames(&data) {
        Ok(frames) => frames,
        Err(error) => return Outcome::error(&error),
    };
    assert!(encode_frames(&frames) == bytes, "other frames have the same bytes");
    assert!(frames.iter().all(|frame| frame.data.len() <= MAX_FRAME_LEN));
    if frames.len() == 1 && data.len() <= MAX_BLOB_DATA_SIZE {
        let blob = encode_blob(&data).expect("they fit");
        assert!(decode_blob(&blob).as_deref() == Ok(bytes), "a blob holds other data");
    }
    match frames.len() {
        1 => Outcome::accepted("one frame"),
        2 => Outcome::accepted("two frames"),
        _ => Outcome::accepted("frames"),
    }
}
