//! What the store keeps, refuses and forgets.

use alloy_primitives::{Address, B256};
use cairn_da_node::store::{Held, Identity, Kept, Pruned, Store, StoreError};
use cairn_primitives::da::{Epoch, RowIndex, Timestamp};

use crate::fixture::{Sample, identity, open, options};

fn assert_here(store: &Store, sample: &Sample) {
    let hash = sample.header.hash();
    let Held::Here(held) = store.header(hash).unwrap() else { panic!("no header") };
    assert_eq!(held.header, sample.header);
    assert_eq!(held.payer_signature, sample.payer_signature);
    assert_eq!(held.commitments, sample.commitments);
    assert_eq!(store.rows_of(hash).unwrap(), sample.rows);
    for (at, row) in sample.rows.iter().enumerate() {
        assert_eq!(store.row(hash, *row).unwrap(), Held::Here(sample.row(at).to_vec()));
    }
    let (payer, reservation) = (sample.header.payer, sample.header.reservation);
    assert_eq!(store.reservation(payer, reservation).unwrap(), Some(hash));
}

#[test]
fn what_is_kept_is_read_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let samples: Vec<_> = (0..20).map(|n| Sample::new(n, 100 + n)).collect();
    let store = open(dir.path());
    for sample in &samples {
        store.keep(&sample.kept()).unwrap();
    }
    drop(store);
    let store = open(dir.path());
    for sample in &samples {
        assert_here(&store, sample);
    }
    let unknown = B256::repeat_byte(9);
    assert_eq!(store.header(unknown).unwrap(), Held::Unknown);
    assert_eq!(store.row(unknown, RowIndex(1)).unwrap(), Held::Unknown);
    assert_eq!(store.rows_of(unknown).unwrap(), []);
    assert_eq!(store.row(samples[0].header.hash(), RowIndex(2)).unwrap(), Held::Unknown);
}

/// The log of a closed store that was not flushed.
fn log_of(dir: &std::path::Path) -> std::path::PathBuf {
    let files = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    let logs = files.filter(|path| path.extension().is_some_and(|it| it == "log"));
    logs.max_by_key(|path| path.metadata().unwrap().len()).unwrap()
}

#[test]
fn a_log_damaged_before_its_end_is_refused_and_a_torn_end_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let samples: Vec<_> = (0..8).map(|n| Sample::new(n, 100 + n)).collect();
    let store = open(dir.path());
    for sample in &samples {
        store.keep(&sample.kept()).unwrap();
    }
    drop(store);
    let path = log_of(dir.path());
    let log = std::fs::read(&path).unwrap();
    let commitments = &samples[3].commitments[..];
    let at = log.windows(commitments.len()).position(|window| window == commitments).unwrap();
    let mut damaged = log.clone();
    damaged[at] ^= 1;
    std::fs::write(&path, &damaged).unwrap();
    let refused = Store::open(dir.path(), &options(), &identity()).unwrap_err();
    assert!(refused.to_string().contains("Corruption"), "{refused}");
    std::fs::write(&path, &log[..log.len() - 10]).unwrap();
    let store = open(dir.path());
    for sample in &samples[..7] {
        assert_here(&store, sample);
    }
    assert_eq!(store.header(samples[7].header.hash()).unwrap(), Held::Unknown);
}

#[test]
fn a_reservation_has_one_header_also_when_its_rows_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    let first = Sample::new(1, 100);
    let mut second = first.clone();
    second.header.hashes_root = B256::repeat_byte(77);
    let refused = |store: &Store| match store.keep(&second.kept()) {
        Err(StoreError::ReservationUsed { used_by, .. }) => {
            assert_eq!(used_by, first.header.hash())
        }
        other => panic!("{other:?}"),
    };
    let store = open(dir.path());
    store.keep(&first.kept()).unwrap();
    refused(&store);
    assert_eq!(store.header(second.header.hash()).unwrap(), Held::Unknown);
    store.keep(&first.kept()).unwrap();
    drop(store);
    let store = open(dir.path());
    refused(&store);
    assert_eq!(store.prune(Timestamp(101), 10).unwrap().headers, 1);
    refused(&store);
    // The number of another payer is another reservation.
    second.header.payer = Address::repeat_byte(5);
    store.keep(&second.kept()).unwrap();
    assert_here(&store, &second);
}

