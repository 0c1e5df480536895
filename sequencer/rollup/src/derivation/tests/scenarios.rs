//! Scenarios, after the list of the OP action tests.

use alloy_primitives::{Address, B256, Bytes};

use super::super::*;
use super::world::*;
use crate::batch::SingularBatch;
use crate::frame::encode_frames;
use crate::l1::{Carrier, ConfigUpdate};
use crate::{Eip1559Params, L2BlockRef};

fn numbers(blocks: &[L2BlockRef]) -> Vec<u64> {
    blocks.iter().map(|block| block.l1_origin.number).collect()
}

#[test]
fn spans_singular_batches_and_certificates_give_the_sequenced_chain() {
    let mut world = World::with_l1(8, 4);
    let chain = world.sequenced(9);
    world.post_span(103, &chain.batch_blocks(1..4));
    world.post_singular(104, &singular(&chain.batch_blocks(4..6)));
    let span = channel(&[span(&world.config, &chain.batch_blocks(6..10))]);
    world.post_certificate(107, encode_frames(&frames(9, &span, 50)));
    let node = world.derive();
    assert_eq!(node.chain.refs(), chain.refs());
    assert_eq!(node.safe(), 9);
    assert!(node.dropped.is_empty());
}

#[test]
fn deposits_come_with_the_first_block_of_their_epoch() {
    let mut world = World::with_l1(3, 4);
    let deposit = op_alloy_consensus::TxDeposit { gas_limit: 21_000, ..Default::default() };
    world.l1.block_mut(102).deposits = vec![deposit];
    let chain = world.sequenced(5);
    world.post_span(103, &chain.batch_blocks(1..6));
    let node = world.derive();
    assert_eq!(node.chain.refs(), chain.refs());
    let counts: Vec<_> =
        node.chain.blocks.iter().map(|(_, block)| block.body.transactions.len()).collect();
    // Attributes and one transaction; in the first block of epoch 102 the deposit too.
    assert_eq!(numbers(&chain.refs()), [100, 100, 101, 101, 102, 102]);
    assert_eq!(counts, [0, 2, 2, 2, 3, 2]);
}

#[test]
fn a_silent_batcher_gives_blocks_of_deposits_when_the_window_ends() {
    let mut world = World::with_l1(14, 4);
    let deposit = op_alloy_consensus::TxDeposit { gas_limit: 21_000, ..Default::default() };
    world.l1.block_mut(101).deposits = vec![deposit];
    let node = world.derive();
    // The windows of 100 to 104 are over at 114.
    let refs = node.chain.refs();
    assert_eq!(numbers(&refs), [100, 100, 101, 101, 102, 102, 103, 103, 104, 104]);
    let with_deposit: Vec<_> =
        node.chain.blocks[1..].iter().map(|(_, block)| block.body.transactions.len()).collect();
    assert_eq!(with_deposit, [1, 2, 1, 1, 1, 1, 1, 1, 1]);
    // The batcher comes back and goes on from there.
    let mut chain = node.chain.clone();
    world.l1.push(GENESIS_TIME + 60, 0);
    chain.sequence(&world.l1, 4, || vec![transaction(1, 1)]);
    world.post_span(115, &chain.batch_blocks(10..14));
    let mut node = node;
    node.follow(&world);
    assert_eq!(&node.chain.refs()[..14], &chain.refs()[..]);
}

#[test]
fn the_last_block_of_the_window_still_counts() {
    let mut world = World::with_l1(11, 4);
    let chain = world.sequenced(3);
    world.post_span(110, &chain.batch_blocks(1..4));
    assert_eq!(world.derive().chain.refs()[..4], chain.refs()[..]);

    let mut world = World::with_l1(11, 4);
    world.post_span(111, &chain.batch_blocks(1..4));
    let node = world.derive();
    assert_eq!(node.batch_drops(), [BatchDrop::Window]);
    assert_ne!(node.chain.refs()[1], chain.refs()[1]);
}

#[test]
fn a_block_that_does_not_execute_keeps_its_deposits_and_drops_the_rest() {
    let mut world = World::with_l1(6, 4);
    let chain = world.sequenced(4);
    let mut blocks = chain.batch_blocks(1..5);
    blocks[1].transactions.push(invalid_transaction());
    world.post_span(103, &blocks);
    let node = world.derive();
    assert_eq!(node.safe(), 2);
    assert_eq!(node.chain.refs()[1], chain.refs()[1]);
    assert_eq!(node.chain.blocks[2].1.body.transactions.len(), 1);
    let timestamp = GENESIS_TIME + 4;
    assert_eq!(node.dropped, [DropReason::Payload { timestamp }]);

    // A restart behind it does not read the dropped rest, which would be valid now.
    let mut node = node;
    node.restart(&world);
    node.follow(&world);
    assert_eq!(node.safe(), 2);
}

