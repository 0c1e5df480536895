//! The pool's state machine.

mod admit;
mod blocks;
mod builder;
mod eviction;
mod funds;
mod included;
mod query;

use std::collections::VecDeque;
use std::sync::Arc;

use alloy_primitives::map::HashMap;
use alloy_primitives::{Address, B256};

pub use admit::Inserted;
pub use builder::Unexecutable;
pub use query::{Content, PoolStatus, SenderContent, SubPool, TxStatus};

use crate::event::{DropReason, Effects};
use crate::journal::Outbox;
use crate::price::Eviction;
use crate::ready::Ready;
use crate::sender::{Entry, Parts, Sender, SenderId};
use crate::{BlockConditions, PoolConfig, PoolTransaction, Timestamp};
use included::Included;
use slab::Slab;

/// Arrivals count up from here; transactions of abandoned foreign blocks count down, because they
/// came before anything that is pooled.
const FIRST_ARRIVAL: u64 = 1 << 63;

/// Where a known transaction is.
#[derive(Debug, Clone, Copy)]
enum Place {
    Pooled {
        sender: SenderId,
        nonce: u64,
    },
    /// Executed after as many blocks were sealed as `seals` says.
    Included {
        seals: u64,
    },
}

/// The transaction pool. See the crate's documentation for the order in which a builder calls it.
#[derive(Debug)]
pub struct Pool {
    config: PoolConfig,
    conditions: BlockConditions,
    senders: Slab<Sender>,
    by_address: HashMap<Address, SenderId>,
    by_hash: HashMap<B256, Place>,
    /// How many pooled set-code transactions name an authority.
    authorities: HashMap<Address, usize>,
    ready: Ready,
    eviction: Eviction,
    /// Whether transactions were demoted since the eviction heaps were built.
    demoted: bool,
    included: Included,
    /// Blocks sealed since the pool was made, to tell the open block's transactions from others.
    seals: u64,
    outbox: Outbox,
    parts: Parts,
    bytes: usize,
    next_arrival: u64,
    first_arrival: u64,
    skipped: Vec<SenderId>,
    idle: VecDeque<(SenderId, u64)>,
    idle_stamp: u64,
    now: Timestamp,
    builder_waits: bool,
    effects: Effects,
    /// Kept between calls for its allocation.
    used: Vec<Entry>,
}

impl Pool {
    /// An empty pool for the block described by `conditions`.
    pub fn new(config: PoolConfig, conditions: BlockConditions) -> Self {
        let outbox = Outbox::new(config.journal_capacity);
        Self {
            config,
            conditions,
            senders: Slab::new(),
            by_address: HashMap::default(),
            by_hash: HashMap::default(),
            authorities: HashMap::default(),
            ready: Ready::default(),
            eviction: Eviction::default(),
            demoted: false,
            included: Included::default(),
            seals: 0,
            outbox,
            parts: Parts::default(),
            bytes: 0,
            next_arrival: FIRST_ARRIVAL,
            first_arrival: FIRST_ARRIVAL,
            skipped: Vec::new(),
            idle: VecDeque::new(),
            idle_stamp: 0,
            now: Timestamp::default(),
            builder_waits: true,
            effects: Effects::default(),
            used: Vec::new(),
        }
    }

    /// Limits and policies.
    pub const fn config(&self) -> &PoolConfig {
        &self.config
    }

    /// Conditions of the block being built.
    pub const fn conditions(&self) -> &BlockConditions {
        &self.conditions
    }

    /// What the changes since the last call ask for.
    pub fn take_effects(&mut self) -> Effects {
        if self.builder_waits && !self.ready.is_empty() {
            self.builder_waits = false;
            self.effects.wake_builder = true;
        }
        std::mem::take(&mut self.effects)
    }

    /// Whether a sender's account has to be given to the next [`Self::insert`]: it is unknown, or
    /// its code has changed.
    pub fn needs_view(&self, sender: Address) -> bool {
        let known = self.by_address.get(&sender).and_then(|id| self.senders[*id].known);
        known.is_none_or(|known| known.code.is_none())
    }

    /// Announces that the account of a sender is about to be read from a view. From now on the pool
    /// records what the builder reports about it, so that a view which is overtaken by a report does
    /// no harm.
    pub fn register(&mut self, sender: Address, now: Timestamp) {
        self.now = self.now.max(now);
        if !self.by_address.contains_key(&sender) {
            self.trim_idle();
            let id = self.track(sender);
            self.rest_if_idle(id);
        }
    }

    fn track(&mut self, address: Address) -> SenderId {
        if let Some(id) = self.by_address.get(&address) {
            return *id;
        }
        let id = self.senders.insert(Sender::new(address, self.now));
        self.by_address.insert(address, id);
        id
    }

    /// Changes one sender and brings everything that depends on it in line.
    fn update<R>(&mut self, id: SenderId, change: impl FnOnce(&mut Sender) -> R) -> R {
        let sender = &mut self.senders[id];
        let before = sender.parts();
        let result = change(sender);
        let promoted_before = self.effects.promoted.len();
        sender.settle(&self.conditions, self.config.sender_slots, &mut self.effects.promoted);
        if self.effects.promoted.len() > promoted_before {
            sender.progress = self.now;
        }
        let after = sender.parts();
        self.demoted |= after.queued > before.queued;
        self.account_parts(before, after);
        self.place_ready(id);
        self.rest_if_idle(id);
        result
    }

    fn account_parts(&mut self, before: Parts, after: Parts) {
        self.parts.pending = self.parts.pending - before.pending + after.pending;
        self.parts.base_fee = self.parts.base_fee - before.base_fee + after.base_fee;
        self.parts.queued = self.parts.queued - before.queued + after.queued;
    }

