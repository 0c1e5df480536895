//! Killing a deriving node at every durability boundary.
//!
//! The child derives blocks, moves the heads with each of them, resets them once and derives over the
//! unsafe rest. The parent opens what is left: heads and index must be right, nothing that a flush
//! acknowledged may be missing, and derivation must go on from there to the same chain.

use std::path::Path;

use alloy_eips::BlockNumHash;
use alloy_primitives::{Address, B256};
use cairn_chain::{BlockRef, Chain, HeadUpdate};
use cairn_test_setup::crash::{armed, kill_at};

use crate::derive::payload;
use crate::node::{Node, transfer};

const CHILD: &str = "derive_crash::child_of_the_derivation_crash_tests";
const BLOCKS: u64 = 12;
/// The block that the reset goes back to.
const RESET: u64 = 6;

/// L1 block `100 + n` makes block `n` safe.
fn l1(number: u64) -> BlockNumHash {
    (100 + number, B256::with_last_byte(number as u8)).into()
}

/// Derives block `number` of the workload; gives its hash.
fn derive(chain: &Chain, number: u64) -> B256 {
    let (hash, parent) = chain.header(BlockRef::Number(number - 1)).unwrap().unwrap();
    let tx = transfer(0, number - 1, Address::repeat_byte(1), number).1;
    let payload = payload(chain, &parent, vec![tx]);
    // One that is there already has the same hash: it is built anew only where it is missing.
    let at = match chain.resolve(BlockRef::Number(number)).unwrap() {
        Some(at) => at,
        None => chain.derive(hash, payload.recover().unwrap()).unwrap().block,
    };
    let update =
        HeadUpdate { safe: Some(at.hash), derived_from: Some(l1(number)), finalized: None };
    chain.advance_heads(&update).unwrap();
    at.hash
}

fn workload(dir: &Path) {
    let node = Node::open(dir);
    for number in 1..=BLOCKS {
        derive(&node.chain, number);
        if number % 4 == 0 {
            node.chain.flush().unwrap();
            std::fs::write(dir.join("flushed"), number.to_string()).unwrap();
        }
    }
    let safe = node.chain.hash_of(RESET).unwrap().unwrap();
    std::fs::write(dir.join("flushed"), RESET.to_string()).unwrap();
    node.chain.reset_heads(safe, l1(RESET).number).unwrap();
    node.chain.unwind_to(RESET + 2).unwrap();
    derive(&node.chain, RESET + 1);
    node.stop();
}

#[test]
fn child_of_the_derivation_crash_tests() {
    let Some(dir) = armed() else { return };
    workload(&dir);
}

fn check(point: &str, dir: &Path, reference: &[B256]) {
    let node = Node::open(dir);
    let chain = &node.chain;
    let flushed = std::fs::read_to_string(dir.join("flushed"));
    let flushed: u64 = flushed.map_or(0, |text| text.parse().unwrap());
    let heads = chain.heads();
    assert!(heads.safe.number >= flushed, "{point}: {heads:?}, {flushed} were flushed");
    assert!(heads.safe.number <= heads.unsafe_head.number, "{point}: {heads:?}");
    for number in 1..=BLOCKS {
        let Some(entry) = chain.safe_head_at_l1(l1(number).number).unwrap() else { continue };
        assert_eq!(entry.l1, l1(entry.safe.number), "{point}");
        assert_eq!(chain.hash_of(entry.safe.number).unwrap(), Some(entry.safe.hash), "{point}");
        assert!(entry.safe.number <= heads.safe.number, "{point}");
    }
    let newest = chain.safe_head_at_l1(u64::MAX).unwrap().map_or(0, |entry| entry.safe.number);
    assert!(newest >= flushed, "{point}: the index ends at {newest}");
    for number in 1..=BLOCKS {
        assert_eq!(derive(chain, number), reference[number as usize - 1], "{point}");
    }
    chain.flush().unwrap();
    assert_eq!(chain.store().verify(|_| ()).unwrap().difference, None, "{point}");
    let newest = chain.safe_head_at_l1(u64::MAX).unwrap().unwrap();
    assert_eq!((newest.l1, newest.safe), (l1(BLOCKS), chain.heads().safe), "{point}");
    node.stop();
}

#[test]
fn heads_and_index_are_right_after_a_crash_at_any_boundary() {
    let own = tempfile::tempdir().unwrap();
    let node = Node::open(own.path());
    let reference: Vec<_> = (1..=BLOCKS).map(|number| derive(&node.chain, number)).collect();
    node.stop();
    let points = [
        ("commit::before_write", &[1, 2][..]),
        ("commit::after_write", &[1, 2]),
        ("safe_heads::before_advance", &[1, 2, 3]),
        ("safe_heads::after_advance", &[1, 2, 3]),
        ("safe_heads::before_reset", &[1]),
        ("safe_heads::after_reset", &[1]),
        ("unwind::before_write", &[1]),
        ("unwind::after_write", &[1]),
    ];
    for (point, all_visits) in points {
        for visits in all_visits {
            let dir = tempfile::tempdir().unwrap();
            let died = kill_at(CHILD, point, *visits, dir.path());
            assert!(died, "{point} was not visited {visits} times");
            check(point, dir.path(), &reference);
        }
    }
}