#[test]
fn an_invalid_batch_drops_the_rest_of_its_channel_and_nothing_before() {
    let mut world = World::with_l1(6, 4);
    let chain = world.sequenced(4);
    let mut batches = singular(&chain.batch_blocks(1..5));
    batches[2].epoch.hash = B256::repeat_byte(1);
    let epoch = batches[2].epoch.number;
    world.post_singular(103, &batches);
    world.post_span(104, &chain.batch_blocks(3..5));
    let node = world.derive();
    assert_eq!(node.batch_drops(), [BatchDrop::OriginHash(epoch)]);
    // What came later is as good as if the first had never been sent.
    assert_eq!(node.chain.refs(), chain.refs());
}

#[test]
fn spans_may_overlap_the_safe_chain() {
    let mut world = World::with_l1(6, 4);
    let chain = world.sequenced(6);
    world.post_span(103, &chain.batch_blocks(1..4));
    world.post_span(104, &chain.batch_blocks(1..3));
    world.post_span(105, &chain.batch_blocks(2..7));
    let node = world.derive();
    assert_eq!(node.chain.refs(), chain.refs());
    assert_eq!(node.batch_drops(), [BatchDrop::Past]);
}

#[test]
fn a_gap_drops_the_batch_behind_it() {
    let mut world = World::with_l1(6, 4);
    let chain = world.sequenced(6);
    world.post_span(103, &chain.batch_blocks(2..4));
    world.post_span(104, &chain.batch_blocks(1..4));
    let node = world.derive();
    assert_eq!(node.batch_drops(), [BatchDrop::Future]);
    assert_eq!(node.safe(), 3);
}

#[test]
fn frames_of_a_channel_may_spread_over_transactions_and_blocks() {
    let mut world = World::with_l1(8, 4);
    let chain = world.sequenced(6);
    let bytes = channel(&[span(&world.config, &chain.batch_blocks(all(&chain)))]);
    for (n, frame) in frames(1, &bytes, bytes.len() / 4).iter().enumerate() {
        world.post(104 + n as u64 / 2, encode_frames(std::slice::from_ref(frame)));
    }
    let node = world.derive();
    assert_eq!(node.chain.refs(), chain.refs());
}

#[test]
fn frames_out_of_order_duplicates_and_other_channels_are_dropped() {
    let mut world = World::with_l1(8, 4);
    let chain = world.sequenced(6);
    let bytes = channel(&[span(&world.config, &chain.batch_blocks(all(&chain)))]);
    let parts = frames(1, &bytes, bytes.len() / 3);
    let single = |n: usize| encode_frames(std::slice::from_ref(&parts[n]));
    let mut stray = parts[1].clone();
    stray.channel = crate::frame::ChannelId([5; 16]);
    world.post(104, single(1));
    world.post(104, single(0));
    world.post(104, encode_frames(&[stray]));
    world.post(105, single(2));
    world.post(105, single(1));
    world.post(105, single(1));
    (2..parts.len()).for_each(|n| {
        world.post(106, single(n));
    });
    let node = world.derive();
    assert_eq!(node.chain.refs(), chain.refs());
    let order = |dropped: &&DropReason| matches!(dropped, DropReason::FrameOrder { .. });
    assert_eq!(node.dropped.iter().filter(order).count(), 4);
}

#[test]
fn a_channel_times_out() {
    let mut world = World::with_l1(9, 4);
    let chain = world.sequenced(4);
    let bytes = channel(&[span(&world.config, &chain.batch_blocks(all(&chain)))]);
    let parts = frames(1, &bytes, bytes.len() / 2 + 1);
    world.post(103, encode_frames(&parts[..1]));
    world.post(108, encode_frames(&parts[1..]));
    let node = world.derive();
    assert_eq!(node.safe(), 0);
    assert_eq!(
        node.dropped,
        [DropReason::ChannelTimeout { opened: 103 }, DropReason::FrameOrder { number: 1 }]
    );
    // One block earlier is in time.
    let mut world = World::with_l1(9, 4);
    world.post(103, encode_frames(&parts[..1]));
    world.post(107, encode_frames(&parts[1..]));
    assert_eq!(world.derive().safe(), 4);
}

