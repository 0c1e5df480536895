//! The pool against a naive one that recomputes everything, and against itself under any sequence
//! of calls.

use std::sync::Arc;

use alloy_primitives::{B256, U256};
use proptest::prelude::*;

use super::support::*;
use crate::{
    Origin, Pool, PoolConfig, PoolError, PoolTransaction, SubPool, Timestamp, TxStatus,
    Unexecutable,
};

const SENDERS: usize = 4;

#[derive(Debug, Clone)]
enum Op {
    Insert {
        sender: usize,
        nonce: u64,
        tip: u128,
        cap: u128,
        value: u128,
    },
    /// Takes some and reports each: executed, or (by bit) invalid, or not in this block.
    Round {
        count: usize,
        outcomes: u32,
    },
    Take {
        count: usize,
    },
    Report {
        index: usize,
        outcome: u8,
    },
    BaseFee(u64),
    Balance {
        sender: usize,
        balance: u128,
    },
    Nonce {
        sender: usize,
        nonce: u64,
    },
    Seal,
    Persist,
    Abandon,
    Expire(u64),
}

const GAS: u128 = 21_000;

fn insert_op() -> impl Strategy<Value = Op> {
    (0..SENDERS, 0..6u64, 0..6u128, 5..30u128, 0..3u128).prop_map(
        |(sender, nonce, tip, cap, value)| Op::Insert {
            sender,
            nonce,
            tip,
            cap: cap.max(tip),
            value: value * GAS,
        },
    )
}

fn common_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        10 => insert_op(),
        1 => (0..30u64).prop_map(Op::BaseFee),
        1 => (0..SENDERS, 0..120u128)
            .prop_map(|(sender, balance)| Op::Balance { sender, balance: balance * GAS }),
        1 => Just(Op::Seal),
        1 => Just(Op::Abandon),
    ]
}

fn round_op() -> impl Strategy<Value = Op> {
    (1..5usize, any::<u32>()).prop_map(|(count, outcomes)| Op::Round { count, outcomes })
}

fn any_op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => common_op(),
        1 => round_op(),
        1 => (1..4usize).prop_map(|count| Op::Take { count }),
        3 => (0..6usize, 0..6u8).prop_map(|(index, outcome)| Op::Report { index, outcome }),
        1 => (0..SENDERS, 0..6u64).prop_map(|(sender, nonce)| Op::Nonce { sender, nonce }),
        1 => Just(Op::Persist),
        1 => (0..100u64).prop_map(Op::Expire),
    ]
}

#[derive(Debug, Clone)]
struct NaiveTx {
    tx: Arc<PoolTransaction>,
    sender: usize,
    arrival: u64,
}

/// The reference: lists, and everything computed from scratch.
#[derive(Debug)]
struct Naive {
    accounts: [(u64, u128); SENDERS],
    at_seal: [(u64, u128); SENDERS],
    txs: Vec<NaiveTx>,
    open: Vec<NaiveTx>,
    sealed: Vec<B256>,
    skipped: [bool; SENDERS],
    base_fee: u64,
    arrivals: u64,
}

impl Naive {
    fn new() -> Self {
        let accounts = [(0, 60 * GAS); SENDERS];
        Self {
            accounts,
            at_seal: accounts,
            txs: Vec::new(),
            open: Vec::new(),
            sealed: Vec::new(),
            skipped: [false; SENDERS],
            base_fee: 10,
            arrivals: 0,
        }
    }

    fn of_sender(&self, sender: usize) -> Vec<&NaiveTx> {
        let mut txs: Vec<_> = self.txs.iter().filter(|tx| tx.sender == sender).collect();
        txs.sort_by_key(|tx| tx.tx.nonce());
        txs
    }

    fn sub_pools(&self, sender: usize) -> Vec<(&NaiveTx, SubPool)> {
        let (mut nonce, balance) = self.accounts[sender];
        let (mut left, mut priced, mut run) = (U256::from(balance), true, true);
        let place = |tx: &NaiveTx| {
            run &= tx.tx.nonce() == nonce && tx.tx.cost() <= left;
            if !run {
                return SubPool::Queued;
            }
            (nonce, left) = (nonce + 1, left - tx.tx.cost());
            priced &= tx.tx.fee_cap() >= u128::from(self.base_fee);
            if priced { SubPool::Pending } else { SubPool::BaseFee }
        };
        let txs = self.of_sender(sender);
        let places: Vec<_> = txs.iter().copied().map(place).collect();
        txs.into_iter().zip(places).collect()
    }

