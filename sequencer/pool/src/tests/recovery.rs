//! The recovery stage: many submitters, few workers.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use alloy_consensus::{SignableTransaction, TxEip7702};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Bytes, keccak256};
use cairn_primitives::TxEnvelope;

use super::support::*;
use crate::{
    JournalRecord, Origin, PoolConfig, PoolError, PoolEvent, Recovery, RecoveryConfig, Reply,
    SharedPool, Timestamp,
};

const SENDERS: u64 = 8;

fn chain() -> Tip {
    let tip = Tip::default();
    for sender in 0..SENDERS {
        tip.0.set(Key(sender).address(), account(0, RICH));
    }
    tip
}

fn shared(tip: &Tip) -> SharedPool {
    SharedPool::new(PoolConfig::default(), Arc::new(tip.clone()), conditions())
}

fn spawn(pool: &SharedPool) -> Recovery {
    let config = RecoveryConfig { workers: 3, ..RecoveryConfig::default() };
    Recovery::spawn(pool.clone(), &config).unwrap()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < deadline, "timed out waiting until {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn many_submitters_get_each_transaction_in_once() {
    let tip = chain();
    let pool = shared(&tip);
    let recovery = Arc::new(spawn(&pool));
    let nonces = 20;
    let raws: Vec<Bytes> = (0..nonces)
        .flat_map(|nonce| (0..SENDERS).map(move |sender| Key(sender).transfer(nonce)))
        .collect();
    let runtime = runtime();
    // Three tasks submit the same transactions in different orders.
    let tasks: Vec<_> = (0..3)
        .map(|task| {
            let (recovery, mut raws) = (recovery.clone(), raws.clone());
            raws.rotate_left(task * 37);
            runtime.spawn(async move {
                let mut accepted = 0;
                for raw in raws {
                    match recovery.add(raw.clone(), Origin::Remote).await {
                        Ok(hash) => {
                            assert_eq!(hash, keccak256(&raw));
                            accepted += 1;
                        }
                        Err(error) => assert!(matches!(error, PoolError::AlreadyKnown), "{error}"),
                    }
                }
                accepted
            })
        })
        .collect();
    let accepted: usize = tasks.into_iter().map(|task| runtime.block_on(task).unwrap()).sum();
    assert_eq!(accepted, raws.len());
    pool.read(|pool| {
        assert_eq!(pool.status().pending, raws.len());
        pool.check();
    });
    // The account of each sender is read when it is first seen, not for each transaction.
    assert!(tip.0.reads.load(Ordering::Relaxed) <= 3 * SENDERS as usize);
}

#[test]
fn a_builder_that_runs_along_executes_everything_in_nonce_order() {
    let tip = chain();
    let pool = shared(&tip);
    let recovery = spawn(&pool);
    let woken = Arc::new(AtomicUsize::new(0));
    let counter = woken.clone();
    let builder = std::thread::current();
    pool.set_waker(move || {
        counter.fetch_add(1, Ordering::Relaxed);
        builder.unpark();
    });
    let (total, answered) = (SENDERS * 25, Arc::new(AtomicUsize::new(0)));
    for nonce in 0..25 {
        for sender in 0..SENDERS {
            let answered = answered.clone();
            let reply = Reply::Callback(Box::new(move |outcome| {
                outcome.unwrap();
                answered.fetch_add(1, Ordering::Relaxed);
            }));
            recovery.submit(Key(sender).transfer(nonce), Origin::Remote, reply).unwrap();
        }
    }
    let mut next = std::collections::HashMap::new();
    let mut batch = Vec::new();
    let mut executed = 0;
    let deadline = Instant::now() + Duration::from_secs(20);
    while executed < total {
        assert!(Instant::now() < deadline, "executed {executed} of {total}");
        pool.take_best(7, &mut batch);
        if batch.is_empty() {
            std::thread::park_timeout(Duration::from_secs(1));
            continue;
        }
        for tx in &batch {
            let expected = next.entry(tx.sender()).or_insert(0);
            assert_eq!(tx.nonce(), *expected);
            *expected += 1;
            tip.0.set(tx.sender(), account(*expected, RICH));
        }
        executed += batch.len() as u64;
        pool.with(|pool| {
            for tx in batch.drain(..) {
                pool.executed(&tx.hash(), &account(tx.nonce() + 1, RICH));
            }
        });
    }
    wait_until("all are answered", || answered.load(Ordering::Relaxed) as u64 == total);
    assert!(woken.load(Ordering::Relaxed) >= 1);
    pool.read(|pool| {
        pool.check();
        assert_eq!((pool.status().pending, pool.status().included as u64), (0, total));
    });
}