#[test]
fn a_new_channel_replaces_an_open_one() {
    let mut world = World::with_l1(8, 4);
    let chain = world.sequenced(4);
    let bytes = channel(&[span(&world.config, &chain.batch_blocks(all(&chain)))]);
    world.post(103, encode_frames(&frames(1, &bytes, bytes.len() / 2 + 1)[..1]));
    world.post_channel(104, 2, bytes);
    let node = world.derive();
    assert_eq!(node.safe(), 4);
    assert_eq!(node.dropped, [DropReason::ChannelReplaced { opened: 103 }]);
}

#[test]
fn strangers_broken_data_and_broken_channels_have_no_effect() {
    let mut world = World::with_l1(8, 4);
    let chain = world.sequenced(4);
    let good = channel(&[span(&world.config, &chain.batch_blocks(all(&chain)))]);
    let data = Bytes::from(encode_frames(&frames(1, &good, good.len())));
    let sender = Address::repeat_byte(1);
    let stranger = world.post_as(104, sender, Carrier::Calldata(data.clone()));
    let broken = world.post(104, data[..data.len() - 1].to_vec());
    world.post_channel(104, 3, good[..good.len() / 2].to_vec());
    world.post_channel(104, 3, vec![7, 7]);
    world.post(105, data.to_vec());
    let node = world.derive();
    assert_eq!(node.chain.refs(), chain.refs());
    assert_eq!(
        node.dropped,
        [
            DropReason::Stranger { transaction: stranger, sender },
            DropReason::Data { transaction: broken, index: 0 },
            DropReason::Channel { block: 104 },
            DropReason::Channel { block: 104 },
        ]
    );
}

#[test]
fn blobs_are_read_in_order_and_broken_ones_passed_over() {
    let mut world = World::with_l1(6, 4);
    let chain = world.sequenced(4);
    let bytes = channel(&[span(&world.config, &chain.batch_blocks(all(&chain)))]);
    let parts = frames(1, &bytes, bytes.len() / 2 + 1);
    let blob = |frames| crate::blob::encode_blob(&encode_frames(frames)).unwrap().to_vec();
    let mut broken = blob(&parts[..1]);
    broken[0] = 0xff;
    let id = |index| crate::l1::BlobId { index, versioned_hash: B256::ZERO };
    let hash = world.post_as(104, BATCHER, Carrier::Blobs(vec![id(0), id(1), id(2), id(3)]));
    let blobs = [broken, vec![1], blob(&parts[..1]), blob(&parts[1..])];
    world.data.insert(hash, blobs.into_iter().map(Into::into).collect());
    let node = world.derive();
    assert_eq!(node.safe(), 4);
    let data = |index| DropReason::Data { transaction: hash, index };
    assert_eq!(node.dropped, [data(0), data(1)]);
}

#[test]
fn a_big_channel_fills_blobs_of_several_blocks() {
    let mut world = World::with_l1(9, 4);
    let mut chain = Chain::new(&world.config);
    let mut nonce = 0;
    chain.sequence(&world.l1, 6, || {
        nonce += 1;
        (0..4).map(|n| random_transaction(nonce * 4 + n, 30_000)).collect()
    });
    let bytes = channel(&[span(&world.config, &chain.batch_blocks(all(&chain)))]);
    let parts = frames(1, &bytes, 130_000);
    assert!(parts.len() >= 6, "{} frames", parts.len());
    for (n, pair) in parts.chunks(2).enumerate() {
        let id = |index| crate::l1::BlobId { index, versioned_hash: B256::ZERO };
        let ids = (0..pair.len() as u64).map(id).collect();
        let hash = world.post_as(104 + n as u64, BATCHER, Carrier::Blobs(ids));
        let blob = |frame: &crate::frame::Frame| {
            let data = encode_frames(std::slice::from_ref(frame));
            crate::blob::encode_blob(&data).unwrap().to_vec().into()
        };
        world.data.insert(hash, pair.iter().map(blob).collect());
    }
    let node = world.derive();
    assert_eq!(node.chain.refs(), chain.refs());
    assert!(node.dropped.is_empty());
}

#[test]
fn a_channel_above_the_limit_is_dropped() {
    let mut world = World::with_l1(6, 4);
    let chain = world.sequenced(2);
    let frame = |number| crate::frame::Frame {
        channel: crate::frame::ChannelId([1; 16]),
        number,
        data: vec![0; 1_000_000].into(),
        is_last: false,
    };
    let parts: Vec<_> = (0..101).map(frame).collect();
    world.post_certificate(103, encode_frames(&parts));
    world.post_span(104, &chain.batch_blocks(1..3));
    let node = world.derive();
    let opened = 103;
    // The hundredth frame passes the limit, with 200 bytes counted for each.
    assert_eq!(
        node.dropped,
        [DropReason::ChannelSize { opened }, DropReason::FrameOrder { number: 100 }]
    );
    assert_eq!(node.safe(), 2);
}

