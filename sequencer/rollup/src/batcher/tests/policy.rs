//! The rules one by one.

use std::{
    num::{NonZeroU32, NonZeroU64},
    time::Duration,
};

use alloy_primitives::B256;

use super::world::{World, settings};
use crate::{
    batch::{BatchError, tests::config as rollup_config},
    batcher::{
        Batcher, BatcherConfig, BatcherConfigError, BatcherTransaction, Carrier, CarrierChoice,
        DispersalFailure, DispersalId, Effect, Event, ResetReason, TxId,
    },
};

/// A running batcher whose channels are closed by time only.
fn patient() -> World {
    running(settings(1 << 20))
}

fn running(config: BatcherConfig) -> World {
    let mut world = World::new(config);
    world.tick(1);
    assert!(world.batcher.status(world.now).running);
    world
}

fn is_blobs(transaction: &BatcherTransaction) -> bool {
    matches!(transaction, BatcherTransaction::Blobs(_))
}

fn is_certificate(transaction: &BatcherTransaction) -> bool {
    matches!(transaction, BatcherTransaction::Certificate(_))
}

#[test]
fn a_channel_is_closed_by_size() {
    let mut world = running(settings(2000));
    world.build(1);
    assert_eq!(world.dispersals.len(), 0);
    world.build(7);
    assert!(!world.dispersals.is_empty());
}

#[test]
fn a_channel_is_closed_by_time_and_by_l1_blocks() {
    let mut world = patient();
    world.build(3);
    world.tick(19);
    assert_eq!(world.dispersals.len(), 0);
    world.tick(1);
    assert_eq!(world.dispersals.len(), 1);

    let mut world = patient();
    world.build(3);
    world.mine_empty(9);
    assert_eq!(world.dispersals.len(), 0);
    world.mine_empty(1);
    assert_eq!(world.dispersals.len(), 1);
}

#[test]
fn a_channel_is_closed_when_its_window_is_at_risk_even_if_others_wait() {
    let mut config = settings(1 << 20);
    config.channel.max_l1_blocks = u64::MAX / 2;
    let mut rollup = rollup_config();
    rollup.seq_window_size = 30;
    let mut world = World::with(config, rollup);
    world.tick(1);
    // Nobody disperses, so two channels wait, and a third one is open.
    for _ in 0..3 {
        world.build(2);
        world.tick(20);
    }
    assert_eq!(world.batcher.status(world.now).queued_channels, 2);
    world.mine_empty(20);
    assert_eq!(world.batcher.status(world.now).queued_channels, 2);
    world.mine_empty(1);
    assert_eq!(world.batcher.status(world.now).queued_channels, 3);
}

#[test]
fn an_operator_can_have_a_channel_closed() {
    let mut world = patient();
    world.build(1);
    world.event(Event::Flush);
    assert_eq!(world.dispersals.len(), 1);
}

#[test]
fn a_stopped_batcher_sends_nothing_until_it_is_started() {
    let mut world = patient();
    world.build(2);
    world.event(Event::Flush);
    world.disperse(Ok(()));
    assert_eq!((world.sent.len(), world.in_mempool()), (1, 1));
    for _ in 0..2 {
        world.event(Event::Stop);
    }
    assert!(world.batcher.status(world.now).stopped);
    assert_eq!(world.resets, [ResetReason::Stopped]);
    world.build(3);
    world.event(Event::Flush);
    world.event(Event::L1Reorg);
    world.tick(300);
    assert_eq!((world.sent.len(), world.bumps, world.dispersals.len()), (1, 0, 0));
    // What was in the mempool is included, and not sent again.
    world.mine(true, false);
    world.derive();
    assert_eq!(world.derived.safe, 2);
    for _ in 0..2 {
        world.event(Event::Start);
    }
    assert!(!world.batcher.status(world.now).stopped);
    assert!(world.settle(5));
    assert!(world.batcher.status(world.now).running);
    assert_eq!((world.sent.len(), world.derived.repeated), (2, 0));
}

