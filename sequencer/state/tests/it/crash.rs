//! Killing the process at every durability boundary.
//!
//! The test binary starts itself as a child that runs one workload and dies, without unwinding
//! the stack or closing anything, when it comes to a failpoint for the n-th time. The parent opens
//! what is left, verifies it, and checks that nothing acknowledged is missing.

use std::path::Path;

use cairn_state::{Heads, Journal, Keep, Options, SafeHeadEntry, Store};
use cairn_test_setup::crash::{acknowledge, acknowledged, armed, kill_at};

use crate::chain::{Chain, assert_view, identity, open, options};

const CHILD: &str = "crash::child_of_the_crash_tests";

/// The entry that L1 block `l1` makes.
fn derived(l1: u64, safe: alloy_eips::BlockNumHash) -> SafeHeadEntry {
    let hash = alloy_primitives::B256::with_last_byte(l1 as u8);
    SafeHeadEntry { l1: (l1, hash).into(), safe }
}

fn store_dir(dir: &Path) -> std::path::PathBuf {
    dir.join("store")
}

fn workload(dir: &Path) {
    let journal = Journal::open(dir.join("journal")).unwrap();
    let mut chain = Chain::create(&store_dir(dir), 21, 40);
    acknowledge(dir, "genesis", 1);
    for n in 1..=12u64 {
        chain.extend();
        let record = n.to_be_bytes();
        journal.append((0..3).map(|i| (n, i, &record[..]))).unwrap();
        acknowledge(dir, "journaled", n);
        if n % 2 == 0 {
            chain.commit_all();
            acknowledge(dir, "commit", n);
            let tip = chain.store.tip().unwrap();
            let heads = Heads { latest: tip, ..chain.store.heads().unwrap() };
            chain.store.set_heads(heads).unwrap();
            acknowledge(dir, "heads", n);
            let heads = Heads { latest: tip, safe: tip, ..Default::default() };
            chain.store.advance_heads(heads, &[derived(100 + n, tip)]).unwrap();
            acknowledge(dir, "safe", n);
        }
    }
    chain.unwind(9);
    acknowledge(dir, "unwind", 9);
    let safe = chain.store.safe_head_at_l1(104).unwrap().unwrap().safe;
    let latest = chain.store.tip().unwrap();
    chain.store.reset_heads(Heads { latest, safe, ..Default::default() }, 104).unwrap();
    acknowledge(dir, "reset", 1);
    drop(chain);
    let keep = Options { state_history: Keep::Last(3), block_data: Keep::Last(3), ..options() };
    let store = Store::open(store_dir(dir), keep, &identity()).unwrap();
    while store.prune(2).unwrap().remaining > 0 {}
    acknowledge(dir, "prune", 1);
}

#[test]
fn child_of_the_crash_tests() {
    let Some(dir) = armed() else { return };
    workload(&dir);
}

/// The chain that the workload builds, in a store of its own.
fn reference(dir: &Path) -> Chain {
    let mut chain = Chain::create(dir, 21, 40);
    for n in 1..=12u64 {
        chain.extend();
        if n % 2 == 0 {
            chain.commit_all();
        }
    }
    chain
}

fn check(dir: &Path, point: &str, reference: &Chain) {
    let journal = Journal::open(dir.join("journal")).unwrap();
    let entries = acknowledged(dir, "journaled");
    let records = journal.records_from(0).unwrap().len() as u64;
    assert!(records == entries * 3 || records == entries * 3 + 3, "{point}: {records} records");
    let store = open(&store_dir(dir));
    if store.genesis().is_none() {
        assert_eq!(acknowledged(dir, "genesis"), 0, "{point}");
        drop(store);
        let chain = Chain::create(&store_dir(dir), 21, 40);
        assert_eq!(chain.store.verify(|_| ()).unwrap().difference, None, "{point}");
        return;
    }
    let tip = store.tip().unwrap();
    let committed = acknowledged(dir, "commit");
    if committed < 12 {
        assert!(tip.number == committed || tip.number == committed + 2, "{point}: tip {tip:?}");
    } else {
        let unwound = acknowledged(dir, "unwind") == 9;
        assert!(tip.number == 9 || (!unwound && tip.number == 12), "{point}: tip {tip:?}");
    }
    let latest = store.heads().unwrap().latest.number;
    assert!(latest >= acknowledged(dir, "heads").min(tip.number), "{point}: head {latest}");
    assert_eq!(Some(tip.hash), reference.store.canonical_hash(tip.number).unwrap(), "{point}");
    assert_eq!(store.verify(|_| ()).unwrap().difference, None, "{point}");
    check_safe_heads(dir, point, &store);
    for number in store.first_block_with_state()..=tip.number {
        let model = &reference.models[number as usize];
        assert_view(&store.view_at(number).unwrap(), model, reference.pool);
    }
    for number in store.first_block_with_body()..=tip.number {
        assert!(store.block(number).unwrap().is_some(), "{point}: block {number}");
    }
    let keep = Options { state_history: Keep::Last(3), block_data: Keep::Last(3), ..options() };
    drop(store);
    let store = Store::open(store_dir(dir), keep, &identity()).unwrap();
    while store.prune(5).unwrap().remaining > 0 {}
    assert_eq!(store.verify(|_| ()).unwrap().difference, None, "{point} after pruning");
}

/// Every entry of the safe-head index names a canonical block, and none that was acknowledged is
/// missing, but for those that the unwind or the reset took.
fn check_safe_heads(dir: &Path, point: &str, store: &Store) {
    let newest = store.safe_head_at_l1(u64::MAX).unwrap();
    let number = newest.map_or(0, |entry| entry.safe.number);
    if let Some(entry) = newest {
        let canonical = store.canonical_hash(number).unwrap();
        assert_eq!(canonical, Some(entry.safe.hash), "{point}: {entry:?}");
        assert_eq!(entry, derived(100 + number, entry.safe), "{point}");
        assert!(store.heads().unwrap().safe.number >= number, "{point}");
    }
    let least = match (acknowledged(dir, "reset"), store.tip().unwrap().number) {
        (1, _) => {
            assert_eq!(number, 4, "{point}");
            4
        }
        (_, 9) => 4,
        _ => acknowledged(dir, "safe"),
    };
    assert!(number >= least, "{point}: newest entry {newest:?}");
}

const POINTS: [(&str, &[usize]); 18] = [
    ("genesis::after_flat", &[1]),
    ("genesis::before_mark", &[1]),
    ("genesis::after_mark", &[1]),
    ("commit::before_write", &[1, 4]),
    ("commit::after_write", &[1, 4]),
    ("heads::before_write", &[2]),
    ("heads::after_write", &[2]),
    ("unwind::before_write", &[1]),
    ("unwind::after_write", &[1]),
    ("prune::before_write", &[1, 2]),
    ("prune::after_write", &[1, 2]),
    ("journal::before_append", &[1, 7]),
    ("journal::after_append", &[1, 7]),
    ("commit::published", &[3]),
    ("safe_heads::before_advance", &[1, 3]),
    ("safe_heads::after_advance", &[1, 3]),
    ("safe_heads::before_reset", &[1]),
    ("safe_heads::after_reset", &[1]),
];

#[test]
fn a_process_killed_at_any_boundary_leaves_a_sound_store() {
    let own = tempfile::tempdir().unwrap();
    let reference = reference(own.path());
    for (point, visits) in POINTS {
        for visit in visits {
            let dir = tempfile::tempdir().unwrap();
            assert!(
                kill_at(CHILD, point, *visit, dir.path()),
                "the workload never came to {point}"
            );
            check(dir.path(), point, &reference);
        }
    }
}
