//! From blocks to frames and back, the rules of assembly, and hostile channels.

use std::num::NonZeroU32;

use alloy_primitives::{B256, Bytes, hex};
use alloy_rlp::{Encodable, Error as RlpError};
use proptest::prelude::*;

use super::*;
use crate::{
    batch::{
        Batch, BatchBlock, BatchError, SingularBatch,
        tests::{any_blocks, any_transaction, config},
    },
    frame::{ChannelId, FRAME_OVERHEAD, Frame},
};

const ID: ChannelId = ChannelId([1; 16]);
const OTHER: ChannelId = ChannelId([2; 16]);

fn frame(channel: ChannelId, number: u16, is_last: bool) -> Frame {
    Frame { channel, number, data: vec![number as u8; 3].into(), is_last }
}

fn singular(timestamp: u64) -> SingularBatch {
    let parent_hash = B256::with_last_byte(timestamp as u8);
    SingularBatch { parent_hash, timestamp, ..SingularBatch::default() }
}

/// RLP byte strings of singular batches.
fn plain(count: u64) -> Vec<u8> {
    let mut out = Vec::new();
    (0..count).for_each(|time| singular(time).encode().as_slice().encode(&mut out));
    out
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    compress_brotli(bytes, BrotliQuality::new(3).unwrap())
}

/// Times of the batches that can be read, and why it ends.
fn times(channel: Vec<u8>) -> (Vec<u64>, Option<ChannelError>) {
    let config = config();
    let mut reader = match BatchReader::new(channel) {
        Ok(reader) => reader,
        Err(error) => return (vec![], Some(error)),
    };
    let mut times = vec![];
    let mut end = None;
    for batch in reader.batches(&config) {
        assert_eq!(end, None, "nothing follows an error");
        match batch {
            Ok(Batch::Singular(batch)) => times.push(batch.timestamp),
            Ok(Batch::Span(_)) => panic!("no span batch was written"),
            Err(error) => end = Some(error),
        }
    }
    (times, end)
}

#[test]
fn frames_count_in_strict_order() {
    use DroppedFrame::*;
    use FrameOutcome::*;
    let mut assembler = ChannelAssembler::default();
    assert_eq!(assembler.push(&frame(ID, 1, false), 5), Dropped(NoChannel));
    assert_eq!(assembler.push(&frame(ID, 0, false), 6), Added);
    assert_eq!((assembler.opened_in(), assembler.channel()), (Some(6), Some(ID)));
    let expected = OutOfOrder { expected: 1 };
    assert_eq!(assembler.push(&frame(ID, 2, true), 7), Dropped(expected));
    assert_eq!(assembler.push(&frame(OTHER, 1, true), 7), Dropped(OtherChannel));
    assert_eq!(assembler.push(&frame(ID, 1, false), 8), Added);
    assert_eq!(assembler.push(&frame(ID, 1, false), 8), Dropped(OutOfOrder { expected: 2 }));
    assert_eq!(assembler.buffered(), 6);
    let complete = Complete(vec![0, 0, 0, 1, 1, 1, 2, 2, 2]);
    assert_eq!(assembler.push(&frame(ID, 2, true), 9), complete);
    assert_eq!(assembler.push(&frame(ID, 3, true), 9), Dropped(NoChannel), "it was closed");
    assert_eq!(assembler.opened_in(), None);
}

#[test]
fn a_first_frame_ends_the_open_channel() {
    use FrameOutcome::*;
    for other in [OTHER, ID] {
        let mut assembler = ChannelAssembler::default();
        assembler.push(&frame(ID, 0, false), 1);
        assembler.push(&frame(ID, 1, false), 1);
        assert_eq!(assembler.push(&frame(other, 0, false), 2), Added);
        assert_eq!(assembler.opened_in(), Some(2));
        assert_eq!(assembler.push(&frame(other, 1, true), 3), Complete(vec![0, 0, 0, 1, 1, 1]));
    }
    let mut assembler = ChannelAssembler::default();
    assembler.push(&frame(ID, 0, false), 1);
    assembler.reset();
    let gone = Dropped(DroppedFrame::NoChannel);
    assert_eq!(assembler.push(&frame(ID, 1, true), 2), gone);
}

