//! Which transaction is signed, sent, raised, sent again, and when it is done. No I/O, no clock.

use std::collections::{BTreeMap, VecDeque};
use std::time::Instant;

use alloy_primitives::B256;

use super::slot::{Slot, Version};
use super::{
    Effect, Event, Fees, Intent, Observation, RequestId, SendPolicy, Sent, TransactionKind,
};

/// Blocks for which a nonce must have been used with none of our transactions to be seen, before it
/// counts as used by somebody else: nodes show a new nonce before the receipt that goes with it.
const DISPLACED_DEPTH: u64 = 2;
/// Pending nonces without a record that a node is believed to have.
const UNKNOWN_MAX: u64 = 64;

/// The transactions of one account.
#[derive(Debug, Clone)]
pub struct Queue {
    policy: SendPolicy,
    next_nonce: u64,
    slots: BTreeMap<u64, Slot>,
    waiting: VecDeque<(RequestId, TransactionKind)>,
    seen: Option<Observation>,
    /// Head at which a nonce was first seen to be unused that had been used and forgotten: a
    /// reorganisation deeper than the confirmations.
    hole_at: Option<u64>,
}

impl Queue {
    /// A queue after a start. `records` are what the journal has: for each nonce the hashes and
    /// fees of its transactions in the order of signing. `latest` and `pending` are the account's
    /// nonces in the newest block and with what the node's pool has.
    ///
    /// Nonces that the pool or the order of the journal show to be in use and that the journal does
    /// not know are watched, and used up if they stay unmined.
    pub fn restore(
        policy: SendPolicy,
        records: impl IntoIterator<Item = (u64, TransactionKind, Vec<(B256, Fees)>)>,
        latest: u64,
        pending: u64,
        now: Instant,
    ) -> Self {
        let mut slots = BTreeMap::new();
        for (nonce, kind, versions) in records {
            let mut slot = Slot::new(Intent::Restored, kind, now);
            slot.versions.extend(versions.into_iter().map(|(hash, fees)| Version { hash, fees }));
            slots.insert(nonce, slot);
        }
        let behind = slots.last_key_value().map_or(0, |(nonce, _)| nonce.saturating_add(1));
        let known = behind.max(latest);
        let next_nonce = known.max(pending.min(known.saturating_add(UNKNOWN_MAX)));
        for nonce in latest..next_nonce {
            let unknown = || Slot::new(Intent::Cancel, TransactionKind::Plain, now);
            slots.entry(nonce).or_insert_with(unknown);
        }
        let (waiting, seen, hole_at) = (VecDeque::new(), None, None);
        Self { policy, next_nonce, slots, waiting, seen, hole_at }
    }

    /// Nonces whose transaction was restored and is not done yet.
    pub fn restored(&self) -> usize {
        self.slots.values().filter(|slot| slot.intent == Intent::Restored).count()
    }

    /// Requests and nonces of which no transaction is in a block.
    pub fn unmined(&self) -> usize {
        let slots = self.slots.values();
        let unmined = slots.filter(|slot| slot.mined.is_none() && slot.displaced_at.is_none());
        self.waiting.len().saturating_add(unmined.count())
    }

    /// Requests that are not done yet, and nonces in doubt.
    pub fn len(&self) -> usize {
        self.waiting.len().saturating_add(self.slots.len())
    }

