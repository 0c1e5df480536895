//! A full disk: typed error, nothing half-applied, reads go on, works again when space returns.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use cairn_da_node::store::{Held, StoreError};
use cairn_primitives::da::Shape;

use crate::fixture::{Sample, open};

/// A file system of a fixed size, unmounted at the end.
struct SmallDisk<'a>(&'a Path);

impl<'a> SmallDisk<'a> {
    fn mount(path: &'a Path, megabytes: u32) -> Option<Self> {
        let size = format!("size={megabytes}m");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(path)
            .status()
            .is_ok_and(|status| status.success());
        mounted.then_some(Self(path))
    }
}

impl Drop for SmallDisk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

fn fill(path: &Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(path).unwrap();
    for size in [1 << 20, 4 << 10, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}

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
    let Some(_disk) = SmallDisk::mount(dir.path(), 64) else {
        let missing = "mounting a small file system needs privileges";
        assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{missing}");
        println!("skipped: {missing}");
        return;
    };
    let store = open(&dir.path().join("store"));
    store.keep(&large(0).kept()).unwrap();
    fill(&dir.path().join("ballast"));
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
    std::fs::remove_file(dir.path().join("ballast")).unwrap();
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