#[test]
fn threads_that_race_for_a_reservation_get_one_header() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    for round in 0..20 {
        let won: usize = std::thread::scope(|scope| {
            let racers: Vec<_> = (0..4_u8)
                .map(|racer| {
                    let store = store.clone();
                    scope.spawn(move || {
                        let mut sample = Sample::new(round, 100);
                        sample.header.hashes_root = B256::repeat_byte(racer);
                        usize::from(store.keep(&sample.kept()).is_ok())
                    })
                })
                .collect();
            racers.into_iter().map(|racer| racer.join().unwrap()).sum()
        });
        assert_eq!(won, 1, "round {round}");
    }
}

#[test]
fn more_rows_of_a_header_join_those_that_are_here() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let sample = Sample::new(1, 100);
    store.keep(&sample.kept()).unwrap();
    let mut more = sample.clone();
    more.rows = vec![RowIndex(0), RowIndex(7), RowIndex(15)];
    more.bytes = vec![1; more.header.shape.sent_bytes(&more.rows)];
    store.keep(&more.kept()).unwrap();
    let rows = store.rows_of(sample.header.hash()).unwrap();
    assert_eq!(rows, [0, 1, 7, 9, 15].map(RowIndex));
}

#[test]
fn expired_rows_are_gone_and_the_others_stay() {
    let dir = tempfile::tempdir().unwrap();
    let samples: Vec<_> = (0..30).map(|n| Sample::new(n, 1000 - n)).collect();
    let store = open(dir.path());
    for sample in &samples {
        store.keep(&sample.kept()).unwrap();
    }
    assert_eq!(store.prune(Timestamp(971), 10).unwrap(), Pruned::default());
    let step = store.prune(Timestamp(981), 7).unwrap();
    assert_eq!(step, Pruned { headers: 7, remaining: true });
    let step = store.prune(Timestamp(981), 7).unwrap();
    assert_eq!(step, Pruned { headers: 3, remaining: false });
    drop(store);
    let store = open(dir.path());
    for sample in &samples {
        let hash = sample.header.hash();
        if sample.header.expiry < Timestamp(981) {
            assert_eq!(store.header(hash).unwrap(), Held::Gone);
            assert_eq!(store.row(hash, RowIndex(1)).unwrap(), Held::Gone);
            assert_eq!(store.rows_of(hash).unwrap(), []);
        } else {
            assert_here(&store, sample);
        }
    }
}

#[test]
fn headers_are_forgotten_when_their_epoch_is_over() {
    let dir = tempfile::tempdir().unwrap();
    let samples: Vec<_> = (0..6).map(|n| Sample::new(n, 100 + n)).collect();
    let store = open(dir.path());
    for sample in &samples {
        store.keep(&sample.kept()).unwrap();
    }
    let (after, done) = (Timestamp(604), Pruned::default());
    // With rows, in an epoch that is signed for, or before the end of its certificates it stays.
    assert_eq!(store.forget(after, Epoch(2), 10).unwrap(), done);
    while store.prune(after, 10).unwrap().remaining {}
    assert_eq!(store.forget(after, Epoch(1), 10).unwrap(), done);
    assert_eq!(store.forget(Timestamp(600), Epoch(2), 10).unwrap(), done);
    let step = store.forget(after, Epoch(2), 3).unwrap();
    assert_eq!(step, Pruned { headers: 3, remaining: true });
    let step = store.forget(after, Epoch(2), 3).unwrap();
    assert_eq!(step, Pruned { headers: 1, remaining: false });
    drop(store);
    let store = open(dir.path());
    for (n, sample) in samples.iter().enumerate() {
        let (header, hash) = (sample.header, sample.header.hash());
        let (held, used) = if n < 4 { (Held::Unknown, None) } else { (Held::Gone, Some(hash)) };
        assert_eq!(store.header(hash).unwrap(), held);
        assert_eq!(store.reservation(header.payer, header.reservation).unwrap(), used);
    }
    // The number is free for a header of another epoch.
    let mut next = samples[0].clone();
    next.header.epoch = Epoch(9);
    store.keep(&next.kept()).unwrap();
    assert_here(&store, &next);
}

