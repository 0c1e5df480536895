//! What the pool costs for each transaction, stage by stage, and how fast the whole stage runs.
//!
//! `cargo run --release -p cairn-pool --example pool_costs [transactions] [senders]`
//! (defaults 100,000 and 200; add `--profile dist` for the numbers of a shipped build)

use std::hint::black_box;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use alloy_consensus::crypto::secp256k1;
use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use cairn_pool::{
    BlockConditions, Origin, Pool, PoolConfig, PoolTransaction, Recovery, RecoveryConfig, Reply,
    SenderView, SharedPool, Timestamp, TipState, decode_canonical, recover_sender,
};
use cairn_primitives::{Account, ReadError, SignedTx, StateReader, TxEnvelope};

const CHAIN_ID: u64 = 901;

fn conditions(base_fee: u64) -> BlockConditions {
    BlockConditions {
        chain_id: CHAIN_ID,
        base_fee,
        blob_base_fee: 0,
        gas_limit: 1_000_000_000,
        max_blobs: 0,
        homestead: true,
        istanbul: true,
        berlin: true,
        london: true,
        shanghai: true,
        prague: true,
        osaka: false,
    }
}

fn rich(nonce: u64) -> Account {
    Account { nonce, balance: U256::from(u128::MAX), ..Account::default() }
}

/// Everyone is rich and at nonce zero.
#[derive(Debug, Clone)]
struct Rich;

impl StateReader for Rich {
    fn account(&self, _: Address) -> Result<Option<Account>, ReadError> {
        Ok(Some(rich(0)))
    }

    fn storage(&self, _: Address, _: U256) -> Result<U256, ReadError> {
        Ok(U256::ZERO)
    }

    fn code(&self, _: B256) -> Result<Bytes, ReadError> {
        Ok(Bytes::new())
    }

    fn block_hash(&self, _: u64) -> Result<B256, ReadError> {
        Ok(B256::ZERO)
    }
}

impl TipState for Rich {
    fn view(&self) -> Arc<dyn StateReader> {
        Arc::new(Self)
    }
}

fn main() {
    let mut args = std::env::args().skip(1).map(|arg| arg.parse().expect("a number"));
    let count = args.next().unwrap_or(100_000u64);
    let senders = args.next().unwrap_or(200u64).max(1);
    println!("{count} transfers of {senders} senders");
    let raws = sign(count, senders);
    let txs = stages(&raws);
    operations(&txs);
    full_pool(&txs);
    pipeline(&raws);
}

/// Signs transfers round robin, on all cores.
fn sign(count: u64, senders: u64) -> Vec<Bytes> {
    let start = Instant::now();
    let half = count / 2;
    let part = |range: std::ops::Range<u64>| -> Vec<Bytes> {
        range.map(|index| transfer(index % senders, index / senders)).collect()
    };
    let raws = std::thread::scope(|scope| {
        let second = scope.spawn(|| part(half..count));
        let mut raws = part(0..half);
        raws.extend(second.join().expect("signing"));
        raws
    });
    line("sign (two threads, not part of the pool)", start.elapsed(), count);
    raws
}

fn transfer(sender: u64, nonce: u64) -> Bytes {
    let tx = TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit: 21_000,
        max_fee_per_gas: 2_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        to: TxKind::Call(Address::repeat_byte(0xee)),
        value: U256::from(1),
        ..TxEip1559::default()
    };
    let secret = B256::from(U256::from(sender + 1));
    let signature = secp256k1::sign_message(secret, tx.signature_hash()).expect("signing");
    TxEnvelope::Eip1559(tx.into_signed(signature)).encoded_2718().into()
}

fn line(name: &str, elapsed: Duration, count: u64) {
    let each = elapsed.as_secs_f64() / count.max(1) as f64;
    println!("  {name:<48} {:>10.3} µs each   {:>10.0} per second", each * 1e6, 1.0 / each);
}

fn stages(raws: &[Bytes]) -> Vec<Arc<PoolTransaction>> {
    println!("stages, one thread:");
    let count = raws.len() as u64;
    let start = Instant::now();
    let decoded: Vec<_> = raws.iter().map(|raw| decode_canonical(raw).expect("ours")).collect();
    line("hash and decode", start.elapsed(), count);
    let start = Instant::now();
    for (tx, _) in &decoded {
        black_box(cairn_pool::intrinsic_gas(tx, &conditions(7)));
    }
    line("intrinsic gas", start.elapsed(), count);
    let start = Instant::now();
    let senders: Vec<_> = decoded.iter().map(|(tx, _)| recover_sender(tx).expect("ours")).collect();
    line("recover the sender", start.elapsed(), count);
    let start = Instant::now();
    let pooled = decoded.into_iter().zip(senders).zip(raws).map(|(((tx, hash), sender), raw)| {
        let signed = SignedTx::new_unchecked(tx, sender);
        Arc::new(PoolTransaction::new(signed, hash, raw.clone(), Origin::Remote, Timestamp(0)))
    });
    let txs = pooled.collect();
    line("join into a pool transaction", start.elapsed(), count);
    txs
}

fn roomy() -> PoolConfig {
    PoolConfig {
        max_txs: usize::MAX / 4,
        max_bytes: usize::MAX / 4,
        max_queued: usize::MAX / 4,
        sender_slots: usize::MAX / 4,
        sender_queued: usize::MAX / 4,
        ..PoolConfig::default()
    }
}