    /// Whether nothing is left to do.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The hashes of a nonce, newest first, for all nonces in doubt.
    pub fn in_doubt(&self) -> impl Iterator<Item = (u64, Vec<B256>)> + '_ {
        self.slots.iter().map(|(nonce, slot)| {
            (*nonce, slot.versions.iter().rev().map(|version| version.hash).collect())
        })
    }

    /// Takes an event in; gives what to do.
    pub fn step(&mut self, event: Event, now: Instant) -> Vec<Effect> {
        let mut effects = Vec::new();
        match event {
            Event::Submit(id, kind) => self.waiting.push_back((id, kind)),
            Event::Observed(observation) => self.observe(observation, now, &mut effects),
            Event::Signed { nonce, hash, fees } => self.signed(nonce, Version { hash, fees }),
            Event::NotSigned(nonce) => {
                if let Some(slot) = self.slots.get_mut(&nonce) {
                    slot.signing = false;
                }
                // Not at once: what failed fails again.
                return effects;
            }
            Event::Sent { nonce, hash, sent } => {
                self.sent(nonce, hash, sent, &mut effects);
                return effects;
            }
            Event::Tick => {}
        }
        self.act(now, &mut effects);
        self.assign(now, &mut effects);
        effects
    }

    fn signed(&mut self, nonce: u64, version: Version) {
        let Some(slot) = self.slots.get_mut(&nonce) else { return };
        slot.signing = false;
        if !slot.has(version.hash) {
            slot.versions.push(version);
        }
        slot.sent_at = None;
    }

    fn sent(&mut self, nonce: u64, hash: B256, sent: Sent, effects: &mut Vec<Effect>) {
        let refusals_max = self.policy.refusals_max;
        let Some(slot) = self.slots.get_mut(&nonce) else { return };
        let newest = slot.newest().is_some_and(|version| version.hash == hash);
        match sent {
            Sent::Accepted => {
                slot.accepted = true;
                slot.refusals = 0;
            }
            Sent::Underpriced => slot.underpriced |= newest,
            Sent::Refused => {
                slot.refusals = slot.refusals.saturating_add(1);
                let Intent::Request(id) = slot.intent else { return };
                if slot.refusals >= refusals_max && !slot.accepted {
                    // Of the same kind: those behind it may be in the pools.
                    slot.intent = Intent::Cancel;
                    slot.underpriced = true;
                    effects.push(Effect::Rejected { nonce, id });
                }
            }
            Sent::NonceUsed | Sent::Unanswered => {}
        }
    }

    fn observe(&mut self, observation: Observation, now: Instant, effects: &mut Vec<Effect>) {
        let Observation { head, nonce: used, .. } = observation;
        self.next_nonce = self.next_nonce.max(used);
        self.fill_hole(head, used, now);
        for (nonce, slot) in &mut self.slots {
            let mut mined = observation.mined.iter();
            let found = mined.find(|mined| mined.nonce == *nonce && slot.has(mined.hash));
            let mined = found.map(|mined| (mined.hash, mined.block));
            if slot.mined.is_some() && mined.is_none() {
                // Unmined by a reorganisation: pools may have forgotten it.
                slot.sent_at = None;
            }
            if let (None, Some((hash, block)), Intent::Request(id)) =
                (slot.mined, mined, slot.intent)
            {
                effects.push(Effect::Mined { nonce: *nonce, id, hash, block });
            }
            slot.mined = mined;
            let displaced = slot.mined.is_none() && *nonce < used;
            slot.displaced_at = displaced.then(|| slot.displaced_at.unwrap_or(head).min(head));
        }
        self.seen = Some(observation);
        self.finish(head, effects);
    }

    /// Deals with nonces that were used and forgotten, and are unused again: a reorganisation deeper
    /// than the confirmations. Nothing behind them can be mined. What is still wanted of them is the
    /// requester's to say; here they are given out again, or used up for the sake of those behind.
    fn fill_hole(&mut self, head: u64, used: u64, now: Instant) {
        let lowest = self.slots.first_key_value().map(|(nonce, slot)| (*nonce, slot.kind));
        let end = lowest.map_or(self.next_nonce, |(nonce, _)| nonce);
        self.hole_at = (used < end).then(|| self.hole_at.unwrap_or(head).min(head));
        let lasting = self.hole_at.is_some_and(|at| head >= at.saturating_add(DISPLACED_DEPTH));
        if !lasting {
            return;
        }
        let Some((_, kind)) = lowest else {
            self.next_nonce = used;
            return;
        };
        // Pools that put back what was unmined have had their time.
        let due = now.checked_sub(self.policy.raise_after).unwrap_or(now);
        for nonce in used..end.min(used.saturating_add(UNKNOWN_MAX)) {
            self.slots.insert(nonce, Slot::new(Intent::Cancel, kind, due));
        }
    }

    /// Ends what is deep enough, in the order of the nonces.
    fn finish(&mut self, head: u64, effects: &mut Vec<Effect>) {
        let confirmations = self.policy.confirmations;
        let deep = |number: u64| head.saturating_add(1).saturating_sub(number) >= confirmations;
        while let Some(slot) = self.slots.first_entry() {
            let (nonce, intent) = (*slot.key(), slot.get().intent);
            let done = match (slot.get().mined, slot.get().displaced_at) {
                (Some((hash, block)), _) if deep(block.number) => {
                    Effect::Confirmed { nonce, intent, hash, block }
                }
                (None, Some(at)) if deep(at) && head >= at.saturating_add(DISPLACED_DEPTH) => {
                    Effect::Displaced { nonce, intent }
                }
                _ => break,
            };
            effects.push(done);
            slot.remove();
        }
    }

    /// Signs, raises and sends what is not mined.
    fn act(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        let Some(seen) = &self.seen else { return };
        let (policy, market) = (self.policy, seen.market);
        let mut lowest = true;
        for (nonce, slot) in &mut self.slots {
            if slot.mined.is_some() || slot.displaced_at.is_some() || slot.signing {
                lowest &= slot.mined.is_some() || slot.displaced_at.is_some();
                continue;
            }
            let late = now.saturating_duration_since(slot.priced_at) >= policy.raise_after;
            let fees = match slot.newest() {
                // What somebody else may have in the pool under this nonce gets its time.
                None if slot.intent == Intent::Cancel && !late => None,
                None => {
                    let fees = market.suggest(slot.kind, policy.ceiling);
                    let replaces = slot.intent == Intent::Cancel;
                    let raised = fees.raised(slot.kind, &market, policy.ceiling);
                    Some(if replaces { raised.unwrap_or(fees) } else { fees })
                }
                Some(newest) if slot.underpriced || lowest && late => {
                    newest.fees.raised(slot.kind, &market, policy.ceiling)
                }
                Some(_) => None,
            };
            lowest = false;
            if let Some(fees) = fees {
                slot.signing = true;
                slot.underpriced = false;
                slot.priced_at = now;
                let (nonce, intent, kind) = (*nonce, slot.intent, slot.kind);
                effects.push(Effect::Sign { nonce, intent, kind, fees });
                continue;
            }
            let due = slot
                .sent_at
                .is_none_or(|at| now.saturating_duration_since(at) >= policy.resend_after);
            if let (true, Some(newest)) = (due, slot.versions.last()) {
                slot.sent_at = Some(now);
                effects.push(Effect::Broadcast { nonce: *nonce, hash: newest.hash });
            }
        }
    }

    /// Gives nonces to requests, as many as may be in doubt, and of one kind at a time.
    fn assign(&mut self, now: Instant, effects: &mut Vec<Effect>) {
        let Some(seen) = &self.seen else { return };
        let market = seen.market;
        while let Some((id, kind)) = self.waiting.front().copied() {
            // Also those that are mined: a reorganisation may put them back into the pools.
            let other_kind = self.slots.values().any(|slot| slot.kind != kind);
            let unmined = self.slots.values().filter(|slot| slot.mined.is_none()).count();
            if unmined >= self.policy.in_flight_max || other_kind {
                return;
            }
            let Some(next) = self.next_nonce.checked_add(1) else { return };
            self.waiting.pop_front();
            let nonce = std::mem::replace(&mut self.next_nonce, next);
            let intent = Intent::Request(id);
            let mut slot = Slot::new(intent, kind, now);
            slot.signing = true;
            self.slots.insert(nonce, slot);
            let fees = market.suggest(kind, self.policy.ceiling);
            effects.push(Effect::Sign { nonce, intent, kind, fees });
        }
    }
}