#[test]
fn a_header_with_two_ends_is_forgotten_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let sample = Sample::new(1, 100);
    store.keep(&sample.kept()).unwrap();
    store.keep(&Kept { certificates_end: Timestamp(700), ..sample.kept() }).unwrap();
    store.prune(Timestamp(800), 10).unwrap();
    assert_eq!(store.forget(Timestamp(800), Epoch(2), 10).unwrap().headers, 1);
    assert_eq!(store.header(sample.header.hash()).unwrap(), Held::Unknown);
    assert_eq!(store.forget(Timestamp(800), Epoch(2), 10).unwrap(), Pruned::default());
}

#[test]
fn pruning_gives_the_disk_back() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let mut large = Sample::new(0, 0);
    large.header.shape = cairn_primitives::da::Shape::new(4, 4096).unwrap();
    large.bytes = vec![7; large.header.shape.sent_bytes(&large.rows)];
    large.commitments = vec![7; large.header.shape.commitment_bytes()];
    for n in 0..120 {
        large.header.reservation.0 = n;
        large.header.expiry.0 = 100 + n;
        store.keep(&large.kept()).unwrap();
    }
    let before = size_of(dir.path());
    assert!(before > 40 << 20, "{before}");
    while store.prune(Timestamp(1000), 50).unwrap().remaining {}
    drop(store);
    // Opening again drops the log and what no version refers to.
    drop(open(dir.path()));
    let after = size_of(dir.path());
    assert!(after < before / 3, "{after} of {before} bytes are left");
}

fn size_of(dir: &std::path::Path) -> u64 {
    let files = std::fs::read_dir(dir).unwrap();
    files.map(|file| file.unwrap().metadata().unwrap().len()).sum()
}

#[test]
fn stores_of_others_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let store = open(dir.path());
    let locked = Store::open(dir.path(), &options(), &identity()).unwrap_err();
    assert!(matches!(locked, StoreError::Locked { .. }), "{locked}");
    drop(store);
    let mut other_operator = identity();
    other_operator.operator = Address::ZERO;
    let mut other_chain = identity();
    other_chain.domain.chain_id = 1;
    let mut other_registry = identity();
    other_registry.domain.registry = Address::ZERO;
    for other in [other_operator, other_chain, other_registry] {
        let refused = Store::open(dir.path(), &options(), &other).unwrap_err();
        let Identity { operator, .. } = identity();
        let StoreError::WrongIdentity { found, expected, .. } = &refused else {
            panic!("{refused}")
        };
        assert!(found.contains(&operator.to_string()) && found != expected);
    }
    open(dir.path());
}

#[test]
fn another_schema_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let names = rocksdb::DB::list_cf(&rocksdb::Options::default(), dir.path()).unwrap();
    let db = rocksdb::DB::open_cf(&rocksdb::Options::default(), dir.path(), names).unwrap();
    db.put_cf(db.cf_handle("meta").unwrap(), b"schema", 9_u32.to_be_bytes()).unwrap();
    drop(db);
    let refused = Store::open(dir.path(), &options(), &identity()).unwrap_err();
    assert!(matches!(refused, StoreError::WrongSchema { found: 9, expected: 1, .. }), "{refused}");
}