#[test]
fn a_network_that_cannot_serve_is_left_for_this_batch_and_tried_again_later() {
    let mut world = patient();
    world.build(2);
    world.event(Event::Flush);
    world.disperse(Err(DispersalFailure::Unavailable));
    assert_eq!(world.sent.len(), 1);
    assert!(is_blobs(&world.sent[0]), "the same channel goes by blobs at once");
    world.mine(true, false);
    world.derive();
    assert_eq!(world.derived.safe, 2);

    world.build(2);
    world.event(Event::Flush);
    assert!(is_blobs(&world.sent[1]));
    world.mine(true, false);
    world.tick(300);
    world.build(2);
    world.event(Event::Flush);
    world.disperse(Ok(()));
    assert!(is_certificate(&world.sent[2]), "back after the cool-down");
    assert!(world.settle(3));
    assert_eq!(world.derived.repeated, 0);
}

#[test]
fn some_failures_are_borne_before_the_network_is_left() {
    let mut world = patient();
    world.build(2);
    world.event(Event::Flush);
    for _ in 0..2 {
        world.disperse(Err(DispersalFailure::Failed));
        assert_eq!(world.dispersals.len(), 0, "not at once");
        world.tick(2);
        assert_eq!(world.dispersals.len(), 1);
    }
    world.disperse(Err(DispersalFailure::Failed));
    assert!(is_blobs(&world.sent[0]));
    assert_eq!(world.batcher.status(world.now).carrier, Carrier::Blobs);
}

#[test]
fn a_dispersal_that_never_ends_counts_as_failed() {
    let mut world = patient();
    world.build(2);
    world.event(Event::Flush);
    let (late, _) = world.dispersals[0].clone();
    world.tick(60);
    world.tick(2);
    assert_eq!(world.dispersals.len(), 2);
    let certificate = B256::ZERO.to_vec().into();
    world.event(Event::Dispersed { id: late, certificate });
    assert!(world.sent.is_empty(), "an answer that comes too late is not taken");
    world.event(Event::DispersalFailed {
        id: DispersalId(u64::MAX),
        failure: DispersalFailure::Unavailable,
    });
    assert_eq!(world.batcher.status(world.now).carrier, Carrier::DataAvailability);
}

#[test]
fn a_certificate_that_l1_refuses_is_replaced() {
    let mut world = patient();
    world.build(2);
    world.event(Event::Flush);
    world.disperse(Ok(()));
    world.mine(true, true);
    assert_eq!(world.derived.safe, 0);
    world.tick(2);
    assert_eq!(world.dispersals.len(), 1, "it is dispersed again");
    assert!(world.settle(2));
    assert_eq!(world.sent.len(), 2);
}

#[test]
fn a_transaction_that_nobody_takes_is_tried_again() {
    use crate::batcher::TxFailure::Refused;
    let mut world = running(BatcherConfig { carrier: CarrierChoice::Blobs, ..settings(1 << 20) });
    world.build(2);
    world.event(Event::Flush);
    world.refuse(Refused);
    assert_eq!(world.sent.len(), 1);
    world.tick(2);
    assert_eq!(world.sent.len(), 2);
    assert_eq!(world.sent[0], world.sent[1]);
    assert!(world.settle(2));
}

#[test]
fn the_fee_rises_while_a_transaction_is_in_doubt() {
    let mut world = patient();
    world.build(2);
    world.event(Event::Flush);
    world.disperse(Ok(()));
    let id = world.in_doubt().unwrap();
    world.event(Event::TxStuck { id });
    assert_eq!(world.bumps, 0, "it was sent just now");
    world.tick(2);
    world.event(Event::TxStuck { id: TxId(u64::MAX) });
    assert_eq!(world.bumps, 0, "another one");
    world.event(Event::TxStuck { id });
    assert_eq!(world.bumps, 1);
    world.lose();
    world.tick(47);
    assert_eq!(world.bumps, 1);
    world.tick(1);
    assert_eq!((world.bumps, world.in_mempool()), (2, 1), "what was lost is sent again");
}

