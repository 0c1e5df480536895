//! The builder's side: best transactions out, outcomes in.

use std::sync::Arc;

use alloy_primitives::{Address, B256, U256};
use cairn_primitives::Account;

use super::{Place, Pool};
use crate::PoolTransaction;
use crate::event::DropReason;
use crate::sender::{Entry, SenderId};

/// Why the builder did not execute a transaction it was handed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unexecutable {
    /// Does not fit into this block, or its fee cap is below the block's base fee: offered again in
    /// the next block, and with it everything of its sender.
    NotInThisBlock,
    /// The account is at `next` already: dropped.
    NonceTooLow {
        /// Next nonce of the account.
        next: u64,
    },
    /// One before it was not executed: taken back, offered again in its turn.
    NonceTooHigh,
    /// The balance does not suffice: queued until it does.
    InsufficientFunds {
        /// Balance of the sender, wei.
        balance: U256,
        /// What the executor demands at the transaction's fee cap, rollup fee included, wei.
        cost: U256,
    },
    /// Refused whatever the state: dropped.
    Invalid,
}

impl Pool {
    /// Hands out up to `max` transactions, best first: highest effective tip, then earliest
    /// arrival, each sender's in nonce order. They stay pooled, in flight, until their outcome is
    /// reported. If there are none, the shell wakes the builder when there are.
    pub fn take_best(&mut self, max: usize, out: &mut Vec<Arc<PoolTransaction>>) {
        for taken in 0..max {
            let Some(id) = self.ready.pop() else {
                self.builder_waits |= taken == 0;
                break;
            };
            let sender = &mut self.senders[id];
            sender.ready = None;
            out.extend(sender.hand_out());
            self.place_ready(id);
        }
    }

    /// A transaction was executed in the open block and left its sender with `account`. It leaves
    /// the sub-pools but stays known until its block is persisted.
    pub fn executed(&mut self, hash: &B256, account: &Account) {
        let Some(place) = self.by_hash.get_mut(hash) else { return };
        let Place::Pooled { sender: id, nonce } = *place else { return };
        *place = Place::Included { seals: self.seals };
        let now = self.now;
        let mut used = std::mem::take(&mut self.used);
        let entry = self.update(id, |sender| {
            let entry = match sender.find(nonce) {
                Ok(0) if account.nonce > nonce => None,
                Ok(position) => sender.remove(position),
                Err(_) => None,
            };
            sender.set_account(account, &mut used);
            sender.progress = now;
            entry
        });
        for entry in entry.into_iter().chain(used.drain(..)) {
            if self.is_included(&entry.tx.hash()) {
                self.book_out(&entry.tx);
                self.included.push(entry);
            } else {
                self.discard(entry, DropReason::NonceUsed);
            }
        }
        self.used = used;
        self.trim_queued();
    }

    /// Accounts after an executed transaction or an imported block: nonces, balances and code of
    /// whoever the pool knows are brought up to date, all others are passed over.
    pub fn on_state_change(&mut self, changes: impl IntoIterator<Item = (Address, Account)>) {
        for (address, account) in changes {
            if let Some(id) = self.by_address.get(&address) {
                self.set_account(*id, &account);
            }
        }
    }

    pub(super) fn set_account(&mut self, id: SenderId, account: &Account) {
        let mut used: Vec<Entry> = Vec::new();
        self.update(id, |sender| sender.set_account(account, &mut used));
        for entry in used {
            self.discard(entry, DropReason::NonceUsed);
        }
        self.trim_queued();
    }

    /// A transaction that was handed out was not executed. What the builder holds of the same
    /// sender after it is taken back as well.
    pub fn unexecutable(&mut self, hash: &B256, reason: Unexecutable) {
        let Some((id, nonce)) = self.pooled(hash) else { return };
        let Ok(position) = self.senders[id].find(nonce) else { return };
        match reason {
            Unexecutable::NotInThisBlock => {
                self.skipped.push(id);
                self.update(id, |sender| {
                    sender.take_back(position);
                    sender.skipped = true;
                });
            }
            Unexecutable::NonceTooHigh => self.update(id, |sender| sender.take_back(position)),
            Unexecutable::NonceTooLow { next } => {
                if let Some(known) = self.senders[id].known {
                    let nonce = next.max(nonce.saturating_add(1)).max(known.nonce);
                    let (balance, code_hash) = (known.balance, known.code_hash);
                    self.set_account(id, &Account { nonce, balance, code_hash });
                }
            }
            Unexecutable::InsufficientFunds { balance, cost } => {
                self.demote(id, position, balance, cost);
            }
            Unexecutable::Invalid => {
                if let Some(entry) = self.update(id, |sender| sender.remove(position)) {
                    self.discard(entry, DropReason::Invalid);
                }
                self.trim_queued();
            }
        }
    }

    /// Takes over what the executor found, so that pool and executor agree on who can pay.
    fn demote(&mut self, id: SenderId, position: usize, balance: U256, cost: U256) {
        self.update(id, |sender| {
            sender.take_back(position);
            let entry = &sender.txs()[position];
            let beyond_gas = cost.saturating_sub(entry.tx.cost());
            let rollup_fee = u128::try_from(beyond_gas).unwrap_or(u128::MAX);
            if rollup_fee > entry.rollup_fee {
                sender.set_rollup_fee(position, rollup_fee);
            }
            sender.set_balance(balance);
        });
        // Where the two still disagree, the next block settles it; a loop within this one must not.
        let retried = self.senders[id].run() > position;
        if retried && !self.senders[id].skipped {
            self.skipped.push(id);
            self.update(id, |sender| sender.skipped = true);
        }
        self.trim_queued();
    }

    /// Takes back everything that was handed out and not reported, as after a builder's restart.
    pub fn take_back_all(&mut self) {
        let ids: Vec<SenderId> = self.senders.iter().map(|(id, _)| id).collect();
        for id in ids {
            if self.senders[id].is_in_flight(0) {
                self.update(id, |sender| sender.take_back(0));
            }
        }
    }
}
