//! Handing out and reporting back.

use alloy_primitives::U256;

use super::support::*;
use crate::{DropReason, SubPool, Timestamp, TxStatus, Unexecutable};

#[test]
fn the_best_tip_comes_first_and_equal_tips_in_order_of_arrival() {
    let mut pool = pool();
    insert(&mut pool, tx(0, 0).tip(3)).unwrap();
    insert(&mut pool, tx(1, 0).tip(9)).unwrap();
    insert(&mut pool, tx(2, 0).tip(3)).unwrap();
    insert(&mut pool, tx(1, 1).tip(4)).unwrap();
    insert(&mut pool, tx(3, 0).cap(11).tip(11)).unwrap();
    let expected = [
        tx(1, 0).tip(9),
        tx(1, 1).tip(4),
        tx(0, 0).tip(3),
        tx(2, 0).tip(3),
        tx(3, 0).cap(11).tip(11),
    ];
    assert_eq!(take(&mut pool, 9), expected.map(|tx| tx.hash()));
    pool.check();
}

#[test]
fn a_rich_transaction_waits_for_the_poor_one_before_it() {
    let mut pool = pool();
    insert(&mut pool, tx(0, 0).tip(1)).unwrap();
    insert(&mut pool, tx(0, 1).tip(90)).unwrap();
    insert(&mut pool, tx(1, 0).tip(2)).unwrap();
    let expected = [tx(1, 0).tip(2), tx(0, 0).tip(1), tx(0, 1).tip(90)];
    assert_eq!(take(&mut pool, 9), expected.map(|tx| tx.hash()));
}

#[test]
fn nothing_is_handed_out_twice() {
    let mut pool = pool();
    for nonce in 0..5 {
        insert(&mut pool, tx(0, nonce)).unwrap();
    }
    assert_eq!(take(&mut pool, 2).len(), 2);
    assert_eq!(take(&mut pool, 2).len(), 2);
    assert_eq!(take(&mut pool, 2).len(), 1);
    assert!(take(&mut pool, 2).is_empty());
    pool.take_back_all();
    assert_eq!(take(&mut pool, 9).len(), 5);
    pool.check();
}

#[test]
fn executed_transactions_stay_known_until_their_block_is_persisted() {
    let mut pool = pool();
    insert(&mut pool, tx(0, 0)).unwrap();
    let handed = take(&mut pool, 1);
    pool.executed(&handed[0], &account(1, RICH));
    assert_eq!(pool.tx_status(&handed[0]), Some(TxStatus::Included));
    assert!(pool.get(&handed[0]).is_none());
    assert_eq!(insert(&mut pool, tx(0, 0)).unwrap_err().to_string(), "already known");
    let text = "nonce too low: next nonce 1, tx nonce 0";
    pool.block_sealed(7);
    assert_eq!(insert(&mut pool, tx(0, 0)).unwrap_err().to_string(), text);
    assert_eq!(pool.tx_status(&handed[0]), Some(TxStatus::Included));
    drop(pool.block_persisted(6));
    assert!(pool.is_known(&handed[0]));
    drop(pool.block_persisted(7));
    assert!(!pool.is_known(&handed[0]));
    assert_eq!(insert(&mut pool, tx(0, 0)).unwrap_err().to_string(), text);
    assert_eq!(pool.pending_nonce(address(0)), Some(1));
    pool.check();
}

#[test]
fn an_invalid_transaction_leaves_and_queues_those_after_it() {
    let mut pool = pool();
    for nonce in 0..3 {
        insert(&mut pool, tx(0, nonce)).unwrap();
    }
    let handed = take(&mut pool, 3);
    pool.executed(&handed[0], &account(1, RICH));
    pool.unexecutable(&handed[1], Unexecutable::Invalid);
    pool.unexecutable(&handed[2], Unexecutable::NonceTooHigh);
    assert_eq!(pool.take_effects().dropped[0].1, DropReason::Invalid);
    assert_eq!(pool.tx_status(&handed[2]), Some(TxStatus::Pooled(SubPool::Queued)));
    assert!(take(&mut pool, 9).is_empty());
    insert(&mut pool, tx(0, 1).tip(6)).unwrap();
    assert_eq!(take(&mut pool, 9).len(), 2);
    pool.check();
}

#[test]
fn what_does_not_fit_waits_for_the_next_block_with_its_sender() {
    let mut pool = pool();
    insert(&mut pool, tx(0, 0).tip(9)).unwrap();
    insert(&mut pool, tx(0, 1).tip(9)).unwrap();
    insert(&mut pool, tx(1, 0)).unwrap();
    let handed = take(&mut pool, 2);
    pool.unexecutable(&handed[0], Unexecutable::NotInThisBlock);
    pool.unexecutable(&handed[1], Unexecutable::NonceTooHigh);
    assert_eq!(take(&mut pool, 9), [tx(1, 0).hash()]);
    insert(&mut pool, tx(0, 2).tip(90)).unwrap();
    assert!(take(&mut pool, 9).is_empty());
    pool.on_block(conditions(), Timestamp(1));
    assert_eq!(take(&mut pool, 9).len(), 3);
    pool.check();
}

