//! Safe and finalized heads, and the safe-head index.

use alloy_eips::BlockNumHash;
use alloy_primitives::{Address, B256};
use cairn_chain::{BlockRef, Chain, ChainError, Head, HeadUpdate, ImportError, Imported};

use crate::derive::extend;
use crate::node::{Node, transfer};

fn l1(number: u64) -> BlockNumHash {
    (number, B256::with_last_byte(number as u8)).into()
}

/// Derives `count` blocks; L1 block `100 + n` makes block `n` safe.
fn derive(chain: &Chain, count: u64) {
    for _ in 0..count {
        let safe = extend(chain, vec![]);
        let number = chain.heads().unsafe_head.number;
        let update =
            HeadUpdate { safe: Some(safe), derived_from: Some(l1(100 + number)), finalized: None };
        assert_eq!(chain.advance_heads(&update).unwrap().safe.number, number);
    }
}

fn safe_at(chain: &Chain, l1: u64) -> Option<u64> {
    chain.safe_head_at_l1(l1).unwrap().map(|entry| entry.safe.number)
}

fn hash(chain: &Chain, number: u64) -> Option<B256> {
    chain.hash_of(number).unwrap()
}

#[test]
fn heads_only_move_forward_and_outlive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::open(dir.path());
    derive(&node.chain, 6);
    let chain = &node.chain;
    let finalized = HeadUpdate { finalized: hash(chain, 4), ..HeadUpdate::default() };
    assert_eq!(chain.advance_heads(&finalized).unwrap().finalized.number, 4);
    let older = HeadUpdate { safe: hash(chain, 2), finalized: hash(chain, 1), derived_from: None };
    let heads = chain.advance_heads(&older).unwrap();
    assert_eq!((heads.safe.number, heads.finalized.number), (6, 4));
    assert_eq!((safe_at(chain, 103), safe_at(chain, 500)), (Some(3), Some(6)));
    assert_eq!(safe_at(chain, 100), None);
    node.stop();
    let node = Node::open(dir.path());
    assert_eq!(node.chain.heads(), heads);
    assert_eq!((safe_at(&node.chain, 103), safe_at(&node.chain, 500)), (Some(3), Some(6)));
    // Derivation begins again before the newest entry and says what is known.
    let known =
        HeadUpdate { safe: hash(&node.chain, 3), derived_from: Some(l1(103)), finalized: None };
    node.chain.advance_heads(&known).unwrap();
    derive(&node.chain, 1);
    assert_eq!(safe_at(&node.chain, 107), Some(7));
    node.stop();
}

#[test]
fn updates_that_cannot_be_right_are_refused_and_move_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::open(dir.path());
    let chain = &node.chain;
    derive(chain, 3);
    let unsafe_block = extend(chain, vec![]);
    let before = chain.heads();
    let unknown = HeadUpdate { safe: Some(B256::ZERO), ..HeadUpdate::default() };
    let error = chain.advance_heads(&unknown).unwrap_err();
    assert!(matches!(error, ChainError::UnknownBlock(B256::ZERO)), "{error}");
    let ahead = HeadUpdate { finalized: Some(unsafe_block), ..HeadUpdate::default() };
    let error = chain.advance_heads(&ahead).unwrap_err();
    assert!(matches!(error, ChainError::HeadOrder { head: Head::Finalized, number: 4 }), "{error}");
    for fork in [(103, B256::ZERO).into(), l1(102)] {
        let update =
            HeadUpdate { safe: Some(unsafe_block), derived_from: Some(fork), finalized: None };
        let error = chain.advance_heads(&update).unwrap_err();
        assert!(matches!(error, ChainError::L1Reorganised { .. }), "{error}");
    }
    assert_eq!(chain.heads(), before);
    assert_eq!(safe_at(chain, 500), Some(3));
    node.stop();
}

#[test]
fn one_l1_block_may_make_many_blocks_safe() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::open(dir.path());
    let chain = &node.chain;
    for round in 0..4 {
        let safe = Some(extend(chain, vec![]));
        let derived_from = Some(l1(100));
        chain.advance_heads(&HeadUpdate { safe, derived_from, finalized: None }).unwrap();
        if round % 2 == 1 {
            chain.flush().unwrap();
        }
        assert_eq!(safe_at(chain, 100), Some(round + 1));
    }
    node.stop();
    let node = Node::open(dir.path());
    assert_eq!(safe_at(&node.chain, 100), Some(4));
    node.stop();
}

