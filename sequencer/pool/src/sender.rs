//! The transactions of one sender, in nonce order.
//!
//! ```text
//! account nonce ─► n  n+1 n+2 n+3 n+4 │ n+7 n+8      queue of entries, ascending nonces
//!                  └in flight┘         │
//!                  └── priced ──┘      │              pending sub-pool
//!                               └─────┘ rest of run   base-fee sub-pool
//!                  └─────── run ──────┘ └───────┘     queued sub-pool
//! ```
//! `run` is the longest prefix without gap that the balance covers and the sender's limit allows;
//! `priced` its longest prefix whose fee caps cover the base fees. Both are kept incrementally, so
//! that appending a transaction and taking off the first cost the same at any length.

use std::collections::VecDeque;
use std::sync::Arc;

use alloy_primitives::{Address, B256, KECCAK256_EMPTY, U256};
use cairn_primitives::Account;

use crate::ready::ReadyKey;
use crate::{BlockConditions, PoolTransaction, SenderCode, SenderView, SubPool, Timestamp};

/// Key of a sender in the pool's table.
pub(crate) type SenderId = usize;

/// A pooled transaction.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) tx: Arc<PoolTransaction>,
    pub(crate) nonce: u64,
    /// Order of arrival in this pool, unique.
    pub(crate) arrival: u64,
    /// Rollup fee as last known, wei: the builder may report a higher one than at admission.
    pub(crate) rollup_fee: u128,
    /// Whether subscribers were told.
    pub(crate) announced: bool,
}

impl Entry {
    pub(crate) fn new(tx: Arc<PoolTransaction>, arrival: u64) -> Self {
        let (nonce, rollup_fee) = (tx.nonce(), tx.rollup_fee());
        Self { tx, nonce, arrival, rollup_fee, announced: false }
    }

    pub(crate) fn cost(&self) -> U256 {
        self.tx.cost().saturating_add(U256::from(self.rollup_fee))
    }

    fn payable(&self, conditions: &BlockConditions) -> bool {
        self.tx.fee_cap() >= u128::from(conditions.base_fee)
            && self.tx.blob_fee_cap().is_none_or(|cap| cap >= conditions.blob_base_fee)
    }
}

/// Account of a sender as the pool knows it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known {
    pub(crate) nonce: u64,
    pub(crate) balance: U256,
    pub(crate) code_hash: B256,
    /// `None` after a change of code that was reported by hash only.
    pub(crate) code: Option<SenderCode>,
}

/// Sizes of the parts of one sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Parts {
    pub(crate) pending: usize,
    pub(crate) base_fee: usize,
    pub(crate) queued: usize,
}

#[derive(Debug)]
pub(crate) struct Sender {
    pub(crate) address: Address,
    /// `None` while the account is being read.
    pub(crate) known: Option<Known>,
    txs: VecDeque<Entry>,
    run: usize,
    priced: usize,
    in_flight: usize,
    run_cost: U256,
    /// No fee cap in the run is lower. May be too low after removals, never too high.
    fee_cap_floor: u128,
    has_blobs: bool,
    /// Key under which the next transaction stands in the ready set.
    pub(crate) ready: Option<ReadyKey>,
    /// Not offered again before the next block.
    pub(crate) skipped: bool,
    /// When a transaction of this sender last became executable or was executed.
    pub(crate) progress: Timestamp,
    pub(crate) idle_stamp: u64,
}

impl Sender {
    pub(crate) fn new(address: Address, now: Timestamp) -> Self {
        Self {
            address,
            known: None,
            txs: VecDeque::new(),
            run: 0,
            priced: 0,
            in_flight: 0,
            run_cost: U256::ZERO,
            fee_cap_floor: u128::MAX,
            has_blobs: false,
            ready: None,
            skipped: false,
            progress: now,
            idle_stamp: 0,
        }
    }

    pub(crate) const fn txs(&self) -> &VecDeque<Entry> {
        &self.txs
    }

    pub(crate) const fn run(&self) -> usize {
        self.run
    }

    /// What the run costs together, wei.
    pub(crate) const fn run_cost(&self) -> U256 {
        self.run_cost
    }

    pub(crate) fn queued(&self) -> usize {
        self.txs.len() - self.run
    }

    pub(crate) fn parts(&self) -> Parts {
        Parts {
            pending: self.priced,
            base_fee: self.run - self.priced,
            queued: self.txs.len() - self.run,
        }
    }