#[test]
fn a_channel_that_is_too_large_is_dropped() {
    let mut assembler = ChannelAssembler::default();
    let data = Bytes::from(vec![0; 1_000_000]);
    let frame = |number| Frame { channel: ID, number, data: data.clone(), is_last: false };
    // 99 frames of 1,000,200 counted bytes are 99,019,800; one more is beyond the limit.
    for number in 0..99 {
        assert_eq!(assembler.push(&frame(number), 1), FrameOutcome::Added);
    }
    let too_large = FrameOutcome::Dropped(DroppedFrame::ChannelTooLarge);
    assert_eq!(assembler.push(&frame(99), 1), too_large);
    assert_eq!(assembler.channel(), None);
}

#[test]
fn both_compressions_are_read() {
    let all: Vec<u64> = (0..100).collect();
    assert_eq!(times(brotli(&plain(100))), (all.clone(), None));
    let zlib = compress_zlib(&plain(100), 6);
    assert_eq!(zlib[0] & 0x0f, 8);
    assert_eq!(times(zlib), (all, None));
    assert_eq!(times(brotli(&[])), (vec![], None));
}

/// The batches of times 0 to 2, compressed by Google's brotli 1.1.0 (quality 10, window 22) and by
/// zlib.
#[test]
fn what_other_compressors_wrote_is_read() {
    let brotli = hex!(
        "01 1bdd00f88fd30d77f051710e9c702bf6d4234cf08c2f2460d880039e2196d5c70c6f041688210b9fc367209b"
        "3f1457f06403"
    );
    assert_eq!(times(brotli.to_vec()), (vec![0, 1, 2], None));
    let zlib = hex!("78dadbe1c1f0c375010301d04058c5811dc498c448d82446e24c62226c12d3010048900ebe");
    assert_eq!(times(zlib.to_vec()), (vec![0, 1, 2], None));
    // A window of 2^30, which RFC 7932 does not have, and a preset dictionary.
    let large_window = hex!(
        "01 115e7403e03f4e37dcc147c53970c2add8538f30c133be908061030e788658561f33bc11b0801864c1e7f019"
        "c8e60fc5153cd9"
    );
    assert_eq!(times(large_window.to_vec()), (vec![], Some(ChannelError::Corrupt)));
    let dictionary =
        hex!("78bb080c024ddbe1c1f0c375010301d04058c501a24c62246c1223712631113689e9000048900ebe");
    assert_eq!(times(dictionary.to_vec()), (vec![], Some(ChannelError::Corrupt)));
}

/// Three bytes from one byte back, at the beginning of the stream, with their right checksum.
#[test]
fn nothing_is_read_from_before_the_beginning() {
    let stream = hex!("7801 03020000 00030001");
    assert_eq!(times(stream.to_vec()), (vec![], Some(ChannelError::Corrupt)));
}

/// Batches whose repetitions lie nearly as far back as zlib can refer, over many chunks.
#[test]
fn what_is_far_back_is_found() {
    let noise: Vec<u8> = (0..1000_u16)
        .flat_map(|n| alloy_primitives::keccak256(n.to_be_bytes()).0)
        .take(32_000)
        .collect();
    let batch = SingularBatch { transactions: vec![noise.into()], ..SingularBatch::default() };
    let mut one = Vec::new();
    batch.encode().as_slice().encode(&mut one);
    let channel = compress_zlib(&one.repeat(50), 9);
    assert!(channel.len() < 2 * one.len(), "{} bytes: nothing was referred to", channel.len());
    assert_eq!(times(channel), (vec![0; 50], None));
}

#[test]
fn other_first_bytes_are_no_channel() {
    assert_eq!(times(vec![]), (vec![], Some(ChannelError::Empty)));
    for version in [0, 2, 0x10, 0x77] {
        let error = Some(ChannelError::Version(version));
        assert_eq!(times(vec![version, 1, 2]), (vec![], error));
    }
    // Taken for zlib, which never begins so.
    assert_eq!(times(vec![0x0f, 1, 2]), (vec![], Some(ChannelError::Corrupt)));
}

