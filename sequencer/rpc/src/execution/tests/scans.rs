//! Reads of many blocks: their time, their threads, and what happens when nobody waits for them.

use std::sync::Arc;
use std::time::Duration;

use cairn_genesis::{DevOptions, dev_genesis};
use serde_json::json;

use super::node::Node;
use crate::scan::Scan;
use crate::{Args, Backend, Methods, RpcConfig, RpcError};

fn node(change: impl FnOnce(&mut RpcConfig)) -> Node {
    let mut config = RpcConfig::default();
    change(&mut config);
    Node::with(&dev_genesis(&DevOptions::default()).unwrap(), config, |methods| {
        crate::logs::register(methods);
        crate::eth::register(methods);
        crate::txpool::register(methods);
        register(methods);
    })
}

fn register(methods: &mut Methods) {
    methods.scanning("test_endless", 0, endless);
    methods.scanning("test_scan", 0, |_, _, _| Ok("scanned"));
    methods.reading("test_read", 0, |_, _| Ok("read"));
}

fn endless(_: &Backend, _: &Args, scan: &Scan) -> Result<(), RpcError> {
    loop {
        scan.check()?;
        std::thread::yield_now();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_that_takes_too_long_is_an_error() {
    let node = node(|config| config.methods.scan_timeout = Duration::ZERO);
    let filter = node.call("eth_newFilter", json!([{"fromBlock": "earliest"}])).await.unwrap();
    for (method, params) in [
        ("eth_getLogs", json!([{"fromBlock": "earliest"}])),
        ("eth_getFilterLogs", json!([filter])),
        ("eth_feeHistory", json!(["0x1", "latest", []])),
        ("test_endless", json!([])),
    ] {
        let error = node.call(method, params).await.unwrap_err();
        let expected = json!({"code": -32005, "message": "query timeout exceeded"});
        assert_eq!(error, expected, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn scans_leave_the_readers_their_threads_and_end_with_their_callers() {
    let node = Arc::new(node(|config| {
        config.methods.scan_timeout = Duration::MAX;
        config.limits.read_threads = 1;
        config.limits.scan_threads = 2;
    }));
    let scans: Vec<_> = (0..8)
        .map(|_| {
            let node = node.clone();
            tokio::spawn(async move { node.call("test_endless", json!([])).await })
        })
        .collect();
    for _ in 0..100 {
        assert_eq!(node.call("test_read", json!([])).await.unwrap(), "read");
    }
    assert!(scans.iter().all(|scan| !scan.is_finished()));
    for scan in &scans {
        scan.abort();
    }
    let next = node.call("test_scan", json!([]));
    let next = tokio::time::timeout(Duration::from_secs(30), next).await;
    assert_eq!(next.expect("abandoned scans end").unwrap(), "scanned");
}
