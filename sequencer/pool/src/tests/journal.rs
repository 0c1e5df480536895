//! Records and the outbox.

use std::num::NonZeroUsize;

use proptest::prelude::*;

use super::support::*;
use crate::{JournalError, JournalOp, JournalRecord, Pool, PoolError, Timestamp, Unexecutable};

fn journaling(capacity: usize) -> Pool {
    pool_with(|config| config.journal_capacity = NonZeroUsize::new(capacity))
}

fn key(op: &JournalOp) -> (bool, alloy_primitives::B256) {
    match op {
        JournalOp::Put { hash, .. } => (true, *hash),
        JournalOp::Delete { hash } => (false, *hash),
    }
}

fn drained(pool: &mut Pool) -> Vec<(bool, alloy_primitives::B256)> {
    let mut keys: Vec<_> = pool.drain_journal().iter().map(key).collect();
    keys.sort();
    keys
}

#[test]
fn local_transactions_are_put_and_remote_ones_are_not() {
    let mut pool = journaling(10);
    insert(&mut pool, tx(0, 0).local().received(5)).unwrap();
    insert(&mut pool, tx(1, 0)).unwrap();
    let ops = pool.drain_journal();
    let [JournalOp::Put { hash, record }] = ops.as_slice() else { panic!("{ops:?}") };
    let local = tx(0, 0).local();
    assert_eq!(*hash, local.hash());
    assert_eq!((record.received, &record.encoded), (Timestamp(5), local.build().encoded()));
    assert!(pool.drain_journal().is_empty());
}

#[test]
fn what_comes_and_goes_between_two_drains_leaves_no_trace() {
    let mut pool = journaling(10);
    insert(&mut pool, tx(0, 0).local()).unwrap();
    pool.executed(&tx(0, 0).hash(), &account(1, RICH));
    assert!(drained(&mut pool).is_empty());
}

#[test]
fn what_leaves_after_it_was_drained_is_deleted() {
    let mut pool = journaling(10);
    for (sender, nonce) in [(0, 0), (1, 0), (2, 0)] {
        insert(&mut pool, tx(sender, nonce).local()).unwrap();
    }
    assert_eq!(drained(&mut pool).len(), 3);
    pool.executed(&tx(0, 0).hash(), &account(1, RICH));
    pool.unexecutable(&tx(1, 0).hash(), Unexecutable::Invalid);
    insert(&mut pool, tx(2, 0).cap(200).tip(9).local()).unwrap();
    let mut expected = vec![
        (false, tx(0, 0).hash()),
        (false, tx(1, 0).hash()),
        (false, tx(2, 0).hash()),
        (true, tx(2, 0).cap(200).tip(9).hash()),
    ];
    expected.sort();
    assert_eq!(drained(&mut pool), expected);
}

#[test]
fn what_comes_back_is_put_again_and_deleted_again() {
    let (mut pool, state) = (journaling(10), State::default());
    state.set(address(0), account(0, RICH));
    insert(&mut pool, tx(0, 0).local()).unwrap();
    drained(&mut pool);
    pool.executed(&tx(0, 0).hash(), &account(1, RICH));
    pool.abandon_from(u64::MAX, &state).unwrap();
    assert_eq!(drained(&mut pool), [(true, tx(0, 0).hash())]);
    pool.executed(&tx(0, 0).hash(), &account(1, RICH));
    pool.abandon_from(u64::MAX, &state).unwrap();
    pool.executed(&tx(0, 0).hash(), &account(1, RICH));
    assert_eq!(drained(&mut pool), [(false, tx(0, 0).hash())]);
}

#[test]
fn a_full_outbox_refuses_local_transactions_as_busy() {
    let mut pool = journaling(2);
    insert(&mut pool, tx(0, 0).local()).unwrap();
    insert(&mut pool, tx(1, 0).local()).unwrap();
    assert!(matches!(insert(&mut pool, tx(2, 0).local()), Err(PoolError::Busy)));
    insert(&mut pool, tx(2, 0)).unwrap();
    assert_eq!(drained(&mut pool).len(), 2);
    insert(&mut pool, tx(3, 0).local()).unwrap();
}

#[test]
fn without_journal_nothing_waits() {
    let mut pool = pool();
    insert(&mut pool, tx(0, 0).local()).unwrap();
    pool.executed(&tx(0, 0).hash(), &account(1, RICH));
    assert!(pool.drain_journal().is_empty());
}

#[test]
fn records_of_wrong_shape_are_refused_with_the_reason() {
    let record = JournalRecord { received: Timestamp(258), encoded: vec![9; 4].into() };
    let bytes = record.encode();
    assert_eq!(bytes, [1, 0, 0, 0, 0, 0, 0, 1, 2, 9, 9, 9, 9]);
    assert_eq!(JournalRecord::decode(&bytes, 4), Ok(record));
    let long = JournalError::Long { size: 13, limit: 12 };
    assert_eq!(JournalRecord::decode(&bytes, 3), Err(long));
    assert_eq!(JournalRecord::decode(&bytes[..9], 4), Err(JournalError::Short(9)));
    assert_eq!(JournalRecord::decode(&[], 4), Err(JournalError::Short(0)));
    let other = [&[2], &bytes[1..]].concat();
    assert_eq!(JournalRecord::decode(&other, 4), Err(JournalError::Version(2)));
}

proptest! {
    #[test]
    fn records_round_trip(received: u64, encoded in prop::collection::vec(any::<u8>(), 1..200)) {
        let record = JournalRecord { received: Timestamp(received), encoded: encoded.into() };
        prop_assert_eq!(JournalRecord::decode(&record.encode(), 200).unwrap(), record);
    }

    #[test]
    fn any_bytes_decode_to_what_encodes_to_them_or_not_at_all(
        bytes in prop::collection::vec(any::<u8>(), 0..100),
        version in 0u8..3,
    ) {
        let bytes = [vec![version], bytes].concat();
        if let Ok(record) = JournalRecord::decode(&bytes, 64) {
            prop_assert!(record.encoded.len() <= 64);
            prop_assert_eq!(record.encode(), bytes);
        }
    }
}
