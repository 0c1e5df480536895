//! What a source of attributes can ask of the sequencer.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alloy_primitives::Address;
use cairn_chain::{
    AttributesSource, BlockRef, BlockTiming, DevAttributes, PayloadAttributes, Sequencer,
    SequencerOptions, SequencerStatus,
};
use cairn_genesis::DEV_SYSTEM;
use cairn_pool::Origin;
use cairn_primitives::Header;

use crate::node::{Node, transfer, until};

/// Asked for blocks above the first number it has none; from the second number on it allows no
/// transactions.
#[derive(Debug)]
struct Limited {
    inner: DevAttributes,
    last: Arc<AtomicU64>,
    deposits_only_to: u64,
}

impl AttributesSource for Limited {
    fn next(&mut self, parent: &Header, timestamp: u64) -> Result<PayloadAttributes, String> {
        if parent.number >= self.last.load(Ordering::SeqCst) {
            return Err("the next L1 origin is not known yet".into());
        }
        let attributes = self.inner.next(parent, timestamp)?;
        let deposits_only = parent.number < self.deposits_only_to;
        Ok(PayloadAttributes { deposits_only, ..attributes })
    }
}

fn start(dir: &std::path::Path, last: &Arc<AtomicU64>, deposits_only_to: u64) -> Node {
    let mut node = Node::open(dir);
    let (_, genesis) = node.chain.header(BlockRef::Earliest).unwrap().unwrap();
    let inner = DevAttributes::new(node.chain.spec().clone(), &genesis, DEV_SYSTEM);
    let source = Box::new(Limited { inner, last: last.clone(), deposits_only_to });
    let options = SequencerOptions {
        block_time: Duration::from_millis(300),
        timing: BlockTiming::FixedInterval(NonZeroU64::new(2).unwrap()),
        ..SequencerOptions::new(dir.join("journal"))
    };
    let (chain, pool) = (node.chain.clone(), node.pool.clone());
    node.sequencer = Some(Sequencer::start(chain, pool, source, options).unwrap());
    node
}

fn reached(node: &Node, number: u64) {
    until("the block is sealed", || {
        (node.chain.heads().unsafe_head.number >= number).then_some(())
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_keep_their_interval_and_catch_up_with_the_clock() {
    let dir = tempfile::tempdir().unwrap();
    let node = start(dir.path(), &Arc::new(AtomicU64::new(u64::MAX)), 0);
    let (_, genesis) = node.chain.header(BlockRef::Earliest).unwrap().unwrap();
    let (hash, raw) = transfer(0, 0, Address::ZERO, 1);
    node.recovery.add(raw, Origin::Local).await.unwrap();
    reached(&node, 30);
    for number in 1..=30 {
        let (_, header) = node.chain.header(BlockRef::Number(number)).unwrap().unwrap();
        assert_eq!(header.timestamp, genesis.timestamp + 2 * number);
    }
    node.sealed(hash);
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_without_attributes_stalls_the_sequencer_and_says_why() {
    let dir = tempfile::tempdir().unwrap();
    let last = Arc::new(AtomicU64::new(2));
    let node = start(dir.path(), &last, 0);
    let sequencer = node.sequencer.clone().unwrap();
    let reason = until("it stalls", || match sequencer.status() {
        SequencerStatus::Stalled(reason) => Some(reason),
        _ => None,
    });
    assert!(reason.contains("block 3") && reason.contains("the next L1 origin"), "{reason}");
    assert_eq!(node.chain.heads().unsafe_head.number, 2);
    // It can be paused where no block is open, and goes on once the source does.
    tokio::time::timeout(Duration::from_secs(20), sequencer.pause()).await.unwrap().unwrap();
    until("it is paused", || (sequencer.status() == SequencerStatus::Paused).then_some(()));
    last.store(u64::MAX, Ordering::SeqCst);
    sequencer.resume().await.unwrap();
    reached(&node, 4);
    assert_eq!(sequencer.status(), SequencerStatus::Active);
    node.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_of_deposits_alone_leave_transactions_in_the_pool() {
    let dir = tempfile::tempdir().unwrap();
    let last = Arc::new(AtomicU64::new(0));
    let node = start(dir.path(), &last, 3);
    let (hash, raw) = transfer(0, 0, Address::ZERO, 1);
    node.recovery.add(raw, Origin::Local).await.unwrap();
    last.store(3, Ordering::SeqCst);
    reached(&node, 3);
    for number in 1..=3 {
        let block = node.chain.block(BlockRef::Number(number)).unwrap().unwrap();
        assert_eq!(block.transactions().len(), 1, "block {number}");
    }
    last.store(u64::MAX, Ordering::SeqCst);
    assert!(node.sealed(hash) > 3);
    node.stop();
}