#[test]
fn the_next_channel_is_dispersed_while_a_transaction_is_in_doubt_but_not_sent() {
    let mut world = patient();
    for _ in 0..2 {
        world.build(2);
        world.event(Event::Flush);
    }
    assert_eq!(world.dispersals.len(), 2);
    world.disperse(Ok(()));
    world.disperse(Ok(()));
    assert_eq!(world.sent.len(), 1);
    world.mine(true, false);
    assert_eq!(world.sent.len(), 2);
}

#[test]
fn the_second_certificate_waits_for_the_first() {
    let mut world = patient();
    for _ in 0..2 {
        world.build(2);
        world.event(Event::Flush);
    }
    world.dispersals.swap(0, 1);
    world.disperse(Ok(()));
    assert!(world.sent.is_empty());
    world.disperse(Ok(()));
    assert_eq!(world.sent.len(), 1);
    assert!(world.settle(3));
    assert_eq!(world.derived.repeated, 0);
}

#[test]
fn a_restart_waits_for_what_is_in_the_mempool_and_sends_nothing_twice() {
    let mut world = patient();
    world.build(4);
    world.event(Event::Flush);
    world.disperse(Ok(()));
    assert_eq!(world.in_mempool(), 1);
    world.restart();
    world.build(2);
    world.tick(60);
    assert!(!world.batcher.status(world.now).running);
    world.mine(true, false);
    world.tick(2);
    assert!(!world.batcher.status(world.now).running, "derivation is behind");
    world.derive();
    assert!(world.batcher.status(world.now).running);
    assert!(world.settle(5));
    assert_eq!((world.derived.safe, world.derived.repeated), (6, 0));
    assert_eq!((world.sent.len(), world.cancels), (2, 0));
}

#[test]
fn a_transaction_of_an_earlier_run_that_is_never_included_is_replaced() {
    let mut world = patient();
    world.build(4);
    world.event(Event::Flush);
    world.disperse(Ok(()));
    world.restart();
    for _ in 0..119 {
        world.tick(1);
    }
    assert_eq!(world.cancels, 0);
    world.tick(2);
    assert_eq!(world.cancels, 1);
    world.tick(2);
    assert_eq!(world.cancels, 1, "not again so soon");
    assert!(world.settle(5));
    assert_eq!(world.sent.len(), 2);
}

#[test]
fn what_an_l1_reorganisation_took_away_is_sent_again() {
    for keep in [true, false] {
        let mut world = patient();
        world.build(4);
        assert!(world.settle(5));
        world.reorg_l1(2, keep);
        assert!(matches!(world.resets[0], ResetReason::L1Reorg));
        assert_eq!(world.derived.safe, 0);
        assert!(world.settle(5));
        assert_eq!((world.derived.safe, world.derived.repeated), (4, 0));
        assert_eq!(world.sent.len(), if keep { 1 } else { 2 });
    }
}

#[test]
fn a_transaction_that_comes_back_is_met_with_a_reset() {
    let mut world = patient();
    world.build(4);
    world.event(Event::Flush);
    world.disperse(Ok(()));
    world.lose();
    world.restart();
    world.tick(1);
    world.event(Event::Flush);
    world.disperse(Ok(()));
    assert_eq!(world.sent.len(), 2);
    world.find();
    world.mine(true, false);
    assert_eq!(world.resets, [ResetReason::NonceTaken]);
    assert!(world.settle(3));
    assert_eq!((world.derived.repeated, world.sent.len()), (0, 2));
}

