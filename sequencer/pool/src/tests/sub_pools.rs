//! Where transactions are, and what moves them.

use super::support::*;
use crate::{BlockConditions, Pool, SubPool, Timestamp, TxStatus};

fn where_is(pool: &Pool, tx: &Tx) -> Option<SubPool> {
    match pool.tx_status(&tx.hash()) {
        Some(TxStatus::Pooled(sub_pool)) => Some(sub_pool),
        _ => None,
    }
}

#[test]
fn a_gap_queues_until_it_is_filled() {
    let mut pool = pool();
    assert_eq!(insert(&mut pool, tx(0, 0)).unwrap().sub_pool, SubPool::Pending);
    assert_eq!(insert(&mut pool, tx(0, 2)).unwrap().sub_pool, SubPool::Queued);
    assert_eq!(pool.pending_nonce(address(0)), Some(1));
    assert_eq!(pool.take_effects().promoted.len(), 1);
    insert(&mut pool, tx(0, 1)).unwrap();
    assert_eq!(where_is(&pool, &tx(0, 2)), Some(SubPool::Pending));
    assert_eq!(pool.pending_nonce(address(0)), Some(3));
    let promoted: Vec<u64> = pool.take_effects().promoted.iter().map(|tx| tx.nonce()).collect();
    assert_eq!(promoted, [1, 2]);
    pool.check();
}

#[test]
fn what_the_balance_does_not_reach_is_queued_and_comes_with_funds() {
    let mut pool = pool();
    let cost = 21_000 * 100;
    for nonce in 0..3 {
        insert_as(&mut pool, tx(0, nonce).build(), account(0, 3 * cost)).unwrap();
    }
    pool.on_state_change([(address(0), account(0, 2 * cost))]);
    assert_eq!(where_is(&pool, &tx(0, 1)), Some(SubPool::Pending));
    assert_eq!(where_is(&pool, &tx(0, 2)), Some(SubPool::Queued));
    pool.on_state_change([(address(0), account(0, 3 * cost))]);
    assert_eq!(where_is(&pool, &tx(0, 2)), Some(SubPool::Pending));
    pool.on_state_change([(address(0), account(0, cost - 1))]);
    assert_eq!(where_is(&pool, &tx(0, 0)), Some(SubPool::Queued));
    assert_eq!(pool.status().queued, 3);
    pool.check();
}

#[test]
fn the_base_fee_parks_a_transaction_and_those_after_it() {
    let mut pool = pool();
    insert(&mut pool, tx(0, 0).cap(50)).unwrap();
    insert(&mut pool, tx(0, 1).cap(9)).unwrap();
    insert(&mut pool, tx(0, 2).cap(50)).unwrap();
    let places = |pool: &Pool| {
        let status = pool.status();
        (status.pending, status.base_fee, status.queued)
    };
    assert_eq!(places(&pool), (1, 2, 0));
    pool.on_block(with_base_fee(9), Timestamp(0));
    assert_eq!(places(&pool), (3, 0, 0));
    pool.check();
    pool.on_block(with_base_fee(51), Timestamp(0));
    assert_eq!(places(&pool), (0, 3, 0));
    pool.check();
    // geth counts what waits for the base fee as pending.
    assert_eq!(pool.pending_nonce(address(0)), Some(3));
    assert_eq!(pool.content_from(address(0)).pending.len(), 3);
}

#[test]
fn a_blob_fee_below_the_blob_base_fee_parks_like_the_base_fee() {
    let rules = BlockConditions { max_blobs: 6, blob_base_fee: 5, ..conditions() };
    let mut pool = Pool::new(crate::PoolConfig::default(), rules);
    insert_as(&mut pool, blob_tx(0, 0, 100, 4), account(0, RICH)).unwrap();
    assert_eq!(pool.status().base_fee, 1);
    pool.on_block(BlockConditions { blob_base_fee: 4, ..rules }, Timestamp(0));
    assert_eq!(pool.status().pending, 1);
    pool.on_block(rules, Timestamp(0));
    assert_eq!(pool.status().base_fee, 1);
    pool.check();
}

#[test]
fn nonces_used_elsewhere_drop_transactions() {
    let mut pool = pool();
    for nonce in 0..4 {
        insert(&mut pool, tx(0, nonce)).unwrap();
    }
    pool.on_state_change([(address(0), account(3, RICH)), (address(9), account(1, 0))]);
    assert_eq!(pool.status().pending, 1);
    assert_eq!(where_is(&pool, &tx(0, 3)), Some(SubPool::Pending));
    let dropped = pool.take_effects().dropped;
    assert!(dropped.iter().all(|(_, reason)| *reason == crate::DropReason::NonceUsed));
    assert_eq!(dropped.len(), 3);
    pool.check();
}

#[test]
fn a_nonce_that_falls_leaves_a_gap() {
    let mut pool = pool();
    insert_as(&mut pool, tx(0, 5).build(), account(5, RICH)).unwrap();
    pool.on_state_change([(address(0), account(3, RICH))]);
    assert_eq!(where_is(&pool, &tx(0, 5)), Some(SubPool::Queued));
    pool.on_state_change([(address(0), account(5, RICH))]);
    assert_eq!(where_is(&pool, &tx(0, 5)), Some(SubPool::Pending));
    pool.check();
}

#[test]
fn queries_show_every_transaction_once_and_in_nonce_order() {
    let mut pool = pool();
    for (sender, nonce) in [(0, 0), (0, 2), (1, 0), (1, 1), (0, 4)] {
        insert(&mut pool, tx(sender, nonce)).unwrap();
    }
    let content = pool.content();
    let nonces = |txs: &[std::sync::Arc<crate::PoolTransaction>]| -> Vec<u64> {
        txs.iter().map(|tx| tx.nonce()).collect()
    };
    assert_eq!(nonces(&content[&address(0)].pending), [0]);
    assert_eq!(nonces(&content[&address(0)].queued), [2, 4]);
    assert_eq!(nonces(&content[&address(1)].pending), [0, 1]);
    assert_eq!(pool.pending_hashes().len(), 3);
    let found = pool.get_by_nonce(address(0), 4).unwrap();
    assert_eq!(pool.get(&found.hash()).unwrap().hash(), tx(0, 4).hash());
    assert!(pool.get_by_nonce(address(0), 3).is_none());
    assert!(pool.content_from(address(7)).pending.is_empty());
    assert_eq!(pool.pending_nonce(address(7)), None);
}
