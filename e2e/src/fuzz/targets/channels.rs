//! Channels: put together from frames, decompressed, cut into batches.
//!
//! An input is frames, each `channel (1) ‖ number (1) ‖ is_last (1) ‖ length (2) ‖ bytes`. Their own encoding is
//! a target of its own; here a changed length moves what follows and does not end it.

use std::io::Read;

use alloy_rlp::Header;
use cairn_rollup::RollupConfig;
use cairn_rollup::batch::Batch;
use cairn_rollup::channel::{
    BatchReader, BrotliQuality, ChannelAssembler, ChannelError, FrameOutcome,
    MAX_RLP_BYTES_PER_CHANNEL, compress_brotli, compress_zlib,
};
use cairn_rollup::frame::{ChannelId, Frame};
use cairn_rollup::testing::{jovian, plain};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress as inflate, inflate_flags};

use super::rollup::{batches, blocks};
use crate::fuzz::{Outcome, Target};

/// Bytes up to which another way of decompressing is held against ours.
const COMPARED: usize = 4 << 20;
/// Fewest bytes of a singular batch without transactions: two hashes and the headers.
const LEAST_BATCH: usize = 69;

pub(super) fn target() -> eyre::Result<Target> {
    let config = jovian();
    let few = blocks(3, config.block_time);
    let mut channels = Vec::new();
    for as_span in [false, true] {
        let plain = plain(&batches(&config, &few, as_span));
        channels.push(compress_zlib(&plain, 6));
        for quality in [0, 5, 10] {
            let quality = BrotliQuality::new(quality).unwrap_or_default();
            channels.push(compress_brotli(&plain, quality));
        }
        // Two hundred bytes that become a megabyte.
        channels.push(compress_brotli(&plain.repeat((1 << 20) / plain.len()), BrotliQuality::MAX));
    }
    let mut seeds: Vec<_> =
        channels.iter().map(|channel| split(1, channel, channel.len())).collect();
    // In three frames, and begun twice.
    seeds.push(split(2, &channels[0], channels[0].len().div_ceil(3)));
    seeds.push([split(1, &channels[1], 90), split(2, &channels[2], 80)].concat());
    let tokens = vec![vec![0; 3], vec![1, 0, 0], vec![1, 1, 1], vec![0x78, 0x9c], vec![0xff; 4]];
    let execute = move |bytes: &[u8]| execute(bytes, &config);
    Ok(Target { name: "channels", seeds, tokens, max_bytes: 4096, execute: Box::new(execute) })
}

fn split(channel: u8, bytes: &[u8], size: usize) -> Vec<u8> {
    let mut out = Vec::new();
    let count = bytes.chunks(size).len();
    for (number, chunk) in bytes.chunks(size).enumerate() {
        out.extend([channel, number as u8, u8::from(number + 1 == count)]);
        out.extend((chunk.len() as u16).to_be_bytes());
        out.extend(chunk);
    }
    out
}

fn frames(mut bytes: &[u8]) -> impl Iterator<Item = Frame> + '_ {
    std::iter::from_fn(move || {
        let (head, rest) = bytes.split_first_chunk::<5>()?;
        let length = usize::from(u16::from_be_bytes([head[3], head[4]])).min(rest.len());
        let (data, rest) = rest.split_at(length);
        bytes = rest;
        Some(Frame {
            channel: ChannelId([head[0]; 16]),
            number: head[1].into(),
            data: data.to_vec().into(),
            is_last: head[2] & 1 == 1,
        })
    })
}

fn execute(bytes: &[u8], config: &RollupConfig) -> Outcome {
    let mut assembler = ChannelAssembler::default();
    // What the open channel holds.
    let mut open = Vec::new();
    let mut outcome = Outcome::refused("no channel");
    for frame in frames(bytes) {
        if frame.number == 0 {
            open.clear();
        }
        let before = assembler.buffered();
        match assembler.push(&frame, 1) {
            FrameOutcome::Added => open.extend_from_slice(&frame.data),
            FrameOutcome::Complete(channel) => {
                open.extend_from_slice(&frame.data);
                assert!(channel == open, "the channel is not what its frames hold");
                outcome = read(&channel, config);
            }
            FrameOutcome::Dropped(reason) => {
                assert_eq!(assembler.buffered(), before, "{reason:?}");
            }
        }
        let buffered = assembler.channel().map(|_| open.len()).unwrap_or_default();
        assert_eq!(assembler.buffered(), buffered);
    }
    outcome
}