#[test]
fn batches_in_front_of_a_defect_count() {
    // A stream cut off: as many batches as were whole.
    let whole = compress_zlib(&plain(1000), 6);
    let (read, error) = times(whole[..whole.len() / 2].to_vec());
    assert_eq!(error, Some(ChannelError::Corrupt));
    assert_eq!(read, (0..read.len() as u64).collect::<Vec<_>>());
    assert!((100..1000).contains(&read.len()), "{}", read.len());

    // The checksum behind the last batch.
    let mut checksum = whole;
    *checksum.last_mut().unwrap() ^= 1;
    assert_eq!(times(checksum), ((0..1000).collect(), Some(ChannelError::Corrupt)));

    let then = |bytes: &[u8]| times(brotli(&[&plain(2), bytes].concat()));
    assert_eq!(then(&plain(1)[..20]), (vec![0, 1], Some(ChannelError::Truncated)));
    let list = ChannelError::Rlp(RlpError::UnexpectedList);
    assert_eq!(then(&[0xc1, 0x80]), (vec![0, 1], Some(list)));
    let size = ChannelError::Rlp(RlpError::NonCanonicalSize);
    assert_eq!(then(&[0xb8, 1, 0]), (vec![0, 1], Some(size)));
    let zero = ChannelError::Rlp(RlpError::LeadingZero);
    assert_eq!(then(&[0xb9, 0, 60]), (vec![0, 1], Some(zero)));
    let single = ChannelError::Rlp(RlpError::NonCanonicalSingleByte);
    assert_eq!(then(&[0x81, 1]), (vec![0, 1], Some(single)));
    let version = ChannelError::Batch(BatchError::Version(9));
    assert_eq!(then(&[9]), (vec![0, 1], Some(version)));
    let behind_it = [&[0x81, 0xff], plain(1).as_slice()].concat();
    let version = ChannelError::Batch(BatchError::Version(0xff));
    assert_eq!(then(&behind_it), (vec![0, 1], Some(version)), "what follows does not count");
}

#[test]
fn a_bomb_costs_what_the_limit_allows() {
    // 300 MB of zeros, each a batch of version 0 without content, in a few hundred bytes.
    let bomb = brotli(&vec![0; 300_000_000]);
    assert!(bomb.len() < 2000, "{}", bomb.len());
    let (read, error) = times(bomb);
    assert!(read.is_empty());
    assert!(matches!(error, Some(ChannelError::Batch(BatchError::Singular(_)))), "{error:?}");

    // A batch that announces more than may follow.
    let long = [plain(1).as_slice(), &[0xbb, 0x06, 0, 0, 0], &vec![0; 101_000_000]].concat();
    let error = Some(ChannelError::TooLong(0x0600_0000));
    let announced = [plain(1).as_slice(), &[0xbb, 0x05, 0xf5, 0xe1, 0x00]].concat();
    let reader = times(brotli(&announced));
    assert_eq!(reader, (vec![0], Some(ChannelError::TooLong(100_000_000))));
    assert_eq!(times(brotli(&long)), (vec![0], error));
}

/// The batches that end within the first 100,000,000 bytes count, and the next one does not.
#[test]
fn what_is_beyond_the_limit_is_cut_off() {
    let one = plain(1);
    let count = MAX_RLP_BYTES_PER_CHANNEL / one.len();
    let mut bytes = one.repeat(count);
    let rest = MAX_RLP_BYTES_PER_CHANNEL - bytes.len();
    assert!(rest > 0);
    bytes.extend(&one);
    let (read, error) = times(brotli(&bytes));
    assert_eq!(read.len(), count);
    assert_eq!(error, Some(ChannelError::TooLong(one.len() as u64 - 2)));
}

