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
