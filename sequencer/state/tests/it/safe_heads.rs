//! The safe-head index.

use alloy_eips::BlockNumHash;
use alloy_primitives::B256;
use cairn_state::{Heads, Keep, Options, SafeHeadEntry, StateError, Store};

use crate::chain::{Chain, identity, options};

fn l1(number: u64) -> BlockNumHash {
    (number, B256::with_last_byte(number as u8)).into()
}

/// A committed chain of `blocks` blocks; L1 block `100 + 2n` makes block `n` safe.
fn indexed(dir: &std::path::Path, blocks: u64) -> Chain {
    let mut chain = Chain::create(dir, 3, 10);
    for _ in 0..blocks {
        chain.extend();
    }
    chain.commit_all();
    let entries: Vec<_> = (1..=blocks).map(|number| entry(&chain.store, number)).collect();
    let tip = chain.store.tip().unwrap();
    let heads = Heads { latest: tip, safe: tip, ..Heads::default() };
    chain.store.advance_heads(heads, &entries).unwrap();
    chain
}

fn entry(store: &Store, number: u64) -> SafeHeadEntry {
    let hash = store.canonical_hash(number).unwrap().unwrap();
    SafeHeadEntry { l1: l1(100 + 2 * number), safe: (number, hash).into() }
}

fn safe_at(store: &Store, l1: u64) -> Option<u64> {
    store.safe_head_at_l1(l1).unwrap().map(|entry| entry.safe.number)
}

#[test]
fn a_look_up_gives_the_newest_entry_that_is_not_above_it() {
    let dir = tempfile::tempdir().unwrap();
    let chain = indexed(dir.path(), 4);
    let found: Vec<_> = (100..110).map(|l1| safe_at(&chain.store, l1)).collect();
    let expected =
        [None, None, Some(1), Some(1), Some(2), Some(2), Some(3), Some(3), Some(4), Some(4)];
    assert_eq!(found, expected);
    let chain = chain.reopen();
    assert_eq!(chain.store.safe_head_at_l1(105).unwrap(), Some(entry(&chain.store, 2)));
    assert_eq!(chain.store.heads().unwrap().safe.number, 4);
}

#[test]
fn an_entry_for_a_block_that_is_not_canonical_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let chain = indexed(dir.path(), 2);
    for (number, hash) in [(2, B256::ZERO), (3, B256::ZERO)] {
        let wrong = SafeHeadEntry { l1: l1(200), safe: (number, hash).into() };
        let both = [SafeHeadEntry { l1: l1(199), ..entry(&chain.store, 2) }, wrong];
        let refused = chain.store.advance_heads(Heads::default(), &both).unwrap_err();
        assert!(matches!(refused, StateError::NotCanonical { .. }), "{refused}");
    }
    assert_eq!(chain.store.safe_head_at_l1(u64::MAX).unwrap(), Some(entry(&chain.store, 2)));
    assert_eq!(chain.store.heads().unwrap().safe.number, 2, "nothing was written");
}

#[test]
fn a_reset_forgets_what_followed_from_later_l1_blocks() {
    let dir = tempfile::tempdir().unwrap();
    let chain = indexed(dir.path(), 5);
    let latest = chain.store.tip().unwrap();
    let safe = entry(&chain.store, 2).safe;
    chain.store.reset_heads(Heads { latest, safe, ..Heads::default() }, 105).unwrap();
    let chain = chain.reopen();
    assert_eq!(chain.store.safe_head_at_l1(u64::MAX).unwrap(), Some(entry(&chain.store, 2)));
    assert_eq!(chain.store.heads().unwrap().safe, safe);
    chain.store.reset_heads(Heads::default(), 0).unwrap();
    assert_eq!(safe_at(&chain.store, u64::MAX), None);
}

#[test]
fn an_unwind_takes_the_entries_of_the_blocks_that_it_removes() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = indexed(dir.path(), 6);
    chain.unwind(3);
    let chain = chain.reopen();
    assert_eq!(chain.store.safe_head_at_l1(u64::MAX).unwrap(), Some(entry(&chain.store, 3)));
}

#[test]
fn pruning_leaves_the_newest_entry_below_the_floor() {
    let dir = tempfile::tempdir().unwrap();
    drop(indexed(dir.path(), 8));
    let keep = Options { state_history: Keep::Last(3), block_data: Keep::Last(3), ..options() };
    let store = Store::open(dir.path(), keep, &identity()).unwrap();
    while store.prune(2).unwrap().remaining > 0 {}
    assert_eq!(store.first_block_with_body(), 5);
    assert_eq!(safe_at(&store, 107), None);
    assert_eq!(safe_at(&store, 108), Some(4));
    assert_eq!(safe_at(&store, 116), Some(8));
}
