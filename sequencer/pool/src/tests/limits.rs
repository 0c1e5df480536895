//! Limits, at the last that fits and at the first that does not.

use super::support::*;
use crate::{DropReason, ErrorKind, PoolConfig, Timestamp};

fn dropped(pool: &mut crate::Pool) -> Vec<(alloy_primitives::B256, DropReason)> {
    let effects = pool.take_effects();
    effects.dropped.iter().map(|(tx, reason)| (tx.hash(), *reason)).collect()
}

#[test]
fn a_full_pool_evicts_the_cheapest_for_a_better_one() {
    let mut pool = pool_with(|config| config.max_txs = 3);
    for (sender, tip) in [(0, 5), (1, 3), (2, 4)] {
        insert(&mut pool, tx(sender, 0).tip(tip)).unwrap();
    }
    let error = insert(&mut pool, tx(3, 0).tip(3)).unwrap_err();
    assert_eq!(error.to_string(), "transaction underpriced");
    assert_eq!(error.kind(), ErrorKind::Underpriced);
    assert!(dropped(&mut pool).is_empty());
    insert(&mut pool, tx(3, 0).tip(4)).unwrap();
    assert_eq!(dropped(&mut pool), [(tx(1, 0).tip(3).hash(), DropReason::Evicted)]);
    // Of two that pay the same, the later one goes.
    insert(&mut pool, tx(4, 0).tip(9)).unwrap();
    assert_eq!(dropped(&mut pool), [(tx(3, 0).tip(4).hash(), DropReason::Evicted)]);
    pool.check();
}

#[test]
fn effective_tips_count_not_nominal_ones() {
    let mut pool = pool_with(|config| config.max_txs = 2);
    insert(&mut pool, tx(0, 0).cap(12).tip(12)).unwrap();
    insert(&mut pool, tx(1, 0).cap(100).tip(3)).unwrap();
    insert(&mut pool, tx(2, 0).cap(100).tip(4)).unwrap();
    assert_eq!(dropped(&mut pool)[0].0, tx(0, 0).cap(12).tip(12).hash());
    // At another base fee the order is another one.
    pool.on_block(with_base_fee(97), Timestamp(0));
    insert(&mut pool, tx(3, 0).cap(200).tip(5)).unwrap();
    assert_eq!(dropped(&mut pool)[0].0, tx(2, 0).cap(100).tip(4).hash());
    pool.check();
}

#[test]
fn queued_transactions_go_before_executable_ones() {
    let mut pool = pool_with(|config| config.max_txs = 2);
    insert(&mut pool, tx(0, 7).tip(50)).unwrap();
    insert(&mut pool, tx(1, 0).tip(1)).unwrap();
    insert(&mut pool, tx(2, 0).tip(2)).unwrap();
    assert_eq!(dropped(&mut pool), [(tx(0, 7).tip(50).hash(), DropReason::Evicted)]);
    let error = insert(&mut pool, tx(3, 7).tip(90)).unwrap_err();
    assert_eq!(error.to_string(), "future transaction tries to replace pending");
    let error = insert(&mut pool, tx(3, 7).tip(1)).unwrap_err();
    assert_eq!(error.to_string(), "transaction underpriced");
    pool.check();
}

#[test]
fn local_transactions_are_never_evicted() {
    let mut pool = pool_with(|config| config.max_txs = 2);
    insert(&mut pool, tx(0, 0).tip(1).local()).unwrap();
    insert(&mut pool, tx(1, 0).tip(9)).unwrap();
    // A local one pushes a better remote one out, and nothing pushes a local one.
    insert(&mut pool, tx(2, 0).tip(1).local()).unwrap();
    assert_eq!(dropped(&mut pool)[0].0, tx(1, 0).tip(9).hash());
    for origin in [tx(3, 0).tip(90), tx(3, 0).tip(90).local()] {
        let error = insert(&mut pool, origin).unwrap_err();
        assert_eq!(error.to_string(), "txpool is full");
        assert_eq!(error.kind(), ErrorKind::Temporary);
    }
    pool.check();
}

#[test]
fn a_transaction_does_not_evict_what_it_follows() {
    let mut pool = pool_with(|config| config.max_txs = 2);
    insert(&mut pool, tx(0, 0).tip(1)).unwrap();
    insert(&mut pool, tx(1, 0).tip(5)).unwrap();
    let error = insert(&mut pool, tx(0, 1).tip(9)).unwrap_err();
    assert_eq!(error.to_string(), "transaction underpriced");
    assert_eq!(pool.status().pending, 2);
    pool.check();
}