    pub(crate) const fn sub_pool(&self, position: usize) -> SubPool {
        if position < self.priced {
            SubPool::Pending
        } else if position < self.run {
            SubPool::BaseFee
        } else {
            SubPool::Queued
        }
    }

    pub(crate) const fn is_in_flight(&self, position: usize) -> bool {
        position < self.in_flight
    }

    /// Position of a nonce, or where it would be inserted.
    pub(crate) fn find(&self, nonce: u64) -> Result<usize, usize> {
        // Runs are the rule, and in a run the position follows from the first nonce.
        match (self.txs.front(), self.txs.back()) {
            (None, _) | (_, None) => return Err(0),
            (_, Some(back)) if nonce > back.nonce => return Err(self.txs.len()),
            (Some(front), _) => {
                let guess = usize::try_from(nonce.saturating_sub(front.nonce)).ok();
                if let Some(guess) = guess
                    && self.txs.get(guess).is_some_and(|entry| entry.nonce == nonce)
                {
                    return Ok(guess);
                }
            }
        }
        self.txs.binary_search_by_key(&nonce, |entry| entry.nonce)
    }

    /// First nonce after the run: what `eth_getTransactionCount(…, "pending")` shows.
    pub(crate) fn next_nonce(&self) -> Option<u64> {
        let run = u64::try_from(self.run).ok()?;
        self.known.and_then(|known| known.nonce.checked_add(run))
    }

    /// Whether a transaction put after the run would belong to it.
    pub(crate) fn extends_run(&self, nonce: u64, cost: U256, limit: usize) -> bool {
        let Some(known) = &self.known else { return false };
        self.run < limit
            && self.next_nonce() == Some(nonce)
            && self.run_cost.checked_add(cost).is_some_and(|total| total <= known.balance)
    }

    /// Loads the account from a state view, unless a report of the builder came first.
    pub(crate) fn load(&mut self, view: &SenderView) {
        let account = view.account;
        match &mut self.known {
            None => {
                self.known = Some(Known {
                    nonce: account.nonce,
                    balance: account.balance,
                    code_hash: account.code_hash,
                    code: Some(view.code),
                });
            }
            Some(known) if known.code.is_none() && known.code_hash == account.code_hash => {
                known.code = Some(view.code);
            }
            Some(_) => {}
        }
    }

    /// Sets the account as the builder or the chain reports it. Entries with used nonces leave
    /// through `used`. To be followed by [`Self::settle`].
    pub(crate) fn set_account(&mut self, account: &Account, used: &mut Vec<Entry>) {
        let code = match &self.known {
            _ if account.code_hash == KECCAK256_EMPTY => Some(SenderCode::Empty),
            Some(known) if known.code_hash == account.code_hash => known.code,
            _ => None,
        };
        if self.known.is_some_and(|known| account.nonce < known.nonce) {
            self.cut(0);
        }
        let (nonce, balance, code_hash) = (account.nonce, account.balance, account.code_hash);
        self.known = Some(Known { nonce, balance, code_hash, code });
        while self.txs.front().is_some_and(|entry| entry.nonce < nonce) {
            used.extend(self.remove_first());
        }
    }

    pub(crate) fn set_balance(&mut self, balance: U256) {
        if let Some(known) = &mut self.known {
            known.balance = balance;
        }
    }

    fn remove_first(&mut self) -> Option<Entry> {
        let entry = self.txs.pop_front()?;
        if self.run > 0 {
            self.run -= 1;
            self.run_cost = self.run_cost.saturating_sub(entry.cost());
        }
        self.priced = self.priced.saturating_sub(1);
        self.in_flight = self.in_flight.saturating_sub(1);
        self.forget_bounds();
        Some(entry)
    }

    /// Inserts a new entry at a position that [`Self::find`] gave.
    pub(crate) fn insert(&mut self, position: usize, entry: Entry) {
        self.cut(position);
        self.has_blobs |= entry.tx.blob_fee_cap().is_some();
        self.txs.insert(position, entry);
    }