fn settings(target_size: usize) -> ChannelOutConfig {
    let quality = BrotliQuality::new(4).unwrap();
    ChannelOutConfig { target_size, quality, ..ChannelOutConfig::default() }
}

fn channel_of(blocks: &[BatchBlock]) -> ClosedChannel {
    let mut out = ChannelOut::new(ID, settings(1 << 20), CompressionRatio::default(), &config());
    for block in blocks {
        assert!(out.fits(block));
        out.push(block).unwrap();
        assert_eq!(out.full(), None);
    }
    out.close().unwrap()
}

#[test]
fn a_channel_is_full_at_its_target_and_learns_from_the_result() {
    let config = config();
    let mut block = any_block();
    block.transactions = (0..5).map(half_random_call).collect();
    let mut out = ChannelOut::new(ID, settings(20_000), CompressionRatio(1000), &config);
    assert_eq!(out.close(), None);
    let mut blocks = 0;
    while out.full().is_none() {
        out.push(&block).unwrap();
        block = next(&block);
        blocks += 1;
    }
    assert_eq!(out.full(), Some(ChannelFull::TargetSize));
    let closed = out.close().unwrap();
    assert!(closed.ratio < CompressionRatio(700), "{:?}", closed.ratio);
    // With what was learnt, the next one comes closer to its target.
    let mut second = ChannelOut::new(OTHER, settings(20_000), closed.ratio, &config);
    while second.full().is_none() {
        second.push(&block).unwrap();
        block = next(&block);
    }
    assert!(2 * second.blocks() > 3 * blocks, "{} after {blocks}", second.blocks());
    let size = second.close().unwrap().data.len();
    assert!((15_000..25_000).contains(&size), "{size}");

    let few = ChannelOutConfig { max_blocks: NonZeroU32::MIN, ..settings(1 << 20) };
    let mut short = ChannelOut::new(ID, few, closed.ratio, &config);
    short.push(&block).unwrap();
    assert_eq!(short.full(), Some(ChannelFull::Blocks));
}

fn any_block() -> BatchBlock {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    any_blocks(2).new_tree(&mut runner).unwrap().current().remove(0)
}

fn next(block: &BatchBlock) -> BatchBlock {
    let mut next = block.clone();
    next.block.number += 1;
    next.block.timestamp += 2;
    next.block.parent_hash = block.block.hash;
    next.block.hash = B256::from(alloy_primitives::U256::from(next.block.number));
    next.block.sequence_number += 1;
    let seed = (next.block.number * 5) as u16;
    next.transactions = (seed..seed + 5).map(half_random_call).collect();
    next
}

/// A legacy call whose 1000 bytes of input are hashes and, for the other half, zeros.
pub(crate) fn half_random_call(seed: u16) -> Bytes {
    let mut payload = vec![1, 1, 0x82, 0x52, 0x08, 0x94];
    payload.extend([9; 20]);
    payload.extend([0x80, 0xb9, 0x03, 0xe8]);
    let hashes = (0..16u16)
        .flat_map(|i| alloy_primitives::keccak256([seed, i].map(u16::to_be_bytes).concat()));
    payload.extend(hashes.take(500));
    payload.extend([0; 500]);
    payload.extend([27, 5, 6]);
    let mut out = vec![0xf9];
    out.extend((payload.len() as u16).to_be_bytes());
    out.extend(payload);
    out.into()
}

#[test]
fn frames_fit_their_carrier_or_there_are_none() {
    let closed = ClosedChannel { data: vec![5; 10].into(), ..channel_of(&[any_block()]) };
    let frames = closed.frames(FRAME_OVERHEAD + 4).unwrap();
    let sizes: Vec<_> = frames.iter().map(|frame| (frame.data.len(), frame.is_last)).collect();
    assert_eq!(sizes, [(4, false), (4, false), (2, true)]);
    assert_eq!(closed.frames(FRAME_OVERHEAD), None);
    assert_eq!(closed.frames(0), None);
    let long = ClosedChannel { data: vec![5; 65_537].into(), ..closed };
    assert_eq!(long.frames(FRAME_OVERHEAD + 1), None, "more frames than numbers");
    assert_eq!(long.frames(usize::MAX).unwrap().len(), 1);
}