#[test]
fn a_reset_takes_the_safe_head_back_and_the_index_with_it() {
    for stored in [false, true] {
        let dir = tempfile::tempdir().unwrap();
        let node = Node::open(dir.path());
        let chain = &node.chain;
        derive(chain, 6);
        let update = HeadUpdate { finalized: hash(chain, 2), ..HeadUpdate::default() };
        chain.advance_heads(&update).unwrap();
        if stored {
            chain.flush().unwrap();
        }
        let error = chain.reset_heads(hash(chain, 1).unwrap(), 101).unwrap_err();
        assert!(matches!(error, ChainError::HeadOrder { head: Head::Safe, number: 1 }), "{error}");
        let error = chain.reset_heads(B256::ZERO, 101).unwrap_err();
        assert!(matches!(error, ChainError::UnknownBlock(B256::ZERO)), "{error}");
        assert_eq!(safe_at(chain, 500), Some(6));
        let heads = chain.reset_heads(hash(chain, 4).unwrap(), 104).unwrap();
        assert_eq!((heads.safe.number, heads.unsafe_head.number), (4, 6));
        assert_eq!(safe_at(chain, 500), Some(4));
        // L1 block 105 of the other fork.
        let other = BlockNumHash { number: 105, hash: B256::ZERO };
        let update =
            HeadUpdate { safe: hash(chain, 5), derived_from: Some(other), finalized: None };
        chain.advance_heads(&update).unwrap();
        assert_eq!(chain.safe_head_at_l1(105).unwrap().unwrap().l1, other);
        node.stop();
        let node = Node::open(dir.path());
        assert_eq!(node.chain.heads().safe.number, 5);
        assert_eq!(node.chain.safe_head_at_l1(500).unwrap().unwrap().l1, other);
        node.stop();
    }
}

#[test]
fn an_unwind_lowers_the_safe_head_and_cuts_the_index() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::open(dir.path());
    let chain = &node.chain;
    derive(chain, 4);
    chain.flush().unwrap();
    derive(chain, 2);
    chain.unwind_to(5).unwrap();
    assert_eq!((chain.heads().safe.number, safe_at(chain, 500)), (5, Some(5)));
    chain.unwind_to(3).unwrap();
    assert_eq!((chain.heads().safe.number, safe_at(chain, 500)), (3, Some(3)));
    derive(chain, 1);
    node.stop();
    let node = Node::open(dir.path());
    assert_eq!((node.chain.heads().safe.number, safe_at(&node.chain, 500)), (4, Some(4)));
    node.stop();
}

#[test]
fn an_imported_fork_replaces_unsafe_blocks_and_no_safe_ones() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (node, fork) = (Node::open(dir.path()), Node::open(other.path()));
    for nonce in 0..5 {
        extend(&fork.chain, vec![transfer(0, nonce, Address::ZERO, 1).1]);
    }
    let block = |number: u64| {
        let block = fork.chain.block(BlockRef::Number(number)).unwrap().unwrap();
        block.block().clone()
    };
    node.chain.import(block(1)).unwrap();
    extend(&node.chain, vec![]);
    let safe = extend(&node.chain, vec![]);
    node.chain.advance_heads(&HeadUpdate { safe: Some(safe), ..HeadUpdate::default() }).unwrap();
    let heads = node.chain.heads();
    assert_eq!(node.chain.import(block(2)).unwrap(), Imported::Side);
    assert_eq!(node.chain.import(block(3)).unwrap(), Imported::Side);
    let error = node.chain.import(block(4)).unwrap_err();
    assert!(matches!(error, ImportError::BelowSafe { number: 4, safe: 3 }), "{error}");
    assert_eq!(node.chain.heads(), heads);
    let first = hash(&node.chain, 1).unwrap();
    node.chain.reset_heads(first, 0).unwrap();
    assert_eq!(node.chain.import(block(5)).unwrap(), Imported::Head);
    assert_eq!(node.chain.heads().safe.number, 1);
    node.stop();
    fork.stop();
}