#[test]
fn a_batch_is_answered_as_a_whole_and_in_order() {
    let tip = chain();
    let pool = shared(&tip);
    // With two workers either of the two equal transactions may be the first.
    let config = RecoveryConfig { workers: 1, ..RecoveryConfig::default() };
    let recovery = Recovery::spawn(pool.clone(), &config).unwrap();
    let poor = Key(100);
    let raws = vec![
        Key(0).transfer(0),
        Bytes::from_static(&[0xc0]),
        Key(0).transfer(1),
        Key(0).transfer(0),
        poor.transfer(0),
        Bytes::from(vec![2; 200_000]),
    ];
    let runtime = runtime();
    let results = runtime.block_on(recovery.add_many(raws.clone(), Origin::Remote));
    let texts: Vec<String> = results
        .iter()
        .map(|result| result.as_ref().map_or_else(ToString::to_string, |hash| hash.to_string()))
        .collect();
    assert_eq!(texts[0], keccak256(&raws[0]).to_string());
    assert!(texts[1].starts_with("rlp: "));
    assert_eq!(texts[2], keccak256(&raws[2]).to_string());
    assert_eq!(texts[3], "already known");
    let size = poor.transfer(0).len();
    let cost = 21_000 * 100 + size;
    let funds = "insufficient funds for gas * price + value";
    assert_eq!(texts[4], format!("{funds}: balance 0, tx cost {cost}, overshot {cost}"));
    assert_eq!(texts[5], "oversized data: transaction size 200000, limit 131072");
    assert!(runtime.block_on(recovery.add_many(Vec::new(), Origin::Remote)).is_empty());
    pool.read(crate::Pool::check);
}

#[test]
fn a_full_queue_is_busy_at_once() {
    let tip = chain();
    let pool = shared(&tip);
    let config = RecoveryConfig { workers: 1, queue_txs: 4, batch: 1, ..RecoveryConfig::default() };
    let recovery = Recovery::spawn(pool.clone(), &config).unwrap();
    let busy = pool.with(|_locked| {
        // The worker waits for the lock held here, so the queue fills.
        let mut busy = 0;
        for nonce in 0..8 {
            let reply = Reply::Callback(Box::new(|outcome| {
                outcome.unwrap();
            }));
            let result = recovery.submit(Key(0).transfer(nonce), Origin::Remote, reply);
            busy += usize::from(matches!(result, Err(PoolError::Busy)));
        }
        busy
    });
    assert!((3..=4).contains(&busy), "{busy} were busy");
    wait_until("the rest is pooled", || pool.status().pending == 8 - busy);
    assert_eq!(PoolError::Busy.code(), -32000);
}

#[test]
fn bytes_in_the_queue_are_limited_as_well() {
    let tip = chain();
    let pool = shared(&tip);
    let raw = Key(0).transfer(0);
    let config =
        RecoveryConfig { workers: 1, queue_bytes: raw.len() - 1, ..RecoveryConfig::default() };
    let recovery = Recovery::spawn(pool, &config).unwrap();
    let result = runtime().block_on(recovery.add(raw, Origin::Remote));
    assert!(matches!(result, Err(PoolError::Busy)));
}