    fn insert(&mut self, sender: usize, tx: Arc<PoolTransaction>) -> Result<(), String> {
        let known = |list: &[NaiveTx]| list.iter().any(|other| other.tx.hash() == tx.hash());
        if known(&self.txs) || known(&self.open) {
            return Err("already known".into());
        }
        let (nonce, balance) = self.accounts[sender];
        if tx.nonce() < nonce {
            return Err("nonce too low".into());
        }
        if self.sealed.contains(&tx.hash()) {
            return Err("already known".into());
        }
        if tx.cost() > U256::from(balance) {
            return Err("insufficient funds".into());
        }
        if self.overdraws(sender, &tx) {
            return Err("insufficient funds for gas * price + value: balance ".into());
        }
        let same = |other: &NaiveTx| other.sender == sender && other.tx.nonce() == tx.nonce();
        if let Some(old) = self.txs.iter().position(same) {
            let (old_cap, old_tip) = (self.txs[old].tx.fee_cap(), self.txs[old].tx.tip_cap());
            let enough = |new: u128, old: u128| new > old && new >= old * 110 / 100;
            if !enough(tx.fee_cap(), old_cap) || !enough(tx.tip_cap(), old_tip) {
                return Err("replacement transaction underpriced".into());
            }
            self.txs.remove(old);
        }
        self.arrivals += 1;
        self.txs.push(NaiveTx { tx, sender, arrival: self.arrivals });
        Ok(())
    }

    /// Whether the run with this transaction in it costs more than the balance.
    fn overdraws(&self, sender: usize, tx: &PoolTransaction) -> bool {
        let (nonce, balance) = self.accounts[sender];
        let places = self.sub_pools(sender);
        let run = places.iter().filter(|(_, at)| *at != SubPool::Queued);
        let costs: Vec<U256> = run.map(|(other, _)| other.tx.cost()).collect();
        let index = usize::try_from(tx.nonce() - nonce).unwrap();
        if index > costs.len() {
            return false;
        }
        let replaced = costs.get(index).copied().unwrap_or_default();
        costs.iter().sum::<U256>() - replaced + tx.cost() > U256::from(balance)
    }

    /// The order in which everything executable would be handed out.
    fn best(&self) -> Vec<NaiveTx> {
        let mut heads: Vec<Vec<&NaiveTx>> = (0..SENDERS)
            .filter(|sender| !self.skipped[*sender])
            .map(|sender| {
                let places = self.sub_pools(sender);
                let pending = places.into_iter().take_while(|(_, at)| *at == SubPool::Pending);
                pending.map(|(tx, _)| tx).collect()
            })
            .collect();
        let mut order = Vec::new();
        loop {
            let rank = |tx: &NaiveTx| (tx.tx.effective_tip(self.base_fee), u64::MAX - tx.arrival);
            let best = heads.iter_mut().filter(|list| !list.is_empty());
            let Some(best) = best.max_by_key(|list| rank(list[0])) else { return order };
            order.push(best.remove(0).clone());
        }
    }

    fn remove(&mut self, hash: &B256) -> NaiveTx {
        let at = self.txs.iter().position(|tx| tx.tx.hash() == *hash).unwrap();
        self.txs.remove(at)
    }

    fn abandon(&mut self) {
        self.accounts = self.at_seal;
        for tx in std::mem::take(&mut self.open) {
            let same =
                |other: &NaiveTx| other.sender == tx.sender && other.tx.nonce() == tx.tx.nonce();
            let tip = |tx: &NaiveTx| tx.tx.effective_tip(self.base_fee);
            match self.txs.iter().position(same) {
                None => self.txs.push(tx),
                Some(other) if tip(&self.txs[other]) > tip(&tx) => {}
                Some(other) => self.txs[other] = tx,
            }
        }
    }
}

fn sender_index(tx: &PoolTransaction) -> usize {
    (0..SENDERS).find(|index| address(*index as u8) == tx.sender()).unwrap()
}