#[test]
fn what_the_builder_holds_is_not_evicted() {
    let mut pool = pool_with(|config| config.max_txs = 2);
    insert(&mut pool, tx(0, 0).tip(1)).unwrap();
    insert(&mut pool, tx(0, 1).tip(1)).unwrap();
    assert_eq!(take(&mut pool, 1), [tx(0, 0).tip(1).hash()]);
    insert(&mut pool, tx(1, 0).tip(2)).unwrap();
    assert_eq!(dropped(&mut pool)[0].0, tx(0, 1).tip(1).hash());
    pool.check();
}

#[test]
fn bytes_are_limited_as_well() {
    let one = tx(0, 0).build().encoded().len();
    let mut pool = pool_with(|config| config.max_bytes = 2 * one);
    insert(&mut pool, tx(0, 0)).unwrap();
    insert(&mut pool, tx(1, 0)).unwrap();
    assert_eq!(pool.status().bytes, 2 * one);
    let error = insert(&mut pool, tx(2, 0)).unwrap_err();
    assert_eq!(error.to_string(), "transaction underpriced");
    insert(&mut pool, tx(2, 0).tip(6)).unwrap();
    assert_eq!(pool.status().pending, 2);
    pool.check();
}

#[test]
fn a_refused_transaction_evicts_nothing_even_if_it_would_need_several_places() {
    let one = tx(0, 0).build().encoded().len();
    let mut pool = pool_with(|config| config.max_bytes = 3 * one);
    for (sender, tip) in [(0, 1), (1, 2), (2, 90)] {
        insert(&mut pool, tx(sender, 0).tip(tip)).unwrap();
    }
    let big = tx(3, 0).tip(5).gas(100_000).input(vec![1; 2 * one]);
    assert!(insert(&mut pool, big).is_err());
    assert!(dropped(&mut pool).is_empty());
    // The candidates are still there for one that needs less.
    insert(&mut pool, tx(4, 0).tip(5)).unwrap();
    assert_eq!(dropped(&mut pool)[0].0, tx(0, 0).tip(1).hash());
    pool.check();
}

#[test]
fn executable_transactions_of_one_sender_are_limited() {
    let mut pool = pool_with(|config| config.sender_slots = 2);
    insert(&mut pool, tx(0, 0)).unwrap();
    insert(&mut pool, tx(0, 1)).unwrap();
    let error = insert(&mut pool, tx(0, 2)).unwrap_err();
    assert_eq!(error.to_string(), "account limit exceeded: pooled 2 txs");
    insert(&mut pool, tx(1, 0)).unwrap();
    let handed = take(&mut pool, 1);
    pool.executed(&handed[0], &account(1, RICH));
    insert(&mut pool, tx(0, 2)).unwrap();
    pool.check();
}

#[test]
fn filling_a_gap_does_not_lift_the_limit_of_the_sender() {
    let mut pool = pool_with(|config| config.sender_slots = 2);
    for nonce in [3, 2, 1, 0] {
        insert(&mut pool, tx(0, nonce)).unwrap();
    }
    assert_eq!((pool.status().pending, pool.status().queued), (2, 2));
    let handed = take(&mut pool, 9);
    assert_eq!(handed.len(), 2);
    pool.executed(&handed[0], &account(1, RICH));
    assert_eq!((pool.status().pending, pool.status().queued), (2, 1));
    pool.check();
}

#[test]
fn queued_transactions_of_one_sender_are_limited_but_a_lower_nonce_finds_room() {
    let mut pool = pool_with(|config| config.sender_queued = 2);
    insert(&mut pool, tx(0, 5)).unwrap();
    insert(&mut pool, tx(0, 7)).unwrap();
    let error = insert(&mut pool, tx(0, 8)).unwrap_err();
    assert_eq!(error.to_string(), "account limit exceeded: pooled 2 txs");
    insert(&mut pool, tx(0, 6)).unwrap();
    assert_eq!(dropped(&mut pool), [(tx(0, 7).hash(), DropReason::Evicted)]);
    pool.check();
}

