//! Blocks out of the pool.

use std::time::Duration;

use alloy_primitives::{Address, TxKind, U256, bytes};
use cairn_chain::BlockRef;
use cairn_primitives::StateReader;
use cairn_state::StateChanges;

use crate::node::{Node, call, transfer};

const BLOCK: Duration = Duration::from_secs(1);

#[tokio::test(flavor = "multi_thread")]
async fn a_transaction_is_preconfirmed_then_sealed_with_the_same_receipt() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(dir.path(), BLOCK);
    let to = Address::repeat_byte(0xaa);
    let (hash, raw) = transfer(0, 0, to, 7);
    let early = node.send(raw).await;
    assert!(early.tx.receipt.success());
    assert_eq!(early.tx.gas_used, 21_000);
    let pending = node.chain.pending_state().unwrap();
    assert_eq!(pending.account(to).unwrap().unwrap().balance, U256::from(7));

    let number = node.sealed(hash);
    let at = node.chain.transaction(hash).unwrap().unwrap();
    assert_eq!(at.index, early.tx.index);
    let receipts = node.chain.receipts(BlockRef::Number(number)).unwrap().unwrap();
    assert_eq!(receipts[at.index], early.tx.receipt);
    assert_eq!(node.balance(BlockRef::Number(number), to), U256::from(7));
    assert_eq!(node.balance(BlockRef::Earliest, to), U256::ZERO);
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_block_starts_with_the_l1_attributes_and_validates_on_another_node() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let node = Node::start(dir.path(), BLOCK);
    // Stores its call's value in slot 0 and logs it: SSTORE, LOG0.
    let init = bytes!("600c600c600039600c6000f3345f55345f5260205fa000");
    let (deployed, raw) = call(1, 0, TxKind::Create, U256::ZERO, init);
    node.send(raw).await;
    let at = node.sealed(deployed);
    let contract = Address::create(&sender(1), 0);
    let (_, raw) = call(1, 1, TxKind::Call(contract), U256::from(5), Default::default());
    let early = node.send(raw).await;
    assert_eq!(early.tx.receipt.logs().len(), 1);
    // Cleared again, and a contract that destroys itself while it is created.
    let (_, raw) = call(1, 2, TxKind::Call(contract), U256::ZERO, Default::default());
    node.send(raw).await;
    let (_, raw) = call(1, 3, TxKind::Create, U256::from(3), bytes!("30ff"));
    node.send(raw).await;
    let (called, raw) = call(1, 4, TxKind::Call(contract), U256::from(5), Default::default());
    node.send(raw).await;
    let last = node.sealed(called);
    assert!(last >= at);

    let follower = Node::open(other.path());
    for number in 1..=last {
        let block = node.chain.block(BlockRef::Number(number)).unwrap().unwrap();
        assert!(block.transactions()[0].is_deposit_tx(), "block {number}");
        follower.chain.import(block.block().clone()).unwrap();
        // What was collected from transactions is what the block as a whole has changed.
        let [ours, theirs] =
            [&node, &follower].map(|node| node.chain.recent(block.hash()).unwrap());
        let (ours, theirs) = (ours.layer.changes(), theirs.layer.changes());
        assert_eq!(ours.accounts(), theirs.accounts(), "block {number}");
        let written = |changes: &StateChanges| -> Vec<_> {
            let storage = changes.storage().iter().filter(|change| !change.slots.is_empty());
            storage.cloned().collect()
        };
        assert_eq!(written(ours), written(theirs), "block {number}");
    }
    let head = follower.chain.heads().unsafe_head;
    assert_eq!(head, node.chain.resolve(last.into()).unwrap().unwrap());
    let state = follower.chain.latest_state().unwrap();
    assert_eq!(state.storage(contract, U256::ZERO).unwrap(), U256::from(5));
    follower.stop();
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_transactions_of_many_senders_keep_their_nonce_order() {
    let dir = tempfile::tempdir().unwrap();
    let node = Node::start(dir.path(), BLOCK);
    let to = Address::repeat_byte(0xbb);
    let mut last = Vec::new();
    for from in 0..5 {
        // Nonces arrive backwards: nothing is executable until the first one comes.
        let signed: Vec<_> = (0..200).map(|nonce| transfer(from, nonce, to, 1)).collect();
        last.push(signed[199].0);
        for (_, raw) in signed.into_iter().rev() {
            node.recovery.add(raw, cairn_pool::Origin::Local).await.unwrap();
        }
    }
    let number = last.into_iter().map(|hash| node.sealed(hash)).max().unwrap();
    assert_eq!(node.balance(BlockRef::Number(number), to), U256::from(1000));
    assert_eq!(node.pool.status().pending, 0);
    node.stop();
}

/// Blocks large enough for their state roots to be begun before they end.
#[tokio::test(flavor = "multi_thread")]
async fn roots_that_were_begun_early_validate_on_another_node() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let node = Node::start(dir.path(), BLOCK);
    let recipient = |n: u64| Address::left_padding_from(&(n + (1 << 40)).to_be_bytes());
    let signed: Vec<_> = (0..4000u64)
        .map(|n| transfer((n % 5) as usize, n / 5, recipient(n * 7 % 3000), 1 + n % 2))
        .collect();
    let first = node.chain.heads().unsafe_head.number;
    let mut last = Default::default();
    // A few at a time, so that each moment of a block finds some.
    for part in signed.chunks(20) {
        let raws = part.iter().map(|(_, raw)| raw.clone()).collect();
        for result in node.recovery.add_many(raws, cairn_pool::Origin::Local).await {
            last = result.unwrap();
        }
        node.chain.wait_for(last).await.unwrap();
    }
    let last = node.sealed(last);
    assert!(last > first);
    let follower = Node::open(other.path());
    for number in 1..=last {
        let block = node.chain.block(BlockRef::Number(number)).unwrap().unwrap();
        follower.chain.import(block.block().clone()).unwrap();
    }
    assert_eq!(follower.chain.heads().unsafe_head.number, last);
    follower.stop();
    node.stop();
}

fn sender(index: usize) -> Address {
    cairn_genesis::dev_accounts(10).unwrap()[index].address
}
