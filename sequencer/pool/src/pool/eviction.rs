//! Limits of the whole pool.

use super::Pool;
use super::admit::class_at;
use crate::PoolError;
use crate::event::DropReason;
use crate::price::{Candidate, Class};
use crate::sender::SenderId;

/// Room that a new transaction needs.
#[derive(Debug)]
pub(super) struct Need {
    pub(super) slots: usize,
    pub(super) bytes: usize,
    /// Effective tip, wei per gas.
    pub(super) tip: u128,
    pub(super) class: Class,
    pub(super) local: bool,
    pub(super) sender: SenderId,
    pub(super) nonce: u64,
}

impl Pool {
    /// Whether something must be evicted before the need can be met.
    pub(super) fn is_tight(&self, need: &Need) -> bool {
        self.overflows(need, 0, 0) || self.queue_overflows(need)
    }

    fn overflows(&self, need: &Need, freed_slots: usize, freed_bytes: usize) -> bool {
        self.len() + need.slots > self.config.max_txs + freed_slots
            || self.bytes + need.bytes > self.config.max_bytes + freed_bytes
    }

    fn queue_overflows(&self, need: &Need) -> bool {
        need.class == Class::Queued && self.parts.queued + need.slots > self.config.max_queued
    }

    /// Evicts the cheapest remote transactions until the need is met, queued ones first. Evicts
    /// nothing if it cannot be met.
    pub(super) fn make_room(&mut self, need: &Need) -> Result<(), PoolError> {
        let mut victims: Vec<(Class, Candidate)> = Vec::new();
        let mut freed_bytes = 0;
        let mut queue_tight = self.queue_overflows(need);
        while queue_tight || self.overflows(need, victims.len(), freed_bytes) {
            match self.next_victim(need, queue_tight) {
                Ok((class, victim)) => {
                    freed_bytes += self.bytes_of(&victim);
                    queue_tight = false;
                    victims.push((class, victim));
                }
                Err(error) => {
                    let pooled = self.len();
                    for (class, victim) in victims {
                        self.eviction.push(class, victim, pooled);
                    }
                    return Err(error);
                }
            }
        }
        for (_, victim) in victims {
            self.evict(&victim);
        }
        Ok(())
    }

    fn next_victim(
        &mut self,
        need: &Need,
        queued_only: bool,
    ) -> Result<(Class, Candidate), PoolError> {
        let Some((class, candidate)) = self.worst(queued_only) else {
            return Err(PoolError::PoolFull);
        };
        // A transaction must not evict what it needs to execute itself, nor what it replaces.
        let ancestor = candidate.sender == need.sender && candidate.nonce <= need.nonce;
        let pays_less = !need.local && candidate.tip >= need.tip;
        let refusal = match (need.class, class) {
            _ if ancestor => Some(PoolError::Underpriced),
            (Class::Executable, Class::Queued) => None,
            _ if pays_less => Some(PoolError::Underpriced),
            (Class::Queued, Class::Executable) => Some(PoolError::FutureReplacesPending),
            _ => None,
        };
        match refusal {
            None => Ok((class, candidate)),
            Some(error) => {
                let pooled = self.len();
                self.eviction.push(class, candidate, pooled);
                Err(error)
            }
        }
    }

    /// Takes the worst evictable transaction off the heaps.
    fn worst(&mut self, queued_only: bool) -> Option<(Class, Candidate)> {
        self.build_eviction();
        let found = self.pop_evictable(queued_only);
        if found.is_none() && queued_only && self.demoted {
            // What was demoted still stands in the heap of executable transactions.
            self.eviction.deactivate();
            self.build_eviction();
            return self.pop_evictable(queued_only);
        }
        found
    }

    fn pop_evictable(&mut self, queued_only: bool) -> Option<(Class, Candidate)> {
        let mut in_flight = Vec::new();
        let mut found = None;
        while found.is_none() {
            let (heap, candidate) = match self.eviction.pop(Class::Queued) {
                Some(candidate) => (Class::Queued, candidate),
                None if queued_only => break,
                None => match self.eviction.pop(Class::Executable) {
                    Some(candidate) => (Class::Executable, candidate),
                    None => break,
                },
            };
            let Some(sender) = self.senders.get(candidate.sender) else { continue };
            let Ok(position) = sender.find(candidate.nonce) else { continue };
            if sender.txs()[position].arrival != candidate.arrival {
                continue;
            }
            let class = class_at(sender, position);
            if sender.is_in_flight(position) {
                in_flight.push((class, candidate));
            } else if class == heap {
                found = Some((class, candidate));
            } else {
                // It was promoted or demoted since it was put there.
                let pooled = self.len();
                self.eviction.push(class, candidate, pooled);
            }
        }
        let pooled = self.len();
        for (class, candidate) in in_flight {
            self.eviction.push(class, candidate, pooled);
        }
        found
    }

    fn build_eviction(&mut self) {
        if self.eviction.is_active() {
            return;
        }
        self.demoted = false;
        let base_fee = self.conditions.base_fee;
        let candidates = self.senders.iter().flat_map(|(id, sender)| {
            let remote = sender.txs().iter().enumerate();
            remote.filter(|(_, entry)| !entry.tx.origin().is_local()).map(move |(at, entry)| {
                let tip = entry.tx.effective_tip(base_fee);
                let (arrival, nonce) = (entry.arrival, entry.nonce);
                (class_at(sender, at), Candidate { tip, arrival, sender: id, nonce })
            })
        });
        self.eviction.build(candidates);
    }

    fn bytes_of(&self, candidate: &Candidate) -> usize {
        let sender = &self.senders[candidate.sender];
        sender.find(candidate.nonce).map_or(0, |at| sender.txs()[at].tx.encoded().len())
    }

    fn evict(&mut self, victim: &Candidate) {
        let Ok(position) = self.senders[victim.sender].find(victim.nonce) else { return };
        if let Some(entry) = self.update(victim.sender, |sender| sender.remove(position)) {
            self.discard(entry, DropReason::Evicted);
        }
    }

    /// Brings the queued sub-pool back within its limit after demotions. Local transactions stay,
    /// so that a balance that comes and goes does not cost a user what he submitted here.
    pub(super) fn trim_queued(&mut self) {
        while self.parts.queued > self.config.max_queued {
            let Some((_, victim)) = self.worst(true) else { break };
            self.evict(&victim);
        }
    }

    /// Brings the pool back within its limits after transactions came back from abandoned blocks.
    pub(super) fn trim(&mut self) {
        while self.len() > self.config.max_txs || self.bytes > self.config.max_bytes {
            let Some((_, victim)) = self.worst(false) else { break };
            self.evict(&victim);
        }
        self.trim_queued();
    }
}