#[test]
fn a_channel_that_derivation_passes_over_is_sent_again() {
    let mut world = patient();
    world.build(4);
    world.event(Event::Flush);
    world.disperse(Ok(()));
    world.mine(true, false);
    assert!(world.resets.is_empty());
    world.derive_nothing();
    assert_eq!(world.resets, [ResetReason::NotDerived { block: 4 }]);
    assert!(world.settle(5));
}

#[test]
fn another_unsafe_chain_begins_behind_the_safe_head() {
    let mut world = patient();
    world.build(4);
    world.event(Event::Flush);
    world.build(2);
    world.reorg_l2(1);
    assert_eq!(world.resets, [ResetReason::L2Reorg]);
    assert!(world.settle(10));
    assert_eq!(world.derived.safe, 6);
}

#[test]
fn a_block_on_another_parent_is_another_chain() {
    let mut world = patient();
    world.build(3);
    let mut other = world.l2[3].clone();
    other.block.hash = B256::repeat_byte(9);
    world.event(Event::UnsafeBlock(other.clone()));
    assert_eq!(world.resets, [ResetReason::L2Reorg]);

    let mut world = patient();
    world.build(3);
    world.event(Event::UnsafeBlock(world.l2[2].clone()));
    assert!(world.resets.is_empty(), "an old block is nothing new");
    other.block.number = 4;
    world.event(Event::UnsafeBlock(other));
    assert_eq!(world.resets, [ResetReason::L2Reorg]);
}

#[test]
fn a_safe_head_that_nothing_here_explains_is_a_reset() {
    let mut world = patient();
    world.build(3);
    let mut safe = world.l2[3].block;
    safe.hash = B256::repeat_byte(9);
    world.safe_head(safe);
    assert_eq!(world.resets, [ResetReason::SafeHead { safe }]);
}

#[test]
fn a_block_that_no_batch_can_hold_stops_everything() {
    let mut batcher = Batcher::new(settings(1 << 20), rollup_config()).unwrap();
    let world = patient();
    let now = Duration::from_secs(1);
    let safe =
        crate::batcher::SafeHead { block: world.l2[0].block, derived_from: Default::default() };
    batcher.step(Event::SafeHead(safe), now);
    batcher.step(Event::Nonces { latest: 0, pending: 0, at: 0 }, now);
    assert!(batcher.status(now).running);
    let mut world = patient();
    world.build(1);
    let mut block = world.l2[1].clone();
    block.transactions.push(vec![0x7e, 0xc0].into());
    let effects = batcher.step(Event::UnsafeBlock(block), now);
    let index = world.l2[1].transactions.len();
    let error = BatchError::TransactionType { index, kind: 0x7e };
    assert!(effects.contains(&Effect::Halt { block: 1, error }), "{effects:?}");
    assert!(!batcher.status(now).running);
    let effects = batcher.step(Event::L2Reorg, now);
    assert_eq!(effects[0], Effect::Reset { reason: ResetReason::L2Reorg });
    batcher.step(Event::Stop, now);
    assert_eq!(batcher.step(Event::Start, now), [Effect::QueryNonces], "as after a start");
}

#[test]
fn the_sequencer_is_slowed_down_while_too_much_is_unsafe() {
    let mut world = running(BatcherConfig {
        max_unsafe_blocks: NonZeroU64::new(10).unwrap(),
        throttled_block_bytes: 4000,
        ..settings(1 << 20)
    });
    world.build(10);
    assert!(world.throttled.is_empty());
    world.build(1);
    assert_eq!(world.throttled, [Some(4000)]);
    world.build(9);
    world.build(10);
    assert_eq!(world.throttled, [Some(4000), Some(2000), Some(1000)]);
    assert!(world.settle(30));
    assert_eq!(world.throttled.last(), Some(&None));
}

#[test]
fn no_blocks_are_asked_for_while_too_many_bytes_wait() {
    let config = BatcherConfig {
        max_queued_bytes: 3000,
        blocks_ahead: NonZeroU32::new(4).unwrap(),
        ..settings(1000)
    };
    let mut world = running(config);
    world.build(60);
    let (_, to) = world.window();
    assert!(to < 30, "{to}");
    assert!(world.batcher.status(world.now).queued_bytes < 3000 + 8 * 3000);
    assert!(world.settle(100));
    assert_eq!(world.derived.repeated, 0);
}