#[test]
fn stopping_answers_what_waits() {
    let tip = chain();
    let pool = shared(&tip);
    let config = RecoveryConfig { workers: 1, batch: 1, ..RecoveryConfig::default() };
    let recovery = Recovery::spawn(pool.clone(), &config).unwrap();
    let answers = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let submitted = 200;
    for nonce in 0..submitted {
        let answers = answers.clone();
        let reply = Reply::Callback(Box::new(move |outcome| answers.lock().push(outcome)));
        recovery.submit(Key(0).transfer(nonce), Origin::Remote, reply).unwrap();
    }
    drop(recovery);
    let answers = answers.lock();
    assert_eq!(answers.len() as u64, submitted);
    let stopped = answers.iter().filter(|a| matches!(a, Err(PoolError::Stopped))).count();
    assert_eq!(pool.status().pending + stopped, answers.len());
}

#[test]
fn a_state_that_cannot_be_read_is_an_internal_error() {
    let tip = chain();
    let pool = shared(&tip);
    let recovery = spawn(&pool);
    let runtime = runtime();
    tip.0.failing.store(true, Ordering::Relaxed);
    let error = runtime.block_on(recovery.add(Key(0).transfer(0), Origin::Remote)).unwrap_err();
    assert_eq!(
        (error.code(), error.to_string().as_str()),
        (-32603, "internal error: state store: disk gone")
    );
    tip.0.failing.store(false, Ordering::Relaxed);
    runtime.block_on(recovery.add(Key(0).transfer(0), Origin::Remote)).unwrap();
}

#[test]
fn authorities_are_recovered_for_a_sender_who_can_pay() {
    let tip = chain();
    let pool = shared(&tip);
    let recovery = spawn(&pool);
    let set_code = |key: Key| -> Bytes {
        let tx = TxEip7702 {
            chain_id: CHAIN_ID,
            gas_limit: 100_000,
            max_fee_per_gas: 100,
            max_priority_fee_per_gas: 1,
            authorization_list: vec![Key(7).authorization(0), unsigned_authorization()],
            ..TxEip7702::default()
        };
        let signature = key.sign(tx.signature_hash());
        TxEnvelope::Eip7702(tx.into_signed(signature)).encoded_2718().into()
    };
    let runtime = runtime();
    let poor = runtime.block_on(recovery.add(set_code(Key(100)), Origin::Remote));
    assert!(matches!(poor, Err(PoolError::InsufficientFunds { .. })));
    let hash = runtime.block_on(recovery.add(set_code(Key(0)), Origin::Remote)).unwrap();
    assert!(pool.get(&hash).unwrap().authorities().contains(&Key(7).address()));
    runtime.block_on(recovery.add(Key(7).transfer(0), Origin::Remote)).unwrap();
    let second = runtime.block_on(recovery.add(Key(7).transfer(1), Origin::Remote));
    assert!(matches!(second, Err(PoolError::InFlightLimit)));
}

#[test]
fn a_fee_above_the_cap_is_refused_but_not_in_the_journal() {
    let tip = chain();
    let fee = 21_000 * 1_000_000_000_000_000;
    let raw =
        |key: Key, cap| -> Bytes { key.signed(tx(0, 0).cap(cap).inner).encoded_2718().into() };
    for key in 0..SENDERS {
        tip.0.set(Key(key).address(), account(0, 100 * fee));
    }
    let spawn_with = |fee_cap_wei| {
        let config = PoolConfig { fee_cap_wei, ..PoolConfig::default() };
        spawn(&SharedPool::new(config, Arc::new(tip.clone()), conditions()))
    };
    let runtime = runtime();
    let add = |recovery: &Recovery, raw| runtime.block_on(recovery.add(raw, Origin::Local));
    let capped = spawn_with(fee);
    add(&capped, raw(Key(0), 1_000_000_000_000_000)).unwrap();
    let dear = raw(Key(1), 1_500_000_000_000_000);
    let error = add(&capped, dear.clone()).unwrap_err();
    let text = "tx fee (31.50 ether) exceeds the configured cap (21.00 ether)";
    assert_eq!((error.code(), error.to_string().as_str()), (-32000, text));
    assert!(add(&capped, raw(Key(2), 1_000_000_000_000_001)).is_err());
    let record = JournalRecord { received: Timestamp(1), encoded: dear.clone() };
    assert_eq!(capped.restore(vec![record]).restored, 1);
    add(&spawn_with(0), dear).unwrap();
}