    /// Puts a sender's next transaction where it belongs in the ready set.
    fn place_ready(&mut self, id: SenderId) {
        let sender = &mut self.senders[id];
        let wanted = ready_key(sender, self.conditions.base_fee);
        if sender.ready == wanted {
            return;
        }
        if let Some(old) = sender.ready.take() {
            self.ready.remove(&old);
        }
        if let Some(new) = wanted {
            self.ready.insert(new, id);
            sender.ready = Some(new);
        }
    }

    /// Remembers a sender without transactions for a while.
    fn rest_if_idle(&mut self, id: SenderId) {
        if self.senders[id].txs().is_empty() {
            self.idle_stamp += 1;
            self.senders[id].idle_stamp = self.idle_stamp;
            self.idle.push_back((id, self.idle_stamp));
        }
    }

    /// Forgets those that have been without transactions for longest. Only where a new sender is
    /// about to come, never in the middle of an operation that holds one.
    fn trim_idle(&mut self) {
        while self.idle.len() >= self.config.idle_senders.max(1) {
            let Some(resting) = self.idle.pop_front() else { break };
            self.forget_if_idle(resting);
        }
    }

    fn forget_if_idle(&mut self, (id, stamp): (SenderId, u64)) {
        let idle = self
            .senders
            .get(id)
            .is_some_and(|sender| sender.idle_stamp == stamp && sender.txs().is_empty());
        if idle {
            let sender = self.senders.remove(id);
            self.by_address.remove(&sender.address);
        }
    }

    /// Books the arrival of an entry.
    fn book_in(&mut self, entry: &Entry, sender: SenderId) {
        let tx = &entry.tx;
        self.by_hash.insert(tx.hash(), Place::Pooled { sender, nonce: entry.nonce });
        self.bytes += tx.encoded().len();
        for authority in tx.authorities() {
            *self.authorities.entry(*authority).or_insert(0) += 1;
        }
    }

    /// Books the departure of an entry, but for its hash.
    fn book_out(&mut self, tx: &PoolTransaction) {
        self.bytes -= tx.encoded().len();
        for authority in tx.authorities() {
            if let Some(count) = self.authorities.get_mut(authority) {
                *count -= 1;
                if *count == 0 {
                    self.authorities.remove(authority);
                }
            }
        }
        if tx.origin().is_local() {
            self.outbox.delete(tx.hash());
        }
    }

    /// Books an entry out that left without being executed.
    fn discard(&mut self, entry: Entry, reason: DropReason) {
        self.by_hash.remove(&entry.tx.hash());
        self.book_out(&entry.tx);
        self.effects.dropped.push((entry.tx, reason));
    }

    fn len(&self) -> usize {
        self.parts.pending + self.parts.base_fee + self.parts.queued
    }

    fn arrival(&mut self) -> u64 {
        self.next_arrival += 1;
        self.next_arrival
    }

    /// Sender and nonce of a pooled transaction.
    fn pooled(&self, hash: &B256) -> Option<(SenderId, u64)> {
        match self.by_hash.get(hash)? {
            Place::Pooled { sender, nonce } => Some((*sender, *nonce)),
            Place::Included { .. } => None,
        }
    }

    fn entry(&self, hash: &B256) -> Option<(&Sender, usize)> {
        let (id, nonce) = self.pooled(hash)?;
        let sender = self.senders.get(id)?;
        sender.find(nonce).ok().map(|position| (sender, position))
    }

    /// A pooled transaction. Executed ones are the chain's to show.
    pub fn get(&self, hash: &B256) -> Option<Arc<PoolTransaction>> {
        self.entry(hash).map(|(sender, position)| sender.txs()[position].tx.clone())
    }

    /// Whether the transaction is pooled, or executed in a block that is not persisted yet.
    pub fn is_known(&self, hash: &B256) -> bool {
        self.by_hash.contains_key(hash)
    }

    /// Whether a submission of the transaction had succeeded and is not history yet: it is pooled,
    /// or executed in the open block. Once its block is sealed, its nonce tells that it is used.
    pub(crate) fn is_current(&self, hash: &B256) -> bool {
        match self.by_hash.get(hash) {
            Some(Place::Pooled { .. }) => true,
            Some(Place::Included { seals }) => *seals == self.seals,
            None => false,
        }
    }
}

fn ready_key(sender: &Sender, base_fee: u64) -> Option<crate::ready::ReadyKey> {
    let entry = sender.next_ready()?;
    Some((std::cmp::Reverse(entry.tx.effective_tip(base_fee)), entry.arrival))
}

/// What the tests recount.
#[cfg(test)]
pub(crate) struct Inside<'a> {
    pub(crate) senders: &'a Slab<Sender>,
    pub(crate) by_address: &'a HashMap<Address, SenderId>,
    pub(crate) authorities: &'a HashMap<Address, usize>,
    pub(crate) ready: usize,
    pub(crate) known_hashes: usize,
    pool: &'a Pool,
}

#[cfg(test)]
impl Inside<'_> {
    pub(crate) fn pooled(&self, hash: &B256) -> Option<(SenderId, u64)> {
        self.pool.pooled(hash)
    }
}

#[cfg(test)]
impl Pool {
    pub(crate) fn inside(&self) -> Inside<'_> {
        Inside {
            senders: &self.senders,
            by_address: &self.by_address,
            authorities: &self.authorities,
            ready: self.ready.len(),
            known_hashes: self.by_hash.len(),
            pool: self,
        }
    }
}