    /// Puts another transaction of the same nonce in place of one and returns the old.
    pub(crate) fn replace(
        &mut self,
        position: usize,
        entry: Entry,
        conditions: &BlockConditions,
    ) -> Entry {
        debug_assert_eq!(self.txs[position].nonce, entry.nonce, "replacement of another nonce");
        self.has_blobs |= entry.tx.blob_fee_cap().is_some();
        if position < self.run {
            let rest = self.run_cost.saturating_sub(self.txs[position].cost());
            match rest.checked_add(entry.cost()) {
                Some(total) => self.run_cost = total,
                None => self.cut(position),
            }
            self.fee_cap_floor = self.fee_cap_floor.min(entry.tx.fee_cap());
        }
        if !entry.payable(conditions) {
            self.priced = self.priced.min(position);
        }
        std::mem::replace(&mut self.txs[position], entry)
    }

    /// Removes an entry; what follows it is queued until the gap closes.
    pub(crate) fn remove(&mut self, position: usize) -> Option<Entry> {
        self.cut(position);
        let entry = self.txs.remove(position);
        self.forget_bounds();
        entry
    }

    /// Corrects the rollup fee of an entry.
    pub(crate) fn set_rollup_fee(&mut self, position: usize, fee: u128) {
        self.cut(position);
        self.txs[position].rollup_fee = fee;
    }

    /// Hands out the next transaction.
    pub(crate) fn hand_out(&mut self) -> Option<Arc<PoolTransaction>> {
        if self.in_flight >= self.priced {
            return None;
        }
        let tx = self.txs[self.in_flight].tx.clone();
        self.in_flight += 1;
        Some(tx)
    }

    /// Takes back what was handed out from a position on.
    pub(crate) fn take_back(&mut self, position: usize) {
        self.in_flight = self.in_flight.min(position);
    }

    /// The entry that is to be handed out next.
    pub(crate) fn next_ready(&self) -> Option<&Entry> {
        if self.skipped || self.in_flight >= self.priced {
            return None;
        }
        self.txs.get(self.in_flight)
    }

    /// Brings the parts in line with account, limit and fees after a change. Transactions that
    /// became executable for the first time are added to `promoted`.
    pub(crate) fn settle(
        &mut self,
        conditions: &BlockConditions,
        limit: usize,
        promoted: &mut Vec<Arc<PoolTransaction>>,
    ) {
        let Some(known) = self.known else { return };
        if self.txs.front().is_some_and(|first| first.nonce != known.nonce) {
            self.cut(0);
        }
        while self.run > 0 && (self.run_cost > known.balance || self.run > limit) {
            self.cut(self.run - 1);
        }
        while self.run < self.txs.len() && self.run < limit {
            let entry = &mut self.txs[self.run];
            let contiguous =
                u64::try_from(self.run).ok().and_then(|run| known.nonce.checked_add(run));
            let total = self.run_cost.checked_add(entry.cost());
            let Some(total) = total.filter(|total| *total <= known.balance) else { break };
            if contiguous != Some(entry.nonce) {
                break;
            }
            self.run_cost = total;
            self.fee_cap_floor = self.fee_cap_floor.min(entry.tx.fee_cap());
            if !entry.announced {
                entry.announced = true;
                promoted.push(entry.tx.clone());
            }
            self.run += 1;
        }
        self.extend_priced(conditions);
    }

    fn extend_priced(&mut self, conditions: &BlockConditions) {
        while self.priced < self.run && self.txs[self.priced].payable(conditions) {
            self.priced += 1;
        }
    }

    /// Finds the priced prefix anew after the fees changed.
    pub(crate) fn reprice(&mut self, conditions: &BlockConditions) {
        if !self.has_blobs && u128::from(conditions.base_fee) <= self.fee_cap_floor {
            self.priced = self.run;
            return;
        }
        let caps = self.txs.iter().take(self.run).map(|entry| entry.tx.fee_cap());
        self.fee_cap_floor = caps.min().unwrap_or(u128::MAX);
        self.priced = 0;
        self.extend_priced(conditions);
    }

    /// Shortens the run to `length` transactions at most.
    fn cut(&mut self, length: usize) {
        while self.run > length {
            self.run -= 1;
            let cost = self.txs[self.run].cost();
            self.run_cost = self.run_cost.saturating_sub(cost);
        }
        self.priced = self.priced.min(self.run);
        self.in_flight = self.in_flight.min(self.run);
    }

    fn forget_bounds(&mut self) {
        if self.txs.is_empty() {
            self.has_blobs = false;
        }
        if self.run == 0 {
            self.fee_cap_floor = u128::MAX;
        }
    }
}