#[test]
fn a_channel_in_parts_begins_anew_when_it_takes_too_long() {
    let mut world = running(BatcherConfig { carrier: CarrierChoice::Calldata, ..settings(9000) });
    world.build(30);
    assert!(world.batcher.status(world.now).queued_channels >= 1);
    world.mine(true, false);
    world.mine(true, false);
    assert_eq!(world.sent.len(), 3);
    // The third part stays out for long; it is decided too late for the whole to be in time.
    world.mine_empty(41);
    world.mine(true, false);
    let id = |index: usize| match &world.sent[index] {
        BatcherTransaction::Calldata(data) => data[1..19].to_vec(),
        other => panic!("{other:?}"),
    };
    assert_eq!(id(0)[..16], id(2)[..16]);
    assert_ne!(id(0)[..16], id(3)[..16], "another name");
    assert_eq!(id(3)[16..], [0, 0], "and from its first frame on");
    assert!(world.settle(60));
    assert_eq!(world.derived.repeated, 0);
}

#[test]
fn a_channel_in_parts_begins_anew_when_its_carrier_changes() {
    let mut world = running(BatcherConfig { carrier: CarrierChoice::Calldata, ..settings(9000) });
    world.build(30);
    world.mine(true, false);
    assert_eq!(world.sent.len(), 2);
    world.event(Event::SetCarrier(CarrierChoice::Blobs));
    assert_eq!(world.sent.len(), 2, "what is in doubt is decided first");
    world.refuse(crate::batcher::TxFailure::Refused);
    world.tick(2);
    assert!(is_blobs(&world.sent[2]));
    assert!(world.settle(20));
    assert_eq!(world.derived.repeated, 0);
}

#[test]
fn a_channel_that_another_carrier_cannot_bring_in_time_is_made_smaller() {
    let config = settings(1 << 20);
    let config = BatcherConfig { max_da_payload: 1 << 20, ..config };
    let mut world = running(config);
    world.build(220);
    world.event(Event::Flush);
    world.event(Event::SetCarrier(CarrierChoice::Calldata));
    assert!(matches!(world.resets[..], [ResetReason::ChannelTooLong { parts: 41.. }]));
    assert!(world.settle(300));
    assert_eq!((world.resets.len(), world.derived.repeated), (1, 0));
}

#[test]
fn a_channel_grows_on_while_others_wait() {
    let mut world = running(settings(1000));
    world.build(60);
    assert_eq!(world.batcher.status(world.now).queued_channels, 2, "and a third one grows");
    while !world.dispersals.is_empty() {
        world.disperse(Ok(()));
    }
    world.mine(true, false);
    let data = |world: &World| world.dispersals.iter().map(|(_, data)| data.len()).sum::<usize>();
    assert!(data(&world) > 4000, "{}", data(&world));
    assert!(world.settle(40));
    assert_eq!(world.derived.repeated, 0);
}

#[test]
fn a_policy_that_cannot_work_is_refused() {
    let new = |config| Batcher::new(config, rollup_config()).map(drop);
    let field = "max_calldata";
    let error = BatcherConfigError::Payload { field, bytes: 2047 };
    assert_eq!(new(BatcherConfig { max_calldata: 2047, ..settings(1) }), Err(error));
    let field = "max_da_payload";
    let error = BatcherConfigError::Payload { field, bytes: 0 };
    assert_eq!(new(BatcherConfig { max_da_payload: 0, ..settings(1) }), Err(error));
    let error = BatcherConfigError::Margin { margin: 50, of: 50 };
    assert_eq!(new(BatcherConfig { safety_margin: 50, ..settings(1) }), Err(error));
}
