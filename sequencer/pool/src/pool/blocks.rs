//! Blocks: new conditions, sealing, abandonment, reorganisation, and the passing of time.

use std::sync::Arc;

use alloy_primitives::Address;
use alloy_primitives::map::{HashMap, hash_map};
use cairn_primitives::{ReadError, StateReader};

use super::{Pool, ready_key};
use crate::event::DropReason;
use crate::sender::{Entry, SenderId};
use crate::{BlockConditions, PoolTransaction, SenderView, Timestamp};

impl Pool {
    /// The next block has begun, or the fees have changed: sub-pools and order follow the new
    /// conditions, senders that did not fit are offered again, and transactions whose gas limit
    /// no block can give any more are dropped.
    pub fn on_block(&mut self, conditions: BlockConditions, now: Timestamp) {
        self.now = self.now.max(now);
        let fees_changed = conditions.base_fee != self.conditions.base_fee
            || conditions.blob_base_fee != self.conditions.blob_base_fee;
        let gas_lowered = conditions.gas_limit < self.conditions.gas_limit;
        self.conditions = conditions;
        if gas_lowered {
            self.drop_too_much_gas();
        }
        if fees_changed {
            self.reprice();
        }
        if fees_changed || self.len() < self.config.max_txs / 2 {
            self.eviction.deactivate();
        }
        for id in std::mem::take(&mut self.skipped) {
            if self.senders.contains(id) {
                self.update(id, |sender| sender.skipped = false);
            }
        }
    }

    fn reprice(&mut self) {
        let base_fee = self.conditions.base_fee;
        let mut entries = Vec::with_capacity(self.ready.len());
        for (id, sender) in &mut self.senders {
            if sender.txs().is_empty() {
                continue;
            }
            let before = sender.parts();
            sender.reprice(&self.conditions);
            let after = sender.parts();
            self.parts.pending = self.parts.pending - before.pending + after.pending;
            self.parts.base_fee = self.parts.base_fee - before.base_fee + after.base_fee;
            sender.ready = ready_key(sender, base_fee);
            entries.extend(sender.ready.map(|key| (key, id)));
        }
        self.ready.rebuild(entries);
    }

    fn drop_too_much_gas(&mut self) {
        let limit = self.conditions.gas_limit;
        let too_much: Vec<(SenderId, u64)> = self
            .senders
            .iter()
            .flat_map(|(id, sender)| {
                let over = sender.txs().iter().filter(move |entry| entry.tx.gas_limit() > limit);
                over.map(move |entry| (id, entry.nonce))
            })
            .collect();
        for (id, nonce) in too_much {
            let Ok(position) = self.senders[id].find(nonce) else { continue };
            if let Some(entry) = self.update(id, |sender| sender.remove(position)) {
                self.discard(entry, DropReason::ExceedsBlockGasLimit);
            }
        }
        self.trim_queued();
    }

    /// The open block was sealed as block `number`. Its transactions stay known, but one
    /// that is submitted again is told that its nonce is used.
    pub fn block_sealed(&mut self, number: u64) {
        self.included.seal(number);
        self.seals += 1;
    }

    /// Blocks up to `number` are persisted: from now on nonces tell that their transactions are used.
    /// Gives them back to be freed without the lock.
    pub fn block_persisted(&mut self, number: u64) -> Vec<Arc<PoolTransaction>> {
        let persisted = self.included.persisted(number);
        for entry in &persisted {
            self.by_hash.remove(&entry.tx.hash());
        }
        persisted.into_iter().map(|entry| entry.tx).collect()
    }

    /// The open block and sealed blocks from `number` on are given up (`u64::MAX`: only the open
    /// block). Their transactions come back in their old order. `view` is the state below them; all
    /// accounts are read from it.
    pub fn abandon_from(&mut self, number: u64, view: &dyn StateReader) -> Result<(), ReadError> {
        let senders = self.included.since(number).map(|entry| entry.tx.sender());
        let accounts = self.read_accounts(view, senders)?;
        self.apply_accounts(accounts);
        let entries = self.included.abandon(number);
        self.put_back(entries);
        Ok(())
    }