#[test]
fn what_is_dropped_is_reported_up_to_a_limit() {
    let mut world = World::with_l1(6, 4);
    let chain = world.sequenced(2);
    world.post_span(103, &chain.batch_blocks(1..3));
    let past = singular(&chain.batch_blocks(1..2));
    world.post_singular(104, &vec![past[0].clone(); 3000]);
    let node = world.derive();
    assert_eq!((node.safe(), node.dropped.len()), (2, 1024));
}

#[test]
fn system_configuration_changes_with_its_l1_block() {
    let successor = Address::repeat_byte(0x5c);
    let mut world = World::with_l1(8, 4);
    world.l1.block_mut(102).config_updates = vec![
        ConfigUpdate::GasLimit(40_000_000),
        ConfigUpdate::Eip1559(Eip1559Params { denominator: 8, elasticity: 2 }),
        ConfigUpdate::MinBaseFee(77),
    ];
    world.l1.block_mut(104).config_updates = vec![ConfigUpdate::Batcher(successor)];
    let chain = world.sequenced(8);
    world.post_span(103, &chain.batch_blocks(1..5));
    let rest = channel(&[span(&world.config, &chain.batch_blocks(5..9))]);
    let data = Bytes::from(encode_frames(&frames(8, &rest, rest.len())));
    // From block 104 on, that block included, the old batcher is a stranger.
    world.post_as(104, BATCHER, Carrier::Calldata(data.clone()));
    world.post_as(105, successor, Carrier::Calldata(data));
    let node = world.derive();
    assert_eq!(node.chain.refs(), chain.refs());
    assert!(matches!(node.dropped[..], [DropReason::Stranger { sender: BATCHER, .. }]));
    let limits: Vec<_> = node.chain.blocks.iter().map(|(_, b)| b.header.gas_limit).collect();
    assert_eq!(limits[1..=3], [30_000_000; 3]);
    assert_eq!(limits[4..], [40_000_000; 5]);
}

#[test]
fn beyond_the_drift_blocks_are_empty_until_l1_goes_on() {
    let mut world = World::new();
    world.l1.push(GENESIS_TIME + 1810, 0);
    world.l1.push(GENESIS_TIME + 1820, 0);
    let chain = world.sequenced(906);
    let last = &chain.blocks[900..=905];
    let counts: Vec<_> = last.iter().map(|(_, block)| block.body.transactions.len()).collect();
    assert_eq!(counts, [2, 1, 1, 1, 1, 2]);
    world.post_span(102, &chain.batch_blocks(all(&chain)));
    let node = world.derive();
    assert_eq!(node.chain.refs(), chain.refs());

    // The same chain with a transaction where none may be.
    let mut batches: Vec<SingularBatch> = singular(&chain.batch_blocks(all(&chain)));
    batches[902].transactions.push(transaction(5, 5));
    world.l1.block_mut(102).batches.clear();
    world.post_singular(102, &batches);
    let node = world.derive();
    assert_eq!(node.batch_drops(), [BatchDrop::Drift]);
    assert_eq!(node.safe(), 902);
}

#[test]
fn finality_follows_l1_and_refuses_another_l1() {
    let mut world = World::with_l1(8, 4);
    let chain = world.sequenced(6);
    world.post_span(103, &chain.batch_blocks(1..4));
    world.post_span(105, &chain.batch_blocks(4..7));
    let mut node = Verifier::new(&world.config);
    let id = |number| world.l1.block(number).unwrap().id();
    // Not read yet: said once it has been.
    node.step(Event::L1Finalized(id(104)), &world);
    assert_eq!(node.finalized, None);
    node.follow(&world);
    assert_eq!(node.finalized, Some(3));
    node.step(Event::L1Finalized(id(105)), &world);
    assert_eq!(node.finalized, Some(6));
    node.step(Event::L1Finalized(id(101)), &world);
    assert_eq!(node.finalized, Some(6));
    let mut other = id(106);
    other.hash = B256::ZERO;
    node.step(Event::L1Finalized(other), &world);
    assert!(matches!(node.resets[..], [ResetReason::L1Differs { .. }]));
}

#[test]
fn deposits_that_do_not_execute_are_an_error() {
    let mut world = World::with_l1(4, 4);
    let chain = world.sequenced(1);
    world.post_span(102, &chain.batch_blocks(1..2));
    let mut node = Verifier::new(&world.config);
    let mut event = Some(Event::Start);
    while let Some(next) = event {
        event = match node.step(next, &world) {
            Some(Event::Applied(_)) => None,
            other => other,
        };
    }
    let effects = node.machine.step(Event::Invalid, &node.chain).unwrap();
    assert!(matches!(effects[..], [Effect::Dropped(_), Effect::Attributes(_)]));
    let error = node.machine.step(Event::Invalid, &node.chain).unwrap_err();
    assert!(matches!(error, DerivationError::DepositsInvalid { number: 1, .. }));
    assert_eq!(node.machine.step(Event::Invalid, &node.chain), Ok(vec![]));
}

