//! A full disk: typed error, nothing half-applied, reads go on, works again when space returns.

use std::time::{Duration, Instant};

use cairn_da_node::store::{Held, StoreError};
use cairn_primitives::da::Shape;
use cairn_test_setup::SmallDisk;

use crate::fixture::{Sample, open};

fn large(number: u64) -> Sample {
    let mut sample = Sample::new(number, 1000);
    sample.header.shape = Shape::new(4, 4096).unwrap();
    sample.bytes = vec![number as u8; sample.header.shape.sent_bytes(&sample.rows)];
    sample.commitments = vec![7; sample.header.shape.commitment_bytes()];
    sample
}

#[test]
fn a_full_disk_refuses_writes_serves_reads_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(dir.path(), 64) else { return };
    let store = open(&dir.path().join("store"));
    store.keep(&large(0).kept()).unwrap();
    disk.fill();
    let mut number = 0;
    let refused = loop {
        number += 1;
        if let Err(error) = store.keep(&large(number).kept()) {
            break error;
        }
    };
    assert!(matches!(refused, StoreError::NoSpace(_)), "{refused}");
    let lost = large(number);
    assert_eq!(store.header(lost.header.hash()).unwrap(), Held::Unknown);
    let reservation = store.reservation(lost.header.payer, lost.header.reservation);
    assert_eq!(reservation.unwrap(), None);
    for n in 0..number {
        let sample = large(n);
        let row = store.row(sample.header.hash(), sample.rows[1]).unwrap();
        assert_eq!(row, Held::Here(sample.row(1).to_vec()));
    }
    disk.free();
    let start = Instant::now();
    while let Err(error) = store.keep(&lost.kept()) {
        assert!(matches!(error, StoreError::NoSpace(_)), "{error}");
        assert!(start.elapsed() < Duration::from_secs(60), "no recovery: {error}");
        std::thread::yield_now();
    }
    drop(store);
    let store = open(&dir.path().join("store"));
    for n in 0..=number {
        let sample = large(n);
        assert_eq!(store.rows_of(sample.header.hash()).unwrap(), sample.rows, "{n}");
    }
}