fn filled(txs: &[Arc<PoolTransaction>], config: PoolConfig) -> Pool {
    let mut pool = Pool::new(config, conditions(7));
    let view = SenderView::plain(rich(0));
    for tx in txs {
        pool.insert(tx.clone(), Some(&view), Timestamp(0)).expect("valid");
    }
    pool
}

fn operations(txs: &[Arc<PoolTransaction>]) {
    println!("pool operations, one thread:");
    let count = txs.len() as u64;
    let start = Instant::now();
    let mut pool = filled(txs, roomy());
    pool.take_effects();
    line("insert", start.elapsed(), count);
    let start = Instant::now();
    let known = txs.iter().filter(|tx| pool.is_known(&tx.hash())).count();
    line("known?", start.elapsed(), known as u64);
    for (base_fee, name) in [(8, "all stay payable"), (2_000_000_001, "none is payable any more")] {
        let start = Instant::now();
        pool.on_block(conditions(base_fee), Timestamp(1));
        println!(
            "  base fee change, {name:<31} {:>10.3} ms in all",
            start.elapsed().as_secs_f64() * 1e3
        );
    }
    pool.on_block(conditions(7), Timestamp(1));
    let mut batch = Vec::new();
    let (mut taking, mut reporting) = (Duration::ZERO, Duration::ZERO);
    loop {
        let start = Instant::now();
        pool.take_best(64, &mut batch);
        taking += start.elapsed();
        if batch.is_empty() {
            break;
        }
        let start = Instant::now();
        for tx in batch.drain(..) {
            pool.executed(&tx.hash(), &rich(tx.nonce() + 1));
        }
        reporting += start.elapsed();
    }
    line("take the best, by 64", taking, count);
    line("report as executed", reporting, count);
    let start = Instant::now();
    pool.block_sealed(1);
    drop(pool.block_persisted(1));
    line("forget after persistence", start.elapsed(), count);
    assert_eq!(pool.status().included + pool.status().pending, 0, "everything was executed");
}

/// Insertions into a pool that evicts one transaction for each.
fn full_pool(txs: &[Arc<PoolTransaction>]) {
    let half = txs.len() / 2;
    let mut pool = filled(&txs[..half], PoolConfig { max_txs: half, ..roomy() });
    let dearer: Vec<_> =
        txs[..half].iter().enumerate().map(|(index, tx)| dearer(tx, index)).collect();
    let view = SenderView::plain(rich(0));
    let start = Instant::now();
    for tx in &dearer {
        pool.insert(tx.clone(), Some(&view), Timestamp(0)).expect("it pays more");
    }
    pool.take_effects();
    line("insert into a full pool, evicting", start.elapsed(), half as u64);
}

/// A transaction of a sender of its own that pays one and a half times as much.
fn dearer(tx: &PoolTransaction, index: usize) -> Arc<PoolTransaction> {
    let TxEnvelope::Eip1559(signed) = tx.envelope() else { unreachable!("we made transfers") };
    let mut inner = signed.tx().clone();
    inner.nonce = 0;
    inner.value = U256::from(index);
    inner.max_priority_fee_per_gas += 500_000_000;
    let signed = TxEnvelope::Eip1559(inner.into_signed(*signed.signature()));
    let sender = Address::left_padding_from(&(index as u64 + 1).to_be_bytes());
    let signed = SignedTx::new_unchecked(signed, sender);
    Arc::new(PoolTransaction::from_recovered(signed, Origin::Remote, Timestamp(0)))
}

/// Submitters, workers and a builder that executes nothing but reports everything.
fn pipeline(raws: &[Bytes]) {
    let pool = SharedPool::new(roomy(), Arc::new(Rich), conditions(7));
    let recovery = Recovery::spawn(pool.clone(), &RecoveryConfig::default()).expect("threads");
    let builder = std::thread::current();
    pool.set_waker(move || builder.unpark());
    let (total, answered) = (raws.len(), Arc::new(AtomicU64::new(0)));
    let (start, cpu) = (Instant::now(), cpu_seconds());
    let mut wakes = 0u64;
    std::thread::scope(|scope| {
        scope.spawn(|| submit(&recovery, raws, &answered));
        let (mut done, mut batch) = (0, Vec::with_capacity(64));
        while done < total {
            pool.take_best(64, &mut batch);
            if batch.is_empty() {
                wakes += 1;
                std::thread::park_timeout(Duration::from_millis(100));
                continue;
            }
            done += batch.len();
            pool.with(|pool| {
                for tx in batch.drain(..) {
                    pool.executed(&tx.hash(), &rich(tx.nonce() + 1));
                }
            });
        }
    });
    println!("whole stage, all cores:");
    line("submit, recover, insert, take, report", start.elapsed(), total as u64);
    let cpu = (cpu_seconds() - cpu) * 1e6 / total as f64;
    println!("  {:<48} {cpu:>10.3} µs each", "processor time");
    println!("  {:<48} {wakes:>10}", "times the builder slept");
}

fn submit(recovery: &Recovery, raws: &[Bytes], answered: &Arc<AtomicU64>) {
    for raw in raws {
        loop {
            let answered = answered.clone();
            let reply = Reply::Callback(Box::new(move |outcome| {
                outcome.expect("valid");
                answered.fetch_add(1, Ordering::Relaxed);
            }));
            match recovery.submit(raw.clone(), Origin::Remote, reply) {
                Ok(()) => break,
                // The queue is full: the workers have a good second of work.
                Err(_) => std::thread::sleep(Duration::from_millis(20)),
            }
        }
    }
}

/// Processor time of this process, from the ticks of 10 ms in `/proc/self/stat`.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap_or_default().split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|f| f.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}