proptest! {
    #[test]
    fn blocks_come_back_from_frames(blocks in any_blocks(10), size in 1usize..200) {
        let closed = channel_of(&blocks);
        let frames = closed.frames(FRAME_OVERHEAD + size).unwrap();
        let mut assembler = ChannelAssembler::default();
        let mut outcome = FrameOutcome::Added;
        for frame in &frames {
            prop_assert_eq!(&outcome, &FrameOutcome::Added);
            prop_assert!(frame.encoded_len() <= FRAME_OVERHEAD + size);
            outcome = assembler.push(frame, 1);
        }
        let FrameOutcome::Complete(channel) = outcome else {
            return Err(TestCaseError::fail("not complete"));
        };
        let config = config();
        let mut reader = BatchReader::new(channel).unwrap();
        let Ok(Some(Batch::Span(span))) = reader.next_batch(&config) else {
            return Err(TestCaseError::fail("no span batch"));
        };
        prop_assert_eq!(reader.next_batch(&config), Ok(None));
        prop_assert_eq!(span.blocks.len(), blocks.len());
        for (read, written) in span.blocks.iter().zip(&blocks) {
            prop_assert_eq!(&read.transactions, &written.transactions);
            prop_assert_eq!(read.timestamp, written.block.timestamp);
            prop_assert_eq!(read.epoch, written.block.l1_origin.number);
        }
    }

    /// A channel holds what the specification says of any sequence of frames: the frames from the
    /// last first frame on, as far as they follow each other, others being passed over.
    #[test]
    fn assembly_agrees_with_its_description(
        frames in prop::collection::vec((any::<bool>(), 0u16..4, any::<bool>()), 0..20),
    ) {
        let mut assembler = ChannelAssembler::default();
        let mut open: Option<(ChannelId, Vec<u16>)> = None;
        for (other, number, is_last) in frames {
            let frame = frame(if other { OTHER } else { ID }, number, is_last);
            let outcome = assembler.push(&frame, 1);
            if number == 0 {
                open = Some((frame.channel, vec![]));
            }
            let counts = open.as_mut().filter(|(id, numbers)| {
                *id == frame.channel && numbers.len() == usize::from(number)
            });
            match counts {
                None => prop_assert!(matches!(outcome, FrameOutcome::Dropped(_))),
                Some((_, numbers)) => {
                    numbers.push(number);
                    let data: Vec<u8> = numbers.iter().flat_map(|n| [*n as u8; 3]).collect();
                    if is_last {
                        prop_assert_eq!(outcome, FrameOutcome::Complete(data));
                        open = None;
                    } else {
                        prop_assert_eq!(outcome, FrameOutcome::Added);
                    }
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_harm(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let config = config();
        let mut channels = vec![bytes.clone(), brotli(&bytes), compress_zlib(&bytes, 1)];
        channels.extend([brotli(&plain(20)), compress_zlib(&plain(20), 6)].map(|mut good| {
            for (index, byte) in &changes {
                let place = index.index(good.len());
                good[place] = *byte;
            }
            good
        }));
        for channel in channels {
            if let Ok(mut reader) = BatchReader::new(channel) {
                prop_assert!(reader.batches(&config).count() <= 10_000);
            }
        }
    }

    /// The estimate before compression is never below what it is.
    #[test]
    fn sizes_before_compression_are_not_underestimated(
        transactions in prop::collection::vec(any_transaction(), 0..20),
    ) {
        let block = BatchBlock { transactions, ..any_block() };
        let mut out =
            ChannelOut::new(ID, settings(1), CompressionRatio::default(), &config());
        let before = out.rlp_len();
        out.push(&block).unwrap();
        let size: usize = block.transactions.iter().map(|transaction| transaction.len()).sum();
        let added = size + 64 * block.transactions.len() + 16;
        prop_assert!(out.rlp_len() - before <= added);
    }
}