#[test]
fn what_was_not_asked_for_is_an_error() {
    let world = World::with_l1(4, 4);
    let mut node = Verifier::new(&world.config);
    let error = node.machine.step(Event::Invalid, &node.chain).unwrap_err();
    assert!(matches!(error, DerivationError::Unexpected { waiting: "the start", .. }));
}

#[test]
fn another_l1_than_was_read_resets() {
    let world = World::with_l1(4, 4);
    let mut node = world.derive();
    let mut other = World::with_l1(5, 4);
    other.l1.block_mut(105).parent_hash = B256::ZERO;
    let block = std::sync::Arc::new(other.l1.block_mut(105).clone());
    let effects = node.machine.step(Event::L1Block(block), &node.chain).unwrap();
    assert!(matches!(effects[..], [Effect::Reset(ResetReason::L1Reorg { number: 105, .. })]));

    // The first block must be the one that the starting point names.
    let mut node = Verifier::new(&world.config);
    other.l1.block_mut(100).hash = B256::ZERO;
    node.machine.step(Event::Start, &node.chain).unwrap();
    let block = std::sync::Arc::new(other.l1.block_mut(100).clone());
    let effects = node.machine.step(Event::L1Block(block), &node.chain).unwrap();
    assert!(matches!(effects[..], [Effect::Reset(ResetReason::L1Differs { .. })]));
}

#[test]
fn another_l1_block_than_was_asked_for_is_an_error() {
    let mut world = World::with_l1(4, 4);
    let mut node = Verifier::new(&world.config);
    node.machine.step(Event::Start, &node.chain).unwrap();
    let block = std::sync::Arc::new(world.l1.block_mut(102).clone());
    let error = node.machine.step(Event::L1Block(block), &node.chain).unwrap_err();
    assert!(matches!(error, DerivationError::Unexpected { waiting: "an L1 block", .. }));
}

#[test]
fn other_data_than_was_asked_for_is_an_error() {
    let mut world = World::with_l1(4, 4);
    world.post_certificate(101, vec![0]);
    let mut node = Verifier::new(&world.config);
    let mut event = Some(Event::Start);
    while !matches!(event, Some(Event::Data(_)) | None) {
        event = node.step(event.unwrap(), &world);
    }
    let Some(Event::Data(right)) = event else { panic!("no request") };
    let two = BatchData { data: vec![Bytes::new(); 2], ..right };
    let error = node.machine.step(Event::Data(two), &node.chain).unwrap_err();
    let expected = DerivationError::Unexpected { event: "other data", waiting: "data" };
    assert_eq!(error, expected);
}

#[test]
fn a_safe_block_that_cannot_be_read_resets() {
    struct Broken;
    impl SafeChain for Broken {
        fn block(&self, number: u64) -> Result<Option<L2BlockRef>, cairn_primitives::ReadError> {
            Err(cairn_primitives::ReadError::Store(format!("no {number}")))
        }
    }
    let mut world = World::with_l1(3, 4);
    let chain = world.sequenced(3);
    world.post_span(103, &chain.batch_blocks(1..3));
    let mut node = world.derive();
    world.l1.push(GENESIS_TIME + 16, 0);
    world.post_span(104, &chain.batch_blocks(2..4));
    let block = std::sync::Arc::new(world.l1.block_mut(104).clone());
    let effects = node.machine.step(Event::L1Block(block), &Broken).unwrap();
    assert!(matches!(effects[..], [Effect::Reset(ResetReason::SafeChain { number: 1, .. })]));
}

#[test]
fn a_block_that_does_not_follow_resets() {
    let mut world = World::with_l1(4, 4);
    let chain = world.sequenced(2);
    world.post_span(102, &chain.batch_blocks(1..3));
    let mut node = Verifier::new(&world.config);
    let mut event = Some(Event::Start);
    while !matches!(event, Some(Event::Applied(_)) | None) {
        event = node.step(event.unwrap(), &world);
    }
    let wrong = Event::Applied(L2BlockRef { number: 7, ..chain.refs()[1] });
    let effects = node.machine.step(wrong, &node.chain).unwrap();
    assert!(matches!(effects[..], [Effect::Reset(ResetReason::NotOnSafeHead { .. })]));
}
