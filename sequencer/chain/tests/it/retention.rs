//! What pruning leaves to those who work with the chain.

use std::path::Path;
use std::sync::Arc;

use cairn_chain::{BlockRef, Chain, HeadUpdate, Retention};
use cairn_primitives::ReadError;
use cairn_state::{Keep, Options};

use crate::derive::extend;
use crate::node::{Node, until};

/// Keeps so many blocks before the finalized one.
#[derive(Debug)]
struct Before(u64);

impl Retention for Before {
    fn first_block(&self, chain: &Chain, finalized: u64) -> Result<u64, ReadError> {
        assert!(chain.hash_of(finalized).unwrap().is_some(), "{finalized} is not stored");
        Ok(finalized.saturating_sub(self.0))
    }
}

/// Has no answer.
#[derive(Debug)]
struct Unknown;

impl Retention for Unknown {
    fn first_block(&self, _: &Chain, finalized: u64) -> Result<u64, ReadError> {
        Err(ReadError::Store(format!("no body of {finalized}")))
    }
}

/// A chain that keeps next to nothing of itself.
fn open(dir: &Path, retention: Option<Arc<dyn Retention>>) -> Node {
    let keep =
        Options { state_history: Keep::Last(2), block_data: Keep::Last(2), ..Options::default() };
    Node::open_retaining(dir, keep, retention)
}

/// Stores blocks one by one; pruning comes after each.
fn store_blocks(chain: &Chain, count: u64) {
    for _ in 0..count {
        extend(chain, vec![]);
        chain.flush().unwrap();
    }
}

fn has_body(chain: &Chain, number: u64) -> bool {
    chain.block(BlockRef::Number(number)).unwrap().is_some()
}

#[test]
fn blocks_that_l1_can_take_back_stay_through_restarts_and_can_be_unwound() {
    let dir = tempfile::tempdir().unwrap();
    let node = open(dir.path(), Some(Arc::new(Before(4))));
    store_blocks(&node.chain, 40);
    let store = node.chain.store();
    assert!(store.first_block_with_state() == 0 && (0..=40).all(|n| has_body(&node.chain, n)));
    let at = |number| node.chain.hash_of(number).unwrap();
    let update = HeadUpdate { safe: at(30), finalized: at(20), derived_from: None };
    node.chain.advance_heads(&update).unwrap();
    node.stop();
    let node = open(dir.path(), Some(Arc::new(Before(4))));
    until("everything that may go is gone", || {
        store_blocks(&node.chain, 1);
        let store = node.chain.store();
        let floors = (store.first_block_with_state(), store.first_block_with_body());
        assert!(floors.0 <= 20 && floors.1 <= 16, "{floors:?}");
        (floors == (20, 16)).then_some(())
    });
    store_blocks(&node.chain, 5);
    let tip = node.chain.heads().unsafe_head.number;
    assert!((16..=tip).all(|number| has_body(&node.chain, number)) && !has_body(&node.chain, 15));
    node.chain.reset_heads(node.chain.hash_of(20).unwrap().unwrap(), 0).unwrap();
    node.chain.unwind_to(20).unwrap();
    store_blocks(&node.chain, 3);
    assert_eq!(node.chain.heads().unsafe_head.number, 23);
    assert_eq!(node.chain.store().verify(|_| ()).unwrap().difference, None);
    node.stop();
}

#[test]
fn without_a_retention_the_options_alone_decide() {
    let dir = tempfile::tempdir().unwrap();
    let node = open(dir.path(), None);
    until("old blocks are gone", || {
        store_blocks(&node.chain, 1);
        let store = node.chain.store();
        let last = node.chain.heads().unsafe_head.number;
        let floors = (store.first_block_with_state(), store.first_block_with_body());
        (last > 10 && floors.0 + 4 > last && floors.1 + 4 > last).then_some(())
    });
    node.stop();
}

#[test]
fn nothing_goes_while_nobody_knows_what_is_needed() {
    let dir = tempfile::tempdir().unwrap();
    let node = open(dir.path(), Some(Arc::new(Unknown)));
    store_blocks(&node.chain, 40);
    node.chain.close().unwrap();
    let store = node.chain.store();
    assert!(store.first_block_with_state() == 0 && has_body(&node.chain, 1));
}