fn state_of(accounts: &[(u64, u128); SENDERS]) -> State {
    let state = State::default();
    for (index, (nonce, balance)) in accounts.iter().enumerate() {
        state.set(address(index as u8), account(*nonce, *balance));
    }
    state
}

fn build(op: &Op) -> Option<(usize, Arc<PoolTransaction>)> {
    let Op::Insert { sender, nonce, tip, cap, value } = op else { return None };
    let tx = tx(*sender as u8, *nonce).tip(*tip).cap(*cap).value(*value);
    Some((*sender, tx.build()))
}

fn round(pool: &mut Pool, naive: &mut Naive, count: usize, outcomes: u32) {
    let expected = naive.best();
    let mut taken = Vec::new();
    pool.take_best(count, &mut taken);
    let hashes = |txs: &mut dyn Iterator<Item = B256>| txs.collect::<Vec<_>>();
    assert_eq!(
        hashes(&mut taken.iter().map(|tx| tx.hash())),
        hashes(&mut expected.iter().take(count).map(|tx| tx.tx.hash())),
    );
    let mut broken = [false; SENDERS];
    for (index, tx) in taken.iter().enumerate() {
        let sender = sender_index(tx);
        let hash = tx.hash();
        if broken[sender] {
            pool.unexecutable(&hash, Unexecutable::NonceTooHigh);
            continue;
        }
        match (outcomes >> (2 * index)) & 3 {
            2 => {
                broken[sender] = true;
                naive.remove(&hash);
                pool.unexecutable(&hash, Unexecutable::Invalid);
            }
            3 => {
                broken[sender] = true;
                naive.skipped[sender] = true;
                pool.unexecutable(&hash, Unexecutable::NotInThisBlock);
            }
            _ => {
                let tx = naive.remove(&hash);
                naive.open.push(tx);
                let (nonce, balance) = &mut naive.accounts[sender];
                (*nonce, *balance) = (*nonce + 1, *balance - GAS);
                pool.executed(&hash, &account(*nonce, *balance));
            }
        }
    }
}

fn compare(pool: &Pool, naive: &Naive) {
    let mut pooled = 0;
    for sender in 0..SENDERS {
        for (tx, sub_pool) in naive.sub_pools(sender) {
            let status = pool.tx_status(&tx.tx.hash());
            assert_eq!(status, Some(TxStatus::Pooled(sub_pool)), "of {:?}", tx.tx);
            pooled += 1;
        }
        if let Some(next) = pool.pending_nonce(address(sender as u8)) {
            let places = naive.sub_pools(sender);
            let run = places.iter().filter(|(_, at)| *at != SubPool::Queued).count() as u64;
            assert_eq!(next, naive.accounts[sender].0 + run);
        }
    }
    let status = pool.status();
    assert_eq!(status.pending + status.base_fee + status.queued, pooled);
    for tx in &naive.open {
        assert_eq!(pool.tx_status(&tx.tx.hash()), Some(TxStatus::Included));
    }
}

fn apply(pool: &mut Pool, naive: &mut Naive, op: &Op, number: &mut u64) {
    match op {
        Op::Insert { .. } => {
            let (sender, tx) = build(op).unwrap();
            let (nonce, balance) = naive.accounts[sender];
            let ours = insert_as(pool, tx.clone(), account(nonce, balance));
            match (ours, naive.insert(sender, tx)) {
                (Ok(_), Ok(())) => {}
                (Err(ours), Err(theirs)) => {
                    assert!(ours.to_string().starts_with(&theirs), "{ours} against {theirs}");
                }
                (ours, theirs) => panic!("{ours:?} against {theirs:?}"),
            }
        }
        Op::Round { count, outcomes } => round(pool, naive, *count, *outcomes),
        Op::BaseFee(base_fee) => {
            naive.base_fee = *base_fee;
            naive.skipped = [false; SENDERS];
            pool.on_block(with_base_fee(*base_fee), Timestamp(0));
        }
        Op::Balance { sender, balance } => {
            naive.accounts[*sender].1 = *balance;
            let (nonce, balance) = naive.accounts[*sender];
            pool.on_state_change([(address(*sender as u8), account(nonce, balance))]);
        }
        Op::Seal => {
            *number += 1;
            naive.at_seal = naive.accounts;
            naive.sealed.extend(naive.open.drain(..).map(|tx| tx.tx.hash()));
            pool.block_sealed(*number);
        }
        Op::Abandon => {
            naive.abandon();
            pool.abandon_from(u64::MAX, &state_of(&naive.accounts)).unwrap();
        }
        _ => {}
    }
}

