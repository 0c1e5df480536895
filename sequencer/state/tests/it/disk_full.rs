//! A full disk: typed error, nothing half-applied, works again when space returns.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use cairn_state::StateError;

use crate::chain::{Chain, assert_view};

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

#[test]
fn a_full_disk_refuses_commits_serves_reads_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let Some(_disk) = SmallDisk::mount(dir.path(), 96) else {
        println!("skipped: mounting a small file system needs privileges");
        return;
    };
    let mut chain = Chain::create(&dir.path().join("store"), 5, 40);
    for _ in 0..4 {
        chain.extend();
    }
    chain.commit(2);
    fill(&dir.path().join("ballast"));
    let mut refused = None;
    while refused.is_none() {
        chain.extend();
        refused = chain.store.commit(&chain.open[..1]).err();
        if refused.is_none() {
            chain.open.remove(0);
        }
    }
    let refused = refused.unwrap();
    assert!(matches!(refused, StateError::NoSpace(_)) && refused.is_retryable(), "{refused}");
    let tip = chain.store.tip().unwrap().number;
    assert_view(&chain.store.latest().unwrap(), &chain.models[tip as usize], chain.pool);
    assert_view(&chain.view(), chain.model(), chain.pool);
    std::fs::remove_file(dir.path().join("ballast")).unwrap();
    let start = Instant::now();
    while let Err(error) = chain.store.commit(&chain.open) {
        assert!(error.is_retryable(), "{error}");
        assert!(start.elapsed() < Duration::from_secs(60), "no recovery: {error}");
        std::thread::yield_now();
    }
    println!("recovered after {:?}", start.elapsed());
    chain.open.clear();
    assert_eq!(chain.store.verify(|_| ()).unwrap().difference, None);
    let chain = chain.reopen();
    assert_view(&chain.view(), chain.model(), chain.pool);
    assert_eq!(chain.store.verify(|_| ()).unwrap().difference, None);
}
