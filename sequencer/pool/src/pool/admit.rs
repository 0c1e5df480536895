//! Admission: what may enter, and in whose place.

use std::sync::Arc;

use alloy_primitives::B256;

use super::eviction::Need;
use super::funds::{check_account, check_expenditure};
use super::{Place, Pool};
use crate::event::DropReason;
use crate::price::{Candidate, Class};
use crate::sender::{Entry, Sender, SenderId};
use crate::{Origin, PoolError, PoolTransaction, SenderCode, SenderView, SubPool, Timestamp};

/// Outcome of an admission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Inserted {
    /// Where the transaction is now.
    pub sub_pool: SubPool,
    /// Transaction that it replaced.
    pub replaced: Option<B256>,
}

impl Pool {
    /// Admits a transaction that passed the stateless checks and whose sender is recovered.
    ///
    /// `view` is the sender's account, read after [`Self::register`]; it is needed where
    /// [`Self::needs_view`] says so and ignored where the pool knows better.
    pub fn insert(
        &mut self,
        tx: Arc<PoolTransaction>,
        view: Option<&SenderView>,
        now: Timestamp,
    ) -> Result<Inserted, PoolError> {
        self.now = self.now.max(now);
        if self.is_current(&tx.hash()) {
            return Err(PoolError::AlreadyKnown);
        }
        self.trim_idle();
        let id = self.track(tx.sender());
        if let Some(view) = view {
            self.update(id, |sender| sender.load(view));
        }
        let sealed = self.is_included(&tx.hash());
        let result = if sealed { Err(self.refuse_sealed(id, &tx)) } else { self.admit(id, tx) };
        if result.is_err() {
            self.rest_if_idle(id);
        }
        result
    }

    fn admit(&mut self, id: SenderId, tx: Arc<PoolTransaction>) -> Result<Inserted, PoolError> {
        let address = tx.sender();
        let sender = &self.senders[id];
        let (Some(known), Some(code)) = (sender.known, sender.known.and_then(|known| known.code))
        else {
            return Err(PoolError::SenderNotLoaded { address });
        };
        check_account(&tx, &known, code)?;
        check_expenditure(&tx, &known, sender)?;
        self.check_delegation(id, &tx, code)?;
        self.check_authorities(&tx)?;
        if self.outbox.is_full() && tx.origin().is_local() {
            return Err(PoolError::Busy);
        }
        let sender = &self.senders[id];
        match sender.find(tx.nonce()) {
            Ok(position) => self.replace(id, position, tx),
            Err(position) => self.append(id, position, tx),
        }
    }

    /// Why a transaction of a sealed block is not admitted again.
    fn refuse_sealed(&self, id: SenderId, tx: &PoolTransaction) -> PoolError {
        let nonce = tx.nonce();
        match self.senders[id].known {
            None => PoolError::SenderNotLoaded { address: tx.sender() },
            Some(known) if nonce < known.nonce => {
                PoolError::NonceTooLow { next: known.nonce, nonce }
            }
            // The account went back and the block is about to be abandoned: it will be pooled.
            Some(_) => PoolError::AlreadyKnown,
        }
    }

    /// At most a configured number of transactions in flight, without gap, for an account that is
    /// delegated or has a delegation pending (EIP-7702; geth's rule).
    fn check_delegation(
        &self,
        id: SenderId,
        tx: &PoolTransaction,
        code: SenderCode,
    ) -> Result<(), PoolError> {
        let sender = &self.senders[id];
        if code == SenderCode::Empty
            && (self.authorities.is_empty() || !self.authorities.contains_key(&tx.sender()))
        {
            return Ok(());
        }
        if sender.find(tx.nonce()).is_ok() {
            return Ok(());
        }
        if sender.run() >= self.config.delegated_slots.max(1) {
            return Err(PoolError::InFlightLimit);
        }
        if sender.next_nonce() != Some(tx.nonce()) {
            return Err(PoolError::GappedFromDelegated);
        }
        Ok(())
    }

    /// An authority with more than one transaction here could invalidate them all at once.
    fn check_authorities(&self, tx: &PoolTransaction) -> Result<(), PoolError> {
        let reserved = tx.authorities().iter().any(|authority| {
            self.by_address.get(authority).is_some_and(|id| self.senders[*id].txs().len() > 1)
        });
        if reserved { Err(PoolError::AuthorityReserved) } else { Ok(()) }
    }

    fn replace(
        &mut self,
        id: SenderId,
        position: usize,
        tx: Arc<PoolTransaction>,
    ) -> Result<Inserted, PoolError> {
        let sender = &self.senders[id];
        let old = &sender.txs()[position].tx;
        let nonce = tx.nonce();
        if sender.is_in_flight(position) {
            // The builder executes the old one this very moment.
            return Err(PoolError::NonceTooLow { next: nonce.saturating_add(1), nonce });
        }
        if !self.outbids(&tx, old) {
            return Err(PoolError::ReplaceUnderpriced);
        }
        let need = Need {
            slots: 0,
            bytes: tx.encoded().len().saturating_sub(old.encoded().len()),
            tip: tx.effective_tip(self.conditions.base_fee),
            class: class_at(sender, position),
            local: tx.origin().is_local(),
            sender: id,
            nonce,
        };
        self.make_room(&need)?;
        let arrival = self.arrival();
        let entry = Entry::new(tx, arrival);
        let old = self.swap(id, position, entry.clone());
        let replaced = old.tx.hash();
        self.discard(old, DropReason::Replaced);
        Ok(self.booked(id, entry, Some(replaced)))
    }