#[test]
fn a_transaction_of_a_sealed_block_is_told_that_its_nonce_is_used() {
    let tip = chain();
    let config = PoolConfig { idle_senders: 1, ..PoolConfig::default() };
    let pool = SharedPool::new(config, Arc::new(tip.clone()), conditions());
    let (recovery, runtime) = (spawn(&pool), runtime());
    let add = |raw| runtime.block_on(recovery.add(raw, Origin::Remote));
    let text = |raw| add(raw).unwrap_err().to_string();
    let hash = add(Key(0).transfer(0)).unwrap();
    tip.0.set(Key(0).address(), account(1, RICH));
    pool.with(|pool| pool.executed(&hash, &account(1, RICH)));
    assert_eq!(text(Key(0).transfer(0)), "already known");
    pool.with(|pool| pool.block_sealed(1));
    let used = "nonce too low: next nonce 1, tx nonce 0";
    assert_eq!(text(Key(0).transfer(0)), used);
    // The same when the sender is forgotten in favour of others and read anew.
    for other in 1..4 {
        let hash = add(Key(other).transfer(0)).unwrap();
        tip.0.set(Key(other).address(), account(1, RICH));
        pool.with(|pool| pool.executed(&hash, &account(1, RICH)));
    }
    assert!(pool.read(|pool| pool.needs_view(Key(0).address())));
    assert_eq!(text(Key(0).transfer(0)), used);
    assert_eq!(text(Key(3).transfer(0)), "already known");
    pool.read(crate::Pool::check);
}

#[test]
fn a_journal_is_restored_in_the_order_of_arrival() {
    let tip = chain();
    tip.0.set(Key(1).address(), account(1, RICH));
    let pool = shared(&tip);
    let recovery = spawn(&pool);
    let record = |raw: Bytes, at| JournalRecord { received: Timestamp(at), encoded: raw };
    let records = vec![
        record(Key(2).transfer(0), 30),
        record(Key(0).transfer(0), 10),
        record(Key(1).transfer(0), 5),
        record(Bytes::from_static(&[0xc0]), 6),
        record(Key(3).transfer(0), 20),
    ];
    let report = recovery.restore(records);
    assert_eq!(report.restored, 3);
    assert_eq!(report.rejected, [keccak256(Key(1).transfer(0)), keccak256([0xc0])]);
    let mut out = Vec::new();
    pool.take_best(9, &mut out);
    let senders: Vec<_> = out.iter().map(|tx| tx.sender()).collect();
    assert_eq!(senders, [0, 3, 2].map(|key| Key(key).address()));
    assert!(out.iter().all(|tx| tx.origin().is_local()));
}

#[test]
fn subscribers_hear_of_each_executable_transaction_once() {
    let tip = chain();
    let pool = shared(&tip);
    let recovery = spawn(&pool);
    let mut events = pool.subscribe();
    let runtime = runtime();
    let add = |raw| runtime.block_on(recovery.add(raw, Origin::Remote)).unwrap();
    let second = add(Key(0).transfer(1));
    assert!(events.try_recv().is_err(), "a queued transaction is not announced");
    let first = add(Key(0).transfer(0));
    let Ok(PoolEvent::Pending(txs)) = events.try_recv() else { panic!("no event") };
    assert_eq!(txs.iter().map(|tx| tx.hash()).collect::<Vec<_>>(), [first, second]);
    pool.with(|pool| pool.on_block(with_base_fee(1_000), Timestamp(0)));
    pool.with(|pool| pool.on_block(with_base_fee(10), Timestamp(0)));
    assert!(events.try_recv().is_err(), "nothing is announced twice");
    pool.with(|pool| pool.on_state_change([(Key(0).address(), account(2, RICH))]));
    let Ok(PoolEvent::Dropped(dropped)) = events.try_recv() else { panic!("no event") };
    assert_eq!(dropped.len(), 2);
}
