//! Killing a sequencing node at every durability boundary.
//!
//! The test binary starts itself as a child that sequences transactions and notes each one that
//! it saw preconfirmed or sealed. It dies, without unwinding anything, when it comes to a failpoint
//! for the n-th time. The parent restarts the node on what is left: everything noted must be there,
//! in the same block and place.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use alloy_primitives::{Address, B256};
use cairn_chain::BlockRef;
use cairn_test_setup::crash::{armed, kill_at};

use crate::node::{Node, transfer};

const CHILD: &str = "crash::child_of_the_crash_tests";
const TRANSACTIONS: u64 = 60;
const BLOCK: Duration = Duration::from_millis(1000);

/// Where a transaction was shown: block number and index.
type Shown = HashMap<B256, (u64, usize)>;

#[tokio::test(flavor = "multi_thread")]
async fn child_of_the_crash_tests() {
    let Some(dir) = armed() else { return };
    let mut notes = std::fs::File::create(dir.join("notes")).unwrap();
    let node = Node::start(&dir, BLOCK);
    for nonce in 0..TRANSACTIONS {
        let (hash, raw) = transfer(0, nonce, Address::repeat_byte(1), 1);
        let shown = node.send(raw).await;
        note(&mut notes, &format!("{hash} {} {}\n", shown.header.number, shown.tx.index));
        if nonce % 15 == 14 {
            let number = node.sealed(hash);
            let sealed = node.chain.hash_of(number).unwrap().unwrap();
            note(&mut notes, &format!("block {number} {sealed}\n"));
        }
    }
    node.stop();
}

/// Writes a line as a whole: another thread may end the process at any time.
fn note(notes: &mut std::fs::File, line: &str) {
    notes.write_all(line.as_bytes()).unwrap();
}

fn read_notes(dir: &Path) -> (Shown, Vec<(u64, B256)>) {
    let (mut shown, mut sealed) = (Shown::new(), Vec::new());
    let notes = std::fs::read_to_string(dir.join("notes")).unwrap_or_default();
    for line in notes.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["block", number, hash] => {
                sealed.push((number.parse().unwrap(), hash.parse().unwrap()));
            }
            [hash, number, index] => {
                let place = (number.parse().unwrap(), index.parse().unwrap());
                shown.insert(hash.parse().unwrap(), place);
            }
            _ => panic!("note {line}"),
        }
    }
    (shown, sealed)
}

fn check(point: &str, visits: usize, dir: &Path) {
    let (shown, sealed) = read_notes(dir);
    let node = Node::start(dir, Duration::from_secs(3600));
    for (number, hash) in sealed {
        let got = node.chain.hash_of(number).unwrap();
        assert_eq!(got, Some(hash), "block {number} after a kill at {point} {visits}");
    }
    for (hash, place) in &shown {
        let pending = node.chain.preconfirmed(hash).map(|at| (at.header.number, at.tx.index));
        let mined = node.chain.transaction(*hash).unwrap().map(|at| (at.block.number(), at.index));
        assert_eq!(pending.or(mined), Some(*place), "{hash} after a kill at {point} {visits}");
    }
    let count = node.balance(BlockRef::Latest, Address::repeat_byte(1));
    println!("{point} {visits}: {} shown, {count} sealed", shown.len());
    node.chain.flush().unwrap();
    assert_eq!(node.chain.store().verify(|_| ()).unwrap().difference, None);
    node.stop();
}

#[test]
fn nothing_that_was_shown_is_lost_at_any_durability_boundary() {
    let points = [
        ("genesis::after_flat", &[1][..]),
        ("genesis::before_mark", &[1]),
        ("genesis::after_mark", &[1]),
        ("journal::before_append", &[1, 7, 17, 40]),
        ("journal::after_append", &[1, 7, 17, 40]),
        ("commit::before_write", &[1, 3]),
        ("commit::after_write", &[1, 3]),
    ];
    for (point, all_visits) in points {
        for visits in all_visits {
            let dir = tempfile::tempdir().unwrap();
            assert!(
                kill_at(CHILD, point, *visits, dir.path()),
                "{point} was not visited {visits} times"
            );
            check(point, *visits, dir.path());
        }
    }
}