    /// Blocks that this pool did not execute were unwound: their transactions come back, as if they
    /// had arrived before everything that is pooled. `view` is the new state; all accounts are
    /// read from it.
    pub fn reinject(
        &mut self,
        txs: Vec<Arc<PoolTransaction>>,
        view: &dyn StateReader,
    ) -> Result<(), ReadError> {
        let accounts = self.read_accounts(view, txs.iter().map(|tx| tx.sender()))?;
        self.apply_accounts(accounts);
        let count = u64::try_from(txs.len()).unwrap_or(u64::MAX);
        self.first_arrival = self.first_arrival.saturating_sub(count);
        let entries = txs.into_iter().zip(self.first_arrival..);
        self.put_back(entries.map(|(tx, arrival)| Entry::new(tx, arrival)).collect());
        Ok(())
    }

    /// The state has changed in ways that were not reported: all accounts are read anew.
    pub fn reload(&mut self, view: &dyn StateReader) -> Result<(), ReadError> {
        let accounts = self.read_accounts(view, std::iter::empty())?;
        self.apply_accounts(accounts);
        Ok(())
    }

    /// Reads the accounts of all senders with transactions, and of those named. Changes nothing.
    fn read_accounts(
        &self,
        view: &dyn StateReader,
        named: impl Iterator<Item = Address>,
    ) -> Result<HashMap<Address, SenderView>, ReadError> {
        let pooled = self.senders.iter().filter(|(_, sender)| !sender.txs().is_empty());
        let mut accounts = HashMap::default();
        for address in pooled.map(|(_, sender)| sender.address).chain(named) {
            if let hash_map::Entry::Vacant(unread) = accounts.entry(address) {
                unread.insert(SenderView::read(view, address)?);
            }
        }
        Ok(accounts)
    }

    fn apply_accounts(&mut self, accounts: impl IntoIterator<Item = (Address, SenderView)>) {
        self.forget_idle();
        for (address, view) in accounts {
            let id = self.track(address);
            self.set_account(id, &view.account);
            self.update(id, |sender| sender.load(&view));
        }
    }

    fn forget_idle(&mut self) {
        for resting in std::mem::take(&mut self.idle) {
            self.forget_if_idle(resting);
        }
    }

    /// Puts entries back whose senders' accounts are set. Where another transaction has taken the
    /// nonce meanwhile, the one with the higher tip stays.
    fn put_back(&mut self, entries: Vec<Entry>) {
        for entry in entries {
            let hash = entry.tx.hash();
            if self.pooled(&hash).is_some() {
                continue;
            }
            self.by_hash.remove(&hash);
            let id = self.track(entry.tx.sender());
            let sender = &self.senders[id];
            let used = sender.known.is_some_and(|known| entry.nonce < known.nonce);
            if used {
                self.effects.dropped.push((entry.tx, DropReason::NonceUsed));
                continue;
            }
            match sender.find(entry.nonce) {
                Err(position) => {
                    self.update(id, |sender| sender.insert(position, entry.clone()));
                }
                Ok(position) => {
                    let base_fee = self.conditions.base_fee;
                    let other = &sender.txs()[position].tx;
                    if other.effective_tip(base_fee) > entry.tx.effective_tip(base_fee) {
                        self.effects.dropped.push((entry.tx, DropReason::Replaced));
                        continue;
                    }
                    let old = self.swap(id, position, entry.clone());
                    self.discard(old, DropReason::Replaced);
                }
            }
            self.book_in(&entry, id);
            if entry.tx.origin().is_local() {
                self.outbox.put(&entry.tx);
            }
        }
        self.eviction.deactivate();
        self.trim();
    }

    /// Drops queued transactions that arrived longer ago than the lifetime, of senders that made no
    /// progress for as long. To be called about once a minute.
    pub fn expire(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        let deadline = now.0.saturating_sub(self.config.queued_lifetime_ms);
        let stale = |entry: &Entry| entry.tx.received().0 < deadline;
        let expired: Vec<(SenderId, u64)> = self
            .senders
            .iter()
            .filter(|(_, sender)| sender.queued() > 0 && sender.progress.0 < deadline)
            .flat_map(|(id, sender)| {
                let queued = sender.txs().iter().skip(sender.run());
                queued.filter(|entry| stale(entry)).map(move |entry| (id, entry.nonce))
            })
            .collect();
        for (id, nonce) in expired {
            let Ok(position) = self.senders[id].find(nonce) else { continue };
            if let Some(entry) = self.update(id, |sender| sender.remove(position)) {
                self.discard(entry, DropReason::Expired);
            }
        }
    }
}
