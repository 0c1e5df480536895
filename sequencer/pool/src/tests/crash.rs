//! A recovery worker outlives a panic.

use std::sync::Arc;

use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::Bytes;
use cairn_primitives::StateReader;

use super::support::*;
use crate::{
    ErrorKind, Origin, PoolConfig, PoolError, Recovery, RecoveryConfig, Reply, RollupCost,
    SharedPool, TipState,
};

/// Gas limit of the transaction that crashes the worker.
const POISON: u64 = 66_666;

/// A chain whose fee rule has a defect.
#[derive(Debug)]
struct Defective(Tip);

impl TipState for Defective {
    fn view(&self) -> Arc<dyn StateReader> {
        self.0.view()
    }

    fn rollup_cost(&self, encoded: &[u8], gas_limit: u64) -> RollupCost {
        assert!(gas_limit != POISON, "defect in the fee rule");
        self.0.rollup_cost(encoded, gas_limit)
    }
}

fn poison(key: Key) -> Bytes {
    key.signed(tx(0, 0).gas(POISON).inner).encoded_2718().into()
}

/// One worker, so that what comes after a panic meets the thread that panicked.
fn one_worker() -> (SharedPool, Recovery) {
    let tip = Tip::default();
    for key in 0..4 {
        tip.0.set(Key(key).address(), account(0, RICH));
    }
    let pool = SharedPool::new(PoolConfig::default(), Arc::new(Defective(tip)), conditions());
    let config = RecoveryConfig { workers: 1, ..RecoveryConfig::default() };
    let recovery = Recovery::spawn(pool.clone(), &config).unwrap();
    (pool, recovery)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn a_panic_is_answered_as_an_internal_error_and_the_worker_goes_on() {
    let ((pool, recovery), runtime) = (one_worker(), runtime());
    for _ in 0..3 {
        let error = runtime.block_on(recovery.add(poison(Key(0)), Origin::Remote)).unwrap_err();
        assert_eq!((error.code(), error.kind()), (-32603, ErrorKind::Internal));
        assert_eq!(error.to_string(), "internal error: transaction processing crashed");
    }
    runtime.block_on(recovery.add(Key(0).transfer(0), Origin::Remote)).unwrap();
    assert_eq!(pool.status().pending, 1);
    pool.read(crate::Pool::check);
}

#[test]
fn a_panic_answers_everyone_in_its_batch() {
    let ((pool, recovery), runtime) = (one_worker(), runtime());
    let raws = vec![Key(1).transfer(0), poison(Key(2)), Key(3).transfer(0)];
    let results = runtime.block_on(recovery.add_many(raws.clone(), Origin::Remote));
    assert!(results.iter().all(|result| matches!(result, Err(PoolError::Crashed))), "{results:?}");
    assert_eq!(pool.status().pending, 0);
    for raw in [&raws[0], &raws[2]] {
        runtime.block_on(recovery.add(raw.clone(), Origin::Remote)).unwrap();
    }
}

#[test]
fn a_callback_that_panics_does_not_stop_the_worker() {
    let ((_, recovery), runtime) = (one_worker(), runtime());
    let reply = Reply::Callback(Box::new(|_| panic!("defect in a callback")));
    recovery.submit(Key(0).transfer(0), Origin::Remote, reply).unwrap();
    runtime.block_on(recovery.add(Key(0).transfer(1), Origin::Remote)).unwrap();
}
