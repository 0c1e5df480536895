//! Recomputes everything that the pool keeps incrementally.

use std::collections::HashMap;

use alloy_primitives::U256;

use crate::pool::Pool;
use crate::sender::{Parts, Sender};

impl Sender {
    fn check(&self, pool: &Pool) {
        let txs = self.txs();
        assert!(txs.iter().zip(txs.iter().skip(1)).all(|(a, b)| a.nonce < b.nonce), "nonce order");
        let Some(known) = self.known else {
            assert!(txs.is_empty(), "transactions of an unknown account");
            return;
        };
        let mut cost = U256::ZERO;
        let mut run = 0;
        for (index, entry) in txs.iter().enumerate().take(pool.config().sender_slots) {
            let total = cost.saturating_add(entry.cost());
            if entry.nonce != known.nonce + index as u64 || total > known.balance {
                break;
            }
            (cost, run) = (total, index + 1);
        }
        assert_eq!(self.run(), run, "run of {self:?}");
        assert_eq!(self.run_cost(), cost, "cost of the run");
        let conditions = pool.conditions();
        let payable = |entry: &&crate::sender::Entry| {
            entry.tx.fee_cap() >= u128::from(conditions.base_fee)
                && entry.tx.blob_fee_cap().is_none_or(|cap| cap >= conditions.blob_base_fee)
        };
        let priced = txs.iter().take(run).take_while(payable).count();
        let parts = Parts { pending: priced, base_fee: run - priced, queued: txs.len() - run };
        assert_eq!(self.parts(), parts, "parts");
        assert!(!self.is_in_flight(run), "in flight beyond the run");
    }
}

impl Pool {
    /// Panics if anything kept incrementally differs from what a full count gives.
    pub(crate) fn check(&self) {
        let inside = self.inside();
        let mut parts = Parts::default();
        let (mut bytes, mut ready) = (0, 0);
        let mut authorities: HashMap<_, usize> = HashMap::new();
        for (id, sender) in inside.senders {
            sender.check(self);
            assert_eq!(inside.by_address.get(&sender.address), Some(&id), "address table");
            let own = sender.parts();
            parts.pending += own.pending;
            parts.base_fee += own.base_fee;
            parts.queued += own.queued;
            ready += usize::from(sender.ready.is_some());
            assert_eq!(sender.ready.map(|key| key.1), sender.next_ready().map(|e| e.arrival));
            for entry in sender.txs() {
                bytes += entry.tx.encoded().len();
                assert!(inside.pooled(&entry.tx.hash()) == Some((id, entry.nonce)), "hash table");
                for authority in entry.tx.authorities() {
                    *authorities.entry(*authority).or_default() += 1;
                }
            }
        }
        let status = self.status();
        let counted = (parts.pending, parts.base_fee, parts.queued, bytes);
        assert_eq!((status.pending, status.base_fee, status.queued, status.bytes), counted);
        assert_eq!(inside.by_address.len(), inside.senders.len());
        assert_eq!(inside.ready, ready, "ready set");
        let pooled = parts.pending + parts.base_fee + parts.queued;
        assert_eq!(inside.known_hashes, pooled + status.included, "each hash is in one place");
        assert_eq!(inside.authorities.len(), authorities.len());
        assert!(inside.authorities.iter().all(|(a, n)| authorities.get(a) == Some(n)));
        assert!(bytes <= self.config().max_bytes && pooled <= self.config().max_txs, "limits");
    }
}
