//! Forks, and blocks that must not be imported.

use std::time::Duration;

use alloy_primitives::Address;
use cairn_chain::{BlockRef, ChainEvent, ImportError, Imported};
use cairn_primitives::{Block, Header};

use crate::node::{Node, transfer, until};

/// Blocks 1..=`last` of a node that builds on its own, with a transfer to `to` in one of them.
async fn build_chain(to: Address, last: u64) -> Vec<Block> {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(dir.path(), Duration::from_millis(300));
    node.send(transfer(0, 0, to, 1).1).await;
    until("the chain is long enough", || {
        (node.chain.heads().unsafe_head.number >= last).then_some(())
    });
    let blocks = (1..=last)
        .map(|n| node.chain.block(BlockRef::Number(n)).unwrap().unwrap().block().clone())
        .collect();
    node.stop();
    blocks
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longer_fork_wins_and_the_state_follows() {
    let (a, b) = (Address::repeat_byte(1), Address::repeat_byte(2));
    let (short, long) = (build_chain(a, 3).await, build_chain(b, 5).await);
    let dir = tempfile::tempdir().unwrap();
    let node = Node::open(dir.path());
    let mut events = node.chain.subscribe();
    for block in &short {
        assert_eq!(node.chain.import(block.clone()).unwrap(), Imported::Head);
    }
    node.chain.flush().unwrap();
    assert!(!node.balance(BlockRef::Latest, a).is_zero());
    for block in &long[..3] {
        assert_eq!(node.chain.import(block.clone()).unwrap(), Imported::Side);
    }
    assert_eq!(node.chain.import(long[3].clone()).unwrap(), Imported::Head);
    assert_eq!(node.chain.import(long[4].clone()).unwrap(), Imported::Head);
    assert!(node.balance(BlockRef::Latest, a).is_zero());
    assert!(!node.balance(BlockRef::Latest, b).is_zero());
    assert_eq!(node.chain.import(long[4].clone()).unwrap(), Imported::Known);
    let mut reorgs = 0;
    while let Ok(event) = events.try_recv() {
        reorgs += usize::from(matches!(event, ChainEvent::Reorged { .. }));
    }
    assert_eq!(reorgs, 1);
    node.chain.flush().unwrap();
    assert_eq!(node.chain.store().verify(|_| ()).unwrap().difference, None);
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invalid_fork_leaves_the_old_chain_in_place() {
    let (short, long) =
        (build_chain(Address::ZERO, 2).await, build_chain(Address::repeat_byte(3), 3).await);
    let dir = tempfile::tempdir().unwrap();
    let node = Node::open(dir.path());
    for block in &short {
        node.chain.import(block.clone()).unwrap();
    }
    let head = node.chain.heads().unsafe_head;
    node.chain.import(long[0].clone()).unwrap();
    node.chain.import(long[1].clone()).unwrap();
    let mut wrong = long[2].clone();
    wrong.header.state_root = Default::default();
    let error = node.chain.import(wrong).unwrap_err();
    assert!(matches!(error, ImportError::Mismatch { what: "state root", .. }), "{error}");
    assert_eq!(node.chain.heads().unsafe_head, head);
    node.chain.flush().unwrap();
    assert_eq!(node.chain.store().verify(|_| ()).unwrap().difference, None);
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_claim_of_a_header_is_checked() {
    let blocks = build_chain(Address::repeat_byte(4), 1).await;
    let dir = tempfile::tempdir().unwrap();
    let node = Node::open(dir.path());
    type Change = (&'static str, fn(&mut Header));
    let changes: [Change; 12] = [
        ("number", |h| h.number += 1),
        ("timestamp", |h| h.timestamp = 0),
        ("gas used", |h| h.gas_used += 1),
        ("gas limit", |h| h.gas_limit = 0),
        ("base fee", |h| h.base_fee_per_gas = Some(1)),
        ("state root", |h| h.state_root.0[0] ^= 1),
        ("receipts root", |h| h.receipts_root.0[0] ^= 1),
        ("transactions root", |h| h.transactions_root.0[0] ^= 1),
        ("withdrawals root", |h| h.withdrawals_root = Some(Default::default())),
        ("blob gas", |h| h.blob_gas_used = Some(9)),
        ("extra data", |h| h.extra_data = Default::default()),
        ("requests hash", |h| h.requests_hash = None),
    ];
    for (what, change) in changes {
        let mut wrong = blocks[0].clone();
        change(&mut wrong.header);
        node.chain.import(wrong).expect_err(what);
    }
    assert_eq!(node.chain.heads().unsafe_head.number, 0);
    node.chain.import(blocks[0].clone()).unwrap();
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unwound_sequencer_builds_the_same_transactions_again() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(dir.path(), Duration::from_millis(300));
    let to = Address::repeat_byte(9);
    let hashes = node.transfers(0, 3, to).await;
    node.chain.flush().unwrap();
    node.chain.unwind_to(0).unwrap();
    for hash in hashes {
        node.sealed(hash);
    }
    assert_eq!(node.balance(BlockRef::Latest, to), alloy_primitives::U256::from(3));
    node.stop();
}