#[test]
fn a_stale_nonce_is_dropped_and_the_account_corrected() {
    let mut pool = pool();
    for nonce in 0..3 {
        insert(&mut pool, tx(0, nonce)).unwrap();
    }
    let handed = take(&mut pool, 1);
    pool.unexecutable(&handed[0], Unexecutable::NonceTooLow { next: 2 });
    assert_eq!(take(&mut pool, 9), [tx(0, 2).hash()]);
    assert_eq!(pool.pending_nonce(address(0)), Some(3));
    pool.check();
}

#[test]
fn missing_funds_queue_the_transaction_until_they_come() {
    let mut pool = pool();
    insert(&mut pool, tx(0, 0)).unwrap();
    let handed = take(&mut pool, 1);
    let cost = U256::from(21_000 * 100);
    let short = Unexecutable::InsufficientFunds { balance: cost - U256::ONE, cost };
    pool.unexecutable(&handed[0], short);
    assert_eq!(pool.status().queued, 1);
    assert!(take(&mut pool, 1).is_empty());
    pool.on_state_change([(address(0), account(0, 21_000 * 100))]);
    assert_eq!(take(&mut pool, 1), handed);
    pool.check();
}

#[test]
fn a_rollup_fee_that_rose_is_taken_over_from_the_executor() {
    let mut pool = pool();
    let gas = 21_000 * 100;
    insert_as(&mut pool, tx(0, 0).rollup_fee(1).build(), account(0, gas + 5)).unwrap();
    let handed = take(&mut pool, 1);
    let (balance, cost) = (U256::from(gas + 5), U256::from(gas + 9));
    pool.unexecutable(&handed[0], Unexecutable::InsufficientFunds { balance, cost });
    assert_eq!(pool.status().queued, 1);
    pool.on_state_change([(address(0), account(0, gas + 8))]);
    assert_eq!(pool.status().queued, 1);
    pool.on_state_change([(address(0), account(0, gas + 9))]);
    assert_eq!(pool.status().pending, 1);
    pool.check();
}

#[test]
fn a_disagreement_about_funds_does_not_loop_within_a_block() {
    let mut pool = pool();
    insert(&mut pool, tx(0, 0)).unwrap();
    let handed = take(&mut pool, 1);
    let (balance, cost) = (U256::from(RICH), U256::from(1));
    pool.unexecutable(&handed[0], Unexecutable::InsufficientFunds { balance, cost });
    assert!(take(&mut pool, 1).is_empty());
    pool.on_block(conditions(), Timestamp(1));
    assert_eq!(take(&mut pool, 1), handed);
    pool.check();
}

#[test]
fn reports_about_unknown_transactions_change_nothing() {
    let mut pool = pool();
    insert(&mut pool, tx(0, 0)).unwrap();
    let unknown = alloy_primitives::B256::repeat_byte(1);
    pool.executed(&unknown, &account(9, 0));
    pool.unexecutable(&unknown, Unexecutable::Invalid);
    assert_eq!(pool.status().pending, 1);
    pool.check();
}

#[test]
fn an_execution_without_handing_out_is_booked_the_same() {
    let mut pool = pool();
    for nonce in 0..3 {
        insert(&mut pool, tx(0, nonce)).unwrap();
    }
    pool.executed(&tx(0, 0).hash(), &account(1, RICH));
    pool.executed(&tx(0, 1).hash(), &account(2, RICH));
    assert_eq!((pool.status().pending, pool.status().included), (1, 2));
    assert_eq!(take(&mut pool, 9), [tx(0, 2).hash()]);
    pool.check();
}

#[test]
fn the_builder_is_woken_once_for_each_time_it_found_nothing() {
    let mut pool = pool();
    assert!(!pool.take_effects().wake_builder);
    insert(&mut pool, tx(0, 3)).unwrap();
    assert!(!pool.take_effects().wake_builder, "a queued transaction is nothing to take");
    insert(&mut pool, tx(1, 0)).unwrap();
    assert!(pool.take_effects().wake_builder);
    insert(&mut pool, tx(2, 0)).unwrap();
    assert!(!pool.take_effects().wake_builder);
    assert_eq!(take(&mut pool, 9).len(), 2);
    insert(&mut pool, tx(3, 0)).unwrap();
    assert!(!pool.take_effects().wake_builder, "the builder has not yet asked again");
    assert_eq!(take(&mut pool, 9).len(), 1);
    assert!(take(&mut pool, 9).is_empty());
    insert(&mut pool, tx(4, 0)).unwrap();
    assert!(pool.take_effects().wake_builder);
}
