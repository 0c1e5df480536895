//! `verify` finds what does not belong.

use cairn_state::{Difference, StateError, Store, VerifyReport};

use crate::chain::{Chain, address, open};

/// A store that was changed behind its back.
fn edited(edit: impl FnOnce(&rocksdb::DB)) -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let mut chain = Chain::create(dir.path(), 1, 50);
    for _ in 0..3 {
        chain.extend();
        chain.commit_all();
    }
    drop(chain);
    let options = rocksdb::Options::default();
    let columns = rocksdb::DB::list_cf(&options, dir.path()).unwrap();
    let db = rocksdb::DB::open_cf(&options, dir.path(), columns).unwrap();
    edit(&db);
    drop(db);
    let store = open(dir.path());
    (dir, store)
}

fn verify_after(edit: impl FnOnce(&rocksdb::DB)) -> VerifyReport {
    let (_dir, store) = edited(edit);
    store.verify(|_| ()).unwrap()
}

fn nth(db: &rocksdb::DB, column: &str, n: usize) -> (Vec<u8>, Vec<u8>) {
    let mut iter = db.raw_iterator_cf(db.cf_handle(column).unwrap());
    iter.seek_to_first();
    (0..n).for_each(|_| iter.next());
    let (key, value) = iter.item().unwrap();
    (key.to_vec(), value.to_vec())
}

#[test]
fn a_sound_store_has_no_difference_and_progress_is_shown() {
    let dir = tempfile::tempdir().unwrap();
    let chain = Chain::create(dir.path(), 1, 500);
    let mut last = 0;
    let report = chain.store.verify(|progress| last = progress.per_mille).unwrap();
    assert_eq!((report.difference, report.accounts), (None, 500));
    assert!(last > 900 && report.nodes > 100, "{last} {}", report.nodes);
}

#[test]
fn a_changed_trie_node_is_named_by_its_path() {
    let report = verify_after(|db| {
        let (key, mut value) = nth(db, "atrie", 3);
        *value.last_mut().unwrap() ^= 1;
        db.put_cf(db.cf_handle("atrie").unwrap(), key, value).unwrap();
    });
    let found = report.difference.unwrap();
    assert!(matches!(found, Difference::Node { account: None, .. }), "{found}");
}

#[test]
fn missing_and_superfluous_trie_nodes_are_found() {
    for column in ["atrie", "strie"] {
        let report = verify_after(|db| {
            let (key, _) = nth(db, column, 2);
            db.delete_cf(db.cf_handle(column).unwrap(), key).unwrap();
        });
        let found = report.difference.unwrap();
        assert!(found.to_string().contains("missing"), "{found}");
        let report = verify_after(|db| {
            let (mut key, value) = nth(db, column, 2);
            key.extend([1; 20]);
            db.put_cf(db.cf_handle(column).unwrap(), key, value).unwrap();
        });
        let found = report.difference.unwrap();
        assert!(found.to_string().contains("no leaf calls for"), "{found}");
    }
}

#[test]
fn changed_flat_values_are_found() {
    let report = verify_after(|db| {
        let (key, _) = nth(db, "slot", 2);
        db.put_cf(db.cf_handle("slot").unwrap(), key, [9, 9]).unwrap();
    });
    assert!(matches!(
        report.difference,
        Some(Difference::Node { .. } | Difference::StorageRoot { .. })
    ));
    let report = verify_after(|db| {
        let (key, _) = nth(db, "slot", 2);
        db.delete_cf(db.cf_handle("account").unwrap(), &key[..32]).unwrap();
    });
    assert!(report.difference.is_some());
    let report = verify_after(|db| {
        let (key, _) = nth(db, "code", 0);
        db.delete_cf(db.cf_handle("code").unwrap(), key).unwrap();
    });
    assert!(matches!(report.difference, Some(Difference::Code { .. })));
}

#[test]
fn wrong_old_trie_nodes_are_found_and_prove_nothing() {
    let spoil = |db: &rocksdb::DB| {
        let (key, mut value) = nth(db, "atcs", 0);
        assert_eq!(key.len(), 8, "the root of the first interval");
        *value.last_mut().unwrap() ^= 1;
        db.put_cf(db.cf_handle("atcs").unwrap(), key, value).unwrap();
    };
    let report = verify_after(spoil);
    assert!(matches!(report.difference, Some(Difference::OldRoot { block: 0, .. })), "{report:?}");
    let report = verify_after(|db| {
        let (key, _) = nth(db, "atcs", 0);
        db.put_cf(db.cf_handle("atcs").unwrap(), key, []).unwrap();
    });
    assert!(report.difference.is_some());
    let (_dir, store) = edited(spoil);
    let proof = store.view_at(0).unwrap().proof(address(1), &[]);
    assert!(matches!(proof, Err(StateError::RootMismatch { block: 0, .. })), "{proof:?}");
}