/// Reads the batches of a channel, in step with another reading of it.
fn read(channel: &[u8], config: &RollupConfig) -> Outcome {
    let mut reader = match BatchReader::new(channel.to_vec()) {
        Ok(reader) => reader,
        Err(error) => return Outcome::error(&error),
    };
    let other = decompress(channel);
    let mut rest = Some(other.as_slice());
    let (mut count, mut least) = (0_usize, 0);
    let end = loop {
        let batch = reader.next_batch(config);
        if let Some(bytes) = &mut rest {
            let same = compare(&batch, bytes, other.len() == COMPARED, config);
            rest = rest.filter(|_| same);
        }
        match batch {
            Ok(Some(batch)) => least += least_size(&batch),
            Ok(None) => break Outcome::accepted("batches"),
            Err(error) => break Outcome::error(&error),
        }
        count += 1;
        assert!(least <= MAX_RLP_BYTES_PER_CHANNEL, "more than a channel may hold");
    };
    assert_eq!(reader.next_batch(config), Ok(None), "there is something behind the end");
    match (end.is_accepted(), count) {
        (true, 0) => Outcome::accepted("nothing"),
        (true, 1) => Outcome::accepted("one batch"),
        (true, _) => end,
        (false, 0) => end,
        (false, _) => Outcome::refused(format!("after batches {}", end.name())),
    }
}

/// Whether the other reading can be held against ours any further.
fn compare(
    ours: &Result<Option<Batch>, ChannelError>,
    rest: &mut &[u8],
    cut: bool,
    config: &RollupConfig,
) -> bool {
    let whole = rest.is_empty();
    let theirs = match Header::decode_bytes(rest, false) {
        Ok(bytes) => Some(Batch::decode(bytes, config)),
        Err(alloy_rlp::Error::InputTooShort) => None,
        Err(error) => {
            assert!(ours.is_err(), "taken though {error}");
            return false;
        }
    };
    match (ours, theirs) {
        (Ok(Some(ours)), Some(theirs)) => {
            assert!(Ok(ours) == theirs.as_ref(), "another batch");
            true
        }
        // Nothing is left, and the other decompressor may have stopped earlier.
        (Ok(Some(_)) | Err(_), None) => false,
        (Ok(None), None) => {
            assert!(whole || cut, "bytes behind the last batch");
            false
        }
        (Ok(None), Some(_)) => panic!("a batch is missing"),
        // What came out in front of a defect is not the same in every decompressor.
        (Err(ChannelError::Corrupt), Some(_)) => false,
        (Err(error), Some(theirs)) => {
            assert!(theirs.is_err(), "refused without a reason: {error}");
            false
        }
    }
}

/// The first bytes of what the channel holds, in one go and not in pieces.
fn decompress(channel: &[u8]) -> Vec<u8> {
    match channel {
        [1, compressed @ ..] => {
            let mut out = Vec::new();
            let stream = brotli::Decompressor::new(compressed, 4096);
            // What came before an error stays.
            let _ = stream.take(COMPARED as u64).read_to_end(&mut out);
            out
        }
        _ => {
            let mut out = vec![0; COMPARED];
            let flags = inflate_flags::TINFL_FLAG_PARSE_ZLIB_HEADER
                | inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
            let mut state = DecompressorOxide::default();
            let (_, _, written) = inflate(&mut state, channel, &mut out, 0, flags);
            out.truncate(written);
            out
        }
    }
}

/// Bytes that the batch takes in its channel, at least.
fn least_size(batch: &Batch) -> usize {
    match batch {
        Batch::Singular(batch) => {
            LEAST_BATCH + batch.transactions.iter().map(|it| it.len()).sum::<usize>()
        }
        Batch::Span(batch) => batch.blocks.len(),
    }
}
