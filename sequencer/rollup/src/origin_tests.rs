use super::*;
use crate::testing::{GENESIS_TIME, config};

fn l1(number: u64, timestamp: u64) -> L1BlockRef {
    let hash = |number| B256::repeat_byte(number as u8);
    L1BlockRef {
        hash: hash(number),
        number,
        parent_hash: hash(number - 1),
        timestamp: GENESIS_TIME + timestamp,
    }
}

/// Parent at that time after genesis, with origin 10.
fn parent(timestamp: u64) -> L2BlockRef {
    L2BlockRef {
        number: 7,
        timestamp: GENESIS_TIME + timestamp,
        l1_origin: l1(10, 0).id(),
        sequence_number: 3,
        ..L2BlockRef::default()
    }
}

fn select(at: u64, view: L1View, confirmations: u64) -> Result<OriginChoice, OriginError> {
    select_origin(&config(), &parent(at), &view, confirmations)
}

fn view(head: u64, next: Option<L1BlockRef>) -> L1View {
    L1View { head, current: Some(l1(10, 0)), next }
}

#[test]
fn next_origin_is_taken_once_the_block_is_not_before_it() {
    let next = l1(11, 12);
    let stays = select(8, view(20, Some(next)), 0).unwrap();
    assert_eq!((stays.origin, stays.sequence_number, stays.deposits_only), (l1(10, 0), 4, false));
    let moves = select(10, view(20, Some(next)), 0).unwrap();
    assert_eq!((moves.origin, moves.sequence_number, moves.deposits_only), (next, 0, false));
}

#[test]
fn next_origin_must_be_deep_enough() {
    let next = Some(l1(11, 12));
    assert_eq!(select(20, view(14, next), 4).unwrap().origin, l1(10, 0));
    assert_eq!(select(20, view(15, next), 4).unwrap().origin, l1(11, 12));
    assert_eq!(select(20, view(u64::MAX, next), u64::MAX).unwrap().origin, l1(11, 12));
}

#[test]
fn a_block_of_another_fork_is_no_next_origin() {
    let next = L1BlockRef { parent_hash: B256::ZERO, ..l1(11, 12) };
    assert_eq!(select(20, view(20, Some(next)), 0).unwrap().origin, l1(10, 0));
}

#[test]
fn beyond_the_drift_only_deposits_and_only_if_the_next_origin_is_ahead() {
    assert!(!select(1798, view(20, Some(l1(11, 5000))), 0).unwrap().deposits_only);
    let choice = select(1800, view(20, Some(l1(11, 5000))), 0).unwrap();
    assert_eq!((choice.origin, choice.deposits_only), (l1(10, 0), true));
    let choice = select(1800, view(20, Some(l1(11, 1802))), 0).unwrap();
    assert_eq!((choice.origin, choice.deposits_only), (l1(11, 1802), false));
    // Even the next origin is too old: it is taken, and its first block holds deposits.
    let choice = select(1900, view(20, Some(l1(11, 50))), 0).unwrap();
    assert_eq!((choice.origin, choice.deposits_only), (l1(11, 50), true));
}

#[test]
fn stale_l1_is_refused() {
    let stale = OriginError::StaleL1 { origin: 10, ahead: 1802, confirmations: 2 };
    assert_eq!(select(1800, view(10, None), 2), Err(stale));
    assert_eq!(select(1800, view(12, Some(l1(11, 5000))), 2), Err(stale));
    assert!(select(1798, view(10, None), 2).is_ok());
}

#[test]
fn unknown_and_reorganised_origins_are_refused() {
    let unknown = L1View { head: 9, current: None, next: None };
    assert_eq!(select(2, unknown, 0), Err(OriginError::Unknown(l1(10, 0).id())));
    let other = L1BlockRef { hash: B256::ZERO, ..l1(10, 0) };
    let reorg = L1View { head: 10, current: Some(other), next: None };
    let expected = l1(10, 0).id();
    assert_eq!(select(2, reorg, 0), Err(OriginError::Reorg { expected, actual: B256::ZERO }));
}