#[test]
fn queued_transactions_of_all_are_limited() {
    let mut pool = pool_with(|config| config.max_queued = 2);
    insert(&mut pool, tx(0, 1).tip(3)).unwrap();
    insert(&mut pool, tx(1, 1).tip(2)).unwrap();
    let error = insert(&mut pool, tx(2, 1).tip(2)).unwrap_err();
    assert_eq!(error.to_string(), "transaction underpriced");
    insert(&mut pool, tx(2, 1).tip(4)).unwrap();
    assert_eq!(dropped(&mut pool)[0].0, tx(1, 1).tip(2).hash());
    // Demotion keeps to the limit too: the run of sender 3 is cut at its head.
    for nonce in 0..4 {
        insert(&mut pool, tx(3, nonce).tip(1)).unwrap();
    }
    let handed = take(&mut pool, 1);
    pool.unexecutable(&handed[0], crate::Unexecutable::Invalid);
    assert_eq!((pool.status().pending, pool.status().queued), (0, 2));
    pool.check();
}

#[test]
fn demoted_local_transactions_stay_beyond_the_limit_and_admit_no_others() {
    let mut pool = pool_with(|config| config.max_queued = 2);
    for nonce in 0..4 {
        insert(&mut pool, tx(0, nonce).local()).unwrap();
    }
    insert(&mut pool, tx(1, 1)).unwrap();
    pool.on_state_change([(address(0), account(0, 0))]);
    assert_eq!(dropped(&mut pool), [(tx(1, 1).hash(), DropReason::Evicted)]);
    assert_eq!(pool.status().queued, 4);
    for refused in [tx(2, 1).tip(50), tx(2, 1).tip(50).local()] {
        assert_eq!(insert(&mut pool, refused).unwrap_err().to_string(), "txpool is full");
    }
    insert(&mut pool, tx(2, 0)).unwrap();
    pool.check();
}

#[test]
fn a_demoted_transaction_is_found_when_the_queue_is_full() {
    let mut pool = pool_with(|config| (config.max_txs, config.max_queued) = (4, 2));
    for nonce in 0..3 {
        insert(&mut pool, tx(0, nonce).tip(2)).unwrap();
    }
    insert(&mut pool, tx(1, 0).tip(1)).unwrap();
    // The pool is full: the heaps exist from here on.
    insert(&mut pool, tx(2, 0).tip(3)).unwrap();
    pool.on_state_change([(address(0), account(0, 21_000 * 100))]);
    insert(&mut pool, tx(3, 1).tip(9)).unwrap();
    assert_eq!((pool.status().pending, pool.status().queued), (2, 2));
    pool.check();
}

#[test]
fn queued_transactions_expire_when_their_sender_makes_no_progress() {
    let lifetime = PoolConfig::default().queued_lifetime_ms;
    let mut pool = pool();
    insert(&mut pool, tx(0, 3).received(1_000)).unwrap();
    insert(&mut pool, tx(1, 0).received(1_000)).unwrap();
    insert(&mut pool, tx(1, 3).received(1_000)).unwrap();
    pool.expire(Timestamp(1_000 + lifetime));
    assert_eq!(pool.status().queued, 2);
    pool.expire(Timestamp(1_001 + lifetime));
    assert_eq!((pool.status().pending, pool.status().queued), (1, 0));
    assert!(dropped(&mut pool).iter().all(|(_, reason)| *reason == DropReason::Expired));
    // A later arrival of the sender is progress, if it can execute.
    let late = 1_000 + 2 * lifetime;
    insert(&mut pool, tx(1, 3).received(late)).unwrap();
    insert(&mut pool, tx(1, 1).received(late + 1)).unwrap();
    pool.expire(Timestamp(late + lifetime + 1));
    assert_eq!(pool.status().queued, 1);
    pool.check();
}

#[test]
fn senders_without_transactions_are_forgotten_beyond_the_limit() {
    let mut pool = pool_with(|config| config.idle_senders = 2);
    for sender in 0..5 {
        pool.register(address(sender), Timestamp(0));
        pool.check();
    }
    assert_eq!(pool.status().senders, 2);
    insert(&mut pool, tx(9, 0)).unwrap();
    for sender in 0..5 {
        pool.register(address(sender), Timestamp(0));
    }
    assert!(!pool.needs_view(address(9)));
    pool.check();
}
