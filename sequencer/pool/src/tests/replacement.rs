//! Two transactions of one sender and nonce.

use super::support::*;
use crate::{DropReason, ErrorKind, SubPool};

fn replace(old: (u128, u128), new: (u128, u128)) -> Result<(), String> {
    let mut pool = pool();
    insert(&mut pool, tx(0, 0).cap(old.0).tip(old.1)).unwrap();
    let result = insert(&mut pool, tx(0, 0).cap(new.0).tip(new.1));
    pool.check();
    result.map(|_| ()).map_err(|error| {
        assert_eq!(error.kind(), ErrorKind::Underpriced);
        error.to_string()
    })
}

#[test]
fn both_caps_must_rise_by_a_tenth() {
    let refused = Err("replacement transaction underpriced".to_owned());
    assert_eq!(replace((100, 50), (110, 55)), Ok(()));
    assert_eq!(replace((100, 50), (109, 55)), refused);
    assert_eq!(replace((100, 50), (110, 54)), refused);
    // Rounded down as geth does, but always above the old price.
    assert_eq!(replace((15, 9), (16, 10)), Ok(()));
    assert_eq!(replace((15, 9), (16, 9)), refused);
    assert_eq!(replace((15, 0), (17, 0)), refused);
}

#[test]
fn prices_near_the_end_of_the_range_do_not_overflow() {
    let refused = Err("replacement transaction underpriced".to_owned());
    let mut pool = pool();
    let rich = cairn_primitives::Account { balance: alloy_primitives::U256::MAX, ..account(0, 0) };
    let high = u128::MAX / 2;
    insert_as(&mut pool, tx(0, 0).cap(high).tip(high).build(), rich).unwrap();
    let slightly = tx(0, 0).cap(high + 1).tip(high + 1).build();
    let result = insert_as(&mut pool, slightly, rich).map_err(|error| error.to_string());
    assert_eq!(result.map(|_| ()), refused);
    insert_as(&mut pool, tx(0, 0).cap(u128::MAX).tip(u128::MAX).build(), rich).unwrap();
    pool.check();
}

#[test]
fn the_replaced_transaction_is_gone_and_the_new_one_announced() {
    let mut pool = pool();
    for nonce in 0..3 {
        insert(&mut pool, tx(0, nonce)).unwrap();
    }
    pool.take_effects();
    let outcome = insert(&mut pool, tx(0, 1).cap(200).tip(10)).unwrap();
    assert_eq!(outcome.replaced, Some(tx(0, 1).hash()));
    assert_eq!(outcome.sub_pool, SubPool::Pending);
    assert!(!pool.is_known(&tx(0, 1).hash()));
    let effects = pool.take_effects();
    assert_eq!(effects.promoted.len(), 1);
    assert_eq!(effects.promoted[0].hash(), tx(0, 1).cap(200).tip(10).hash());
    assert_eq!(effects.dropped[0].1, DropReason::Replaced);
    assert_eq!(pool.status().pending, 3);
    pool.check();
}

#[test]
fn a_dearer_replacement_that_the_balance_does_not_reach_is_refused() {
    let mut pool = pool();
    let funds = account(0, 2 * 21_000 * 100);
    insert_as(&mut pool, tx(0, 0).build(), funds).unwrap();
    insert_as(&mut pool, tx(0, 1).build(), funds).unwrap();
    let dearer = || tx(0, 0).cap(120).tip(6);
    let error = insert_as(&mut pool, dearer().build(), funds).unwrap_err();
    let text = "insufficient funds for gas * price + value: balance 4200000, \
                queued cost 4200000, tx bumped 420000, overshot 420000";
    assert_eq!((error.code(), error.to_string().as_str()), (-32000, text));
    assert_eq!(pool.status().pending, 2);
    pool.on_state_change([(address(0), account(0, 4_620_000))]);
    insert_as(&mut pool, dearer().build(), funds).unwrap();
    assert_eq!(pool.status().pending, 2);
    pool.check();
}

#[test]
fn queued_transactions_are_replaced_by_the_same_rule() {
    let mut pool = pool();
    insert(&mut pool, tx(0, 5)).unwrap();
    assert!(insert(&mut pool, tx(0, 5).cap(101)).is_err());
    let outcome = insert(&mut pool, tx(0, 5).cap(110).tip(6)).unwrap();
    assert_eq!(outcome.sub_pool, SubPool::Queued);
    pool.check();
}

#[test]
fn what_is_executed_or_being_executed_cannot_be_replaced() {
    let mut pool = pool();
    insert(&mut pool, tx(0, 0)).unwrap();
    let handed = take(&mut pool, 1);
    let bumped = || tx(0, 0).cap(300).tip(30);
    let text = "nonce too low: next nonce 1, tx nonce 0";
    assert_eq!(insert(&mut pool, bumped()).unwrap_err().to_string(), text);
    pool.executed(&handed[0], &account(1, RICH));
    assert_eq!(insert(&mut pool, bumped()).unwrap_err().to_string(), text);
    pool.check();
}

#[test]
fn blob_transactions_need_twice_the_price() {
    let rules = crate::BlockConditions { max_blobs: 6, ..conditions() };
    let mut pool = crate::Pool::new(crate::PoolConfig::default(), rules);
    let funds = account(0, RICH);
    insert_as(&mut pool, blob_tx(0, 0, 100, 10), funds).unwrap();
    for (fee, blob_fee) in [(199, 20), (200, 19)] {
        assert!(insert_as(&mut pool, blob_tx(0, 0, fee, blob_fee), funds).is_err());
    }
    insert_as(&mut pool, blob_tx(0, 0, 200, 20), funds).unwrap();
    pool.check();
}
