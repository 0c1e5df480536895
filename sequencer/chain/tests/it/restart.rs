//! What was shown is there again after a restart.

use std::time::Duration;

use alloy_primitives::{Address, U256};
use cairn_chain::BlockRef;
use cairn_primitives::StateReader;

use crate::node::{Node, transfer};

#[tokio::test(flavor = "multi_thread")]
async fn the_open_block_is_rebuilt_from_its_journal() {
    let dir = tempfile::tempdir().unwrap();
    let to = Address::repeat_byte(0xcc);
    // A block time that the test does not reach: nothing is ever sealed.
    let node = Node::start(dir.path(), Duration::from_secs(3600));
    for nonce in 0..20 {
        node.send(transfer(0, nonce, to, 1).1).await;
    }
    let hashes = |block: &cairn_chain::PendingBlock| {
        block.transactions.iter().map(|tx| tx.hash).collect::<Vec<_>>()
    };
    let before = node.chain.pending().map(|open| (open.header.clone(), hashes(&open))).unwrap();
    node.stop();

    let node = Node::start(dir.path(), Duration::from_secs(3600));
    let after = node.chain.pending().unwrap();
    assert_eq!((after.header.clone(), hashes(&after)), before);
    assert_eq!(after.state.account(to).unwrap().unwrap().balance, U256::from(20));
    drop(after);
    // The chain goes on where it was.
    node.send(transfer(0, 20, to, 1).1).await;
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn sealed_blocks_come_back_with_their_hashes_and_pool_nonces_follow() {
    let dir = tempfile::tempdir().unwrap();
    let to = Address::repeat_byte(0xdd);
    let node = Node::start(dir.path(), Duration::from_millis(1000));
    let (hash, raw) = transfer(2, 0, to, 3);
    node.send(raw).await;
    let number = node.sealed(hash);
    let block = node.chain.block(BlockRef::Number(number)).unwrap().unwrap();
    node.stop();

    let node = Node::start(dir.path(), Duration::from_millis(1000));
    assert_eq!(node.chain.hash_of(number).unwrap(), Some(block.hash()));
    assert_eq!(node.balance(BlockRef::Number(number), to), U256::from(3));
    node.send(transfer(2, 1, to, 4).1).await;
    let pending = node.chain.pending_state().unwrap();
    assert_eq!(pending.account(to).unwrap().unwrap().balance, U256::from(7));
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn unwound_transactions_survive_a_kill_before_they_are_executed_again() {
    let dir = tempfile::tempdir().unwrap();
    let to = Address::repeat_byte(0xee);
    let node = Node::start(dir.path(), Duration::from_millis(700));
    let hashes = node.transfers(3, 4, to).await;
    node.chain.unwind_to(0).unwrap();
    // Stopped at once, whatever has been built again; then unwound once more without a sequencer.
    node.stop();
    let node = Node::open(dir.path());
    node.chain.unwind_to(0).unwrap();
    node.stop();

    let node = Node::start(dir.path(), Duration::from_millis(700));
    for hash in hashes {
        node.sealed(hash);
    }
    assert_eq!(node.balance(BlockRef::Latest, to), U256::from(4));
    node.chain.flush().unwrap();
    assert_eq!(node.chain.store().verify(|_| ()).unwrap().difference, None);
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lower_unwind_leaves_no_stale_records_behind() {
    let dir = tempfile::tempdir().unwrap();
    let to = Address::repeat_byte(0xef);
    let node = Node::start(dir.path(), Duration::from_millis(400));
    for round in 0..3u64 {
        for nonce in 0..3 {
            let (hash, raw) = transfer(4, round * 3 + nonce, to, 1);
            node.send(raw).await;
            node.sealed(hash);
        }
        let head = node.chain.heads().unsafe_head.number;
        node.chain.unwind_to(head.saturating_sub(2)).unwrap();
    }
    let last = transfer(4, 9, to, 1);
    node.send(last.1).await;
    node.stop();
    let node = Node::start(dir.path(), Duration::from_millis(400));
    node.sealed(last.0);
    assert_eq!(node.balance(BlockRef::Latest, to), U256::from(10));
    node.stop();
}
