//! A full disk: typed error, nothing half-applied, works again when space returns.

use std::time::{Duration, Instant};

use cairn_state::StateError;
use cairn_test_setup::SmallDisk;

use crate::chain::{Chain, assert_view};

#[test]
fn a_full_disk_refuses_commits_serves_reads_and_recovers() {
    let dir = tempfile::tempdir().unwrap();
    let Some(disk) = SmallDisk::mount(dir.path(), 96) else { return };
    let mut chain = Chain::create(&dir.path().join("store"), 5, 40);
    for _ in 0..4 {
        chain.extend();
    }
    chain.commit(2);
    disk.fill();
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
    disk.free();
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
