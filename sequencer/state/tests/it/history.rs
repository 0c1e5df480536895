//! Historical reads, blocks and pruning.

use alloy_eips::Encodable2718;
use alloy_primitives::{B256, U256};
use cairn_primitives::StateReader;
use cairn_state::{Keep, Options, PruneBound, StateError, Store};

use crate::chain::{Chain, assert_view, identity, options};

#[test]
fn blocks_and_their_indices_read_back_as_committed() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::create(dir.path(), 1, 10);
    for _ in 0..8 {
        chain.extend();
    }
    let blocks = chain.open.clone();
    chain.commit(3);
    chain.commit_all();
    let chain = chain.reopen();
    let store = &chain.store;
    for committed in &blocks {
        let (block, number) = (&committed.block, committed.block.number());
        assert_eq!(store.header(number).unwrap().as_ref(), Some(block.header()));
        assert_eq!(store.header_by_hash(block.hash()).unwrap().as_ref(), Some(block.header()));
        assert_eq!(store.canonical_hash(number).unwrap(), Some(block.hash()));
        assert_eq!(store.number_of(block.hash()).unwrap(), Some(number));
        assert_eq!(store.receipts(number).unwrap().as_ref(), Some(&*committed.receipts));
        let read = store.block(number).unwrap().unwrap();
        assert_eq!((read.hash(), read.senders()), (block.hash(), block.senders()));
        assert_eq!(read.block(), block.block());
        for (index, tx) in block.transactions().iter().enumerate() {
            let location = store.transaction_location(tx.trie_hash()).unwrap().unwrap();
            assert_eq!((location.block, location.index as usize), (number, index));
        }
    }
    assert_eq!(store.header(99).unwrap(), None);
    assert_eq!(store.transaction_location(B256::ZERO).unwrap(), None);
}

#[test]
fn a_view_knows_the_hashes_of_its_ancestors_and_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::create(dir.path(), 2, 5);
    for _ in 0..6 {
        chain.extend();
    }
    let hashes: Vec<_> = chain.open.iter().map(|block| block.block.hash()).collect();
    chain.commit(3);
    let (head, old) = (chain.view(), chain.store.view_at(2).unwrap());
    for (number, hash) in (1u64..).zip(hashes) {
        assert_eq!(head.block_hash(number).unwrap(), hash);
        let expected = if number <= 2 { hash } else { B256::ZERO };
        assert_eq!(old.block_hash(number).unwrap(), expected);
    }
    assert_eq!(head.block_hash(0).unwrap(), chain.store.genesis().unwrap().hash);
    assert_eq!(head.block_hash(7).unwrap(), B256::ZERO);
}

#[test]
fn pruning_keeps_the_last_blocks_and_says_what_is_gone() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::create(dir.path(), 3, 20);
    for _ in 0..30 {
        chain.extend();
        chain.commit_all();
    }
    let (path, models) = (chain.store.path().to_path_buf(), chain.models.clone());
    let tx = (1..25).find_map(|n| chain.store.body(n).unwrap()?.transactions.first().cloned());
    let tx = tx.unwrap().trie_hash();
    drop(chain);
    let keep = Options { state_history: Keep::Last(10), block_data: Keep::Last(4), ..options() };
    let store = Store::open(&path, keep, &identity()).unwrap();
    let old = store.view_at(5).unwrap();
    let mut calls = 0;
    while store.prune(3).unwrap().remaining > 0 {
        calls += 1;
    }
    assert!(calls > 5, "pruned in {calls} calls");
    assert_eq!((store.first_block_with_state(), store.first_block_with_body()), (20, 26));
    let gone = old.storage(crate::chain::address(1), U256::from(1));
    assert!(matches!(gone, Err(cairn_primitives::ReadError::Unavailable { block: 5, .. })));
    assert!(matches!(store.view_at(19), Err(StateError::Unavailable { block: 19, .. })));
    for number in 20..=30u64 {
        assert_view(&store.view_at(number).unwrap(), &models[number as usize], 60);
    }
    assert!(store.body(0).unwrap().is_some() && store.body(26).unwrap().is_some());
    assert!(store.body(25).unwrap().is_none() && store.header(25).unwrap().is_some());
    assert_eq!(store.transaction_location(tx).unwrap(), None);
    assert!(matches!(store.unwind_to(19), Err(StateError::Unavailable { .. })));
    assert_eq!(store.verify(|_| ()).unwrap().difference, None);
    drop((store, old));
    let store = Store::open(&path, options(), &identity()).unwrap();
    assert_eq!(store.first_block_with_state(), 20);
    let index = |(column, _): &(String, Vec<u8>)| ["acs", "ahist"].contains(&column.as_str());
    drop(store);
    let dump = crate::chain::dump(&path);
    let sets = dump.keys().filter(|key| index(key) && key.0 == "acs").count();
    assert_eq!(sets, dump.keys().filter(|key| key.0 == "ahist").count());
}

#[test]
fn what_is_at_or_above_a_bound_stays_and_can_be_unwound_to() {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::create(dir.path(), 4, 10);
    for _ in 0..20 {
        chain.extend();
        chain.commit_all();
    }
    let (path, models) = (chain.store.path().to_path_buf(), chain.models.clone());
    drop(chain);
    let keep = Options { state_history: Keep::Last(2), block_data: Keep::Last(2), ..options() };
    let store = Store::open(&path, keep, &identity()).unwrap();
    let prune = |state, blocks| {
        let bound = PruneBound { state, blocks };
        while store.prune_below(bound, 3).unwrap().remaining > 0 {}
        (store.first_block_with_state(), store.first_block_with_body())
    };
    let nothing = prune(0, 0);
    assert!(nothing.0 == 0 && nothing.1 <= 1, "{nothing:?}");
    assert_eq!(prune(12, 7), (12, 7));
    assert_eq!(prune(10, 3), (12, 7), "a lower bound brings nothing back, and is no mistake");
    assert!(store.body(6).unwrap().is_none());
    assert!((7..=20).all(|number| store.body(number).unwrap().is_some()));
    assert_eq!(prune(100, 16), (18, 16), "the options keep more than the bound");
    assert_eq!(store.unwind_to(18).unwrap().number, 18);
    assert_view(&store.view_at(18).unwrap(), &models[18], 60);
    assert_eq!(store.verify(|_| ()).unwrap().difference, None);
}