    /// Puts an entry in place of another of the same nonce, and announces it if it is executable.
    pub(super) fn swap(&mut self, id: SenderId, position: usize, mut entry: Entry) -> Entry {
        if class_at(&self.senders[id], position) == Class::Executable {
            entry.announced = true;
            self.effects.promoted.push(entry.tx.clone());
        }
        let conditions = self.conditions;
        self.update(id, |sender| sender.replace(position, entry, &conditions))
    }

    fn append(
        &mut self,
        id: SenderId,
        position: usize,
        tx: Arc<PoolTransaction>,
    ) -> Result<Inserted, PoolError> {
        let arrival = self.arrival();
        let entry = Entry::new(tx, arrival);
        let sender = &self.senders[id];
        let slots = self.config.sender_slots;
        let executable = sender.extends_run(entry.nonce, entry.cost(), slots);
        if !executable {
            self.check_queue_of_sender(sender, &entry)?;
        }
        let class = if executable { Class::Executable } else { Class::Queued };
        let need = Need {
            slots: 1,
            bytes: entry.tx.encoded().len(),
            tip: entry.tx.effective_tip(self.conditions.base_fee),
            class,
            local: entry.tx.origin().is_local(),
            sender: id,
            nonce: entry.nonce,
        };
        if self.is_tight(&need) {
            self.make_room(&need)?;
        }
        let over = !executable && self.senders[id].queued() >= self.config.sender_queued;
        if over {
            // The gap closer goes in, the last of the queue goes out.
            self.remove_last(id);
        }
        let position = position.min(self.senders[id].txs().len());
        self.update(id, |sender| sender.insert(position, entry.clone()));
        Ok(self.booked(id, entry, None))
    }

    fn check_queue_of_sender(&self, sender: &Sender, entry: &Entry) -> Result<(), PoolError> {
        let full_run =
            sender.run() >= self.config.sender_slots && sender.next_nonce() == Some(entry.nonce);
        let last = sender.txs().back().map(|last| last.nonce);
        let full_queue = sender.queued() >= self.config.sender_queued
            && last.is_none_or(|last| entry.nonce > last);
        if full_run || full_queue {
            return Err(PoolError::AccountLimit { pooled: sender.txs().len() });
        }
        Ok(())
    }

    fn remove_last(&mut self, id: SenderId) {
        let last = self.senders[id].txs().len().checked_sub(1);
        let removed = last.and_then(|last| self.update(id, |sender| sender.remove(last)));
        if let Some(entry) = removed {
            self.discard(entry, DropReason::Evicted);
        }
    }

    /// Books an entry in that is in its place already.
    fn booked(&mut self, id: SenderId, entry: Entry, replaced: Option<B256>) -> Inserted {
        self.book_in(&entry, id);
        if entry.tx.origin() == Origin::Local {
            self.outbox.put(&entry.tx);
        }
        let sender = &self.senders[id];
        let position = sender.find(entry.nonce).unwrap_or_else(|at| at);
        let sub_pool = sender.sub_pool(position);
        if self.eviction.is_active() && !entry.tx.origin().is_local() {
            let candidate = self.candidate(id, &entry);
            let class = class_at(&self.senders[id], position);
            let pooled = self.len();
            self.eviction.push(class, candidate, pooled);
        }
        self.trim_queued();
        Inserted { sub_pool, replaced }
    }

    pub(super) fn candidate(&self, sender: SenderId, entry: &Entry) -> Candidate {
        let tip = entry.tx.effective_tip(self.conditions.base_fee);
        Candidate { tip, arrival: entry.arrival, sender, nonce: entry.nonce }
    }

    /// geth's rule: both caps above the old ones, and above them by the bump.
    fn outbids(&self, new: &PoolTransaction, old: &PoolTransaction) -> bool {
        let blob = new.blob_fee_cap().is_some() || old.blob_fee_cap().is_some();
        let bump = if blob { self.config.blob_price_bump } else { self.config.price_bump };
        outbid(new.fee_cap(), old.fee_cap(), bump)
            && outbid(new.tip_cap(), old.tip_cap(), bump)
            && match (new.blob_fee_cap(), old.blob_fee_cap()) {
                (Some(new), Some(old)) => outbid(new, old, bump),
                _ => true,
            }
    }

    pub(super) fn is_included(&self, hash: &B256) -> bool {
        matches!(self.by_hash.get(hash), Some(Place::Included { .. }))
    }
}

pub(super) const fn class_at(sender: &Sender, position: usize) -> Class {
    if position < sender.run() { Class::Executable } else { Class::Queued }
}

/// Whether a price is above another and at least `bump` percent above it, rounded down as geth does.
fn outbid(new: u128, old: u128, bump: u32) -> bool {
    let percent = 100 + u128::from(bump);
    // Prices beyond 2^128 / percent cannot be paid by any balance in practice; divide first there.
    let threshold = old
        .checked_mul(percent)
        .map_or_else(|| (old / 100).saturating_mul(percent), |product| product / 100);
    new > old && new >= threshold
}
