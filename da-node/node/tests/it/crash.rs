//! Killing the process at every durability boundary.
//!
//! The test binary starts itself as a child that keeps and prunes and dies, without closing
//! anything, when it comes to a failpoint for the n-th time. The parent opens what is left and
//! compares it with what was acknowledged.

use std::path::Path;

use cairn_da_node::store::{Held, Store, StoreError};
use cairn_primitives::da::{Epoch, Timestamp};
use cairn_test_setup::crash::{acknowledge, acknowledged, armed, kill_at};

use crate::fixture::{Sample, open};

const CHILD: &str = "crash::child_of_the_crash_tests";
const SAMPLES: u64 = 12;
const PRUNED: u64 = 6;
const FORGOTTEN: u64 = 4;

#[test]
fn child_of_the_crash_tests() {
    let Some(dir) = armed() else { return };
    let store = open(&dir.join("store"));
    for n in 0..SAMPLES {
        store.keep(&Sample::new(n, 100 + n).kept()).unwrap();
        acknowledge(&dir, "kept", n + 1);
    }
    let mut pruned = 0;
    while pruned < PRUNED {
        pruned += store.prune(Timestamp(100 + PRUNED), 2).unwrap().headers as u64;
        acknowledge(&dir, "pruned", pruned);
    }
    let mut forgotten = 0;
    while forgotten < FORGOTTEN {
        forgotten += forget(&store, 1);
        acknowledge(&dir, "forgotten", forgotten);
    }
}

/// Certificates of the samples end 600 seconds and more; so these are the first ones.
fn forget(store: &Store, limit: usize) -> u64 {
    store.forget(Timestamp(600 + FORGOTTEN), Epoch(2), limit).unwrap().headers as u64
}

fn check(dir: &Path, point: &str, visits: usize) {
    let store = open(&dir.join("store"));
    let (kept, pruned) = (acknowledged(dir, "kept"), acknowledged(dir, "pruned"));
    let forgotten = acknowledged(dir, "forgotten");
    let mut unknown = 0;
    for n in 0..SAMPLES {
        let sample = Sample::new(n, 100 + n);
        let hash = sample.header.hash();
        let header = store.header(hash).unwrap();
        let reservation = store.reservation(sample.header.payer, sample.header.reservation);
        let rows = store.rows_of(hash).unwrap();
        let what = format!(
            "{point} {visits}: sample {n} of {kept} kept, {pruned} pruned, {forgotten} forgotten"
        );
        // Header, rows and reservation are there together or not at all.
        match &header {
            Held::Here(_) => assert_eq!(rows, sample.rows, "{what}"),
            Held::Gone | Held::Unknown => assert_eq!(rows, [], "{what}"),
        }
        assert_eq!(reservation.unwrap().is_some(), header != Held::Unknown, "{what}");
        // One may be forgotten whose acknowledgement was not written any more.
        let may_be_forgotten = n < forgotten || (n == forgotten && point == "forget::after_write");
        if n < forgotten {
            assert_eq!(header, Held::Unknown, "{what}");
        } else if n < kept && !may_be_forgotten {
            assert_ne!(header, Held::Unknown, "{what}");
        }
        if n < pruned && !may_be_forgotten {
            assert_eq!(header, Held::Gone, "{what}");
        }
        if n < FORGOTTEN && header == Held::Unknown {
            unknown += 1;
        }
        // What was signed binds after the crash too.
        if header != Held::Unknown {
            let mut other = sample.clone();
            other.header.expiry.0 += 500;
            let refused = store.keep(&other.kept());
            assert!(matches!(refused, Err(StoreError::ReservationUsed { .. })), "{what}");
        }
    }
    while store.prune(Timestamp(100 + PRUNED), 2).unwrap().remaining {}
    // Whatever of them is there goes now, each once.
    assert_eq!(forget(&store, 100), FORGOTTEN - unknown, "{point} {visits}");
    assert_eq!(forget(&store, 100), 0, "{point} {visits}");
    let next = Sample::new(SAMPLES, 500);
    store.keep(&next.kept()).unwrap();
    assert_eq!(store.rows_of(next.header.hash()).unwrap(), next.rows);
}

#[test]
fn a_process_killed_at_any_boundary_keeps_what_it_acknowledged() {
    let points = [
        ("keep::before_write", [1, 7]),
        ("keep::after_write", [1, 7]),
        ("prune::before_write", [1, 3]),
        ("prune::after_write", [1, 3]),
        ("forget::before_write", [1, 3]),
        ("forget::after_write", [1, 4]),
    ];
    for (point, visits) in points {
        for visit in visits {
            let dir = tempfile::tempdir().unwrap();
            assert!(kill_at(CHILD, point, visit, dir.path()), "the child never came to {point}");
            check(dir.path(), point, visit);
        }
    }
}