/// Reports something about a transaction that was handed out at some time.
fn report(pool: &mut Pool, tx: &PoolTransaction, outcome: u8) {
    let hash = tx.hash();
    match outcome {
        0 => pool.unexecutable(&hash, Unexecutable::Invalid),
        1 => pool.unexecutable(&hash, Unexecutable::NotInThisBlock),
        2 => pool.unexecutable(&hash, Unexecutable::NonceTooLow { next: tx.nonce() + 1 }),
        3 => {
            let (balance, cost) = (tx.cost(), tx.cost() + U256::from(GAS));
            pool.unexecutable(&hash, Unexecutable::InsufficientFunds { balance, cost });
        }
        4 => pool.unexecutable(&hash, Unexecutable::NonceTooHigh),
        _ => pool.executed(&hash, &account(tx.nonce() + 1, 40 * GAS)),
    }
}

fn apply_anything(
    pool: &mut Pool,
    op: &Op,
    held: &mut Vec<Arc<PoolTransaction>>,
    number: &mut u64,
) {
    match op {
        Op::Insert { .. } => {
            let (_, tx) = build(op).unwrap();
            let result = insert_as(pool, tx, account(0, 60 * GAS));
            assert!(!matches!(result, Err(PoolError::SenderNotLoaded { .. })));
        }
        Op::Take { count } | Op::Round { count, .. } => pool.take_best(*count, held),
        Op::Report { index, outcome } => {
            if *index < held.len() {
                report(pool, &held.remove(*index), *outcome);
            }
        }
        Op::BaseFee(base_fee) => pool.on_block(with_base_fee(*base_fee), Timestamp(0)),
        Op::Balance { sender, balance } => {
            pool.on_state_change([(address(*sender as u8), account(1, *balance))]);
        }
        Op::Nonce { sender, nonce } => {
            pool.on_state_change([(address(*sender as u8), account(*nonce, 50 * GAS))]);
        }
        Op::Seal => {
            *number += 1;
            pool.block_sealed(*number);
        }
        Op::Persist => drop(pool.block_persisted(number.saturating_sub(1))),
        Op::Abandon => {
            let from = if number.is_multiple_of(2) { u64::MAX } else { number.saturating_sub(1) };
            pool.abandon_from(from, &state_of(&[(0, 60 * GAS); SENDERS])).unwrap();
        }
        Op::Expire(now) => pool.expire(Timestamp(*now)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn the_pool_agrees_with_a_naive_one(
        ops in prop::collection::vec(prop_oneof![4 => common_op(), 1 => round_op()], 1..60)
    ) {
        let (mut pool, mut naive, mut number) = (pool(), Naive::new(), 0);
        for op in &ops {
            apply(&mut pool, &mut naive, op, &mut number);
            compare(&pool, &naive);
            pool.check();
        }
    }

    #[test]
    fn the_pool_stays_consistent_under_any_sequence_of_calls(
        ops in prop::collection::vec(any_op(), 1..80),
        max_txs in 3usize..12,
        max_queued in 1usize..6,
        sender_slots in 1usize..5,
        sender_queued in 1usize..4,
        idle_senders in 1usize..4,
    ) {
        let config = PoolConfig {
            max_txs, max_queued, sender_slots, sender_queued, idle_senders,
            queued_lifetime_ms: 50, ..PoolConfig::default()
        };
        let mut pool = Pool::new(config, conditions());
        let (mut held, mut number) = (Vec::new(), 0);
        for op in &ops {
            apply_anything(&mut pool, op, &mut held, &mut number);
            pool.check();
            prop_assert!(pool.status().queued <= max_queued);
        }
    }
}

#[test]
fn origins_tell_who_is_protected() {
    assert!(Origin::Local.is_local() && Origin::Restored.is_local() && !Origin::Remote.is_local());
}
