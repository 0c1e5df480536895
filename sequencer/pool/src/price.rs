//! Which transaction to evict when the pool is full.
//!
//! Two heaps, queued and executable, the worst on top. They exist only while the pool is full:
//! built in O(n) at the first overflow after a change of the base fee, then O(log n) for each
//! operation. Entries are not removed with their transactions but recognised as stale by their
//! arrival, which no two transactions share.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::sender::SenderId;

/// A transaction that may be evicted. The greatest is the first to go: lowest tip, then latest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// Effective tip at the base fee at which the heaps were built, wei per gas.
    pub(crate) tip: u128,
    pub(crate) arrival: u64,
    pub(crate) sender: SenderId,
    pub(crate) nonce: u64,
}

impl Ord for Candidate {
    fn cmp(&self, other: &Self) -> Ordering {
        (Reverse(self.tip), self.arrival).cmp(&(Reverse(other.tip), other.arrival))
    }
}

impl PartialOrd for Candidate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Whether a transaction can execute or has to wait for others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Queued,
    Executable,
}

#[derive(Debug, Default)]
pub(crate) struct Eviction {
    heaps: Option<Heaps>,
}

#[derive(Debug, Default)]
struct Heaps {
    queued: BinaryHeap<Candidate>,
    executable: BinaryHeap<Candidate>,
}

impl Heaps {
    const fn of(&mut self, class: Class) -> &mut BinaryHeap<Candidate> {
        match class {
            Class::Queued => &mut self.queued,
            Class::Executable => &mut self.executable,
        }
    }
}

impl Eviction {
    pub(crate) const fn is_active(&self) -> bool {
        self.heaps.is_some()
    }

    /// Forgets the heaps: tips have changed, or nothing needs to be evicted any more.
    pub(crate) fn deactivate(&mut self) {
        self.heaps = None;
    }

    pub(crate) fn build(&mut self, candidates: impl Iterator<Item = (Class, Candidate)>) {
        let (mut queued, mut executable) = (Vec::new(), Vec::new());
        for (class, candidate) in candidates {
            match class {
                Class::Queued => queued.push(candidate),
                Class::Executable => executable.push(candidate),
            }
        }
        self.heaps = Some(Heaps { queued: queued.into(), executable: executable.into() });
    }

    /// Adds a transaction if the heaps exist. `pooled` bounds the stale entries they may hold.
    pub(crate) fn push(&mut self, class: Class, candidate: Candidate, pooled: usize) {
        let Some(heaps) = &mut self.heaps else { return };
        if heaps.queued.len() + heaps.executable.len() > pooled.saturating_mul(2) + 1024 {
            self.heaps = None;
            return;
        }
        heaps.of(class).push(candidate);
    }

    pub(crate) fn pop(&mut self, class: Class) -> Option<Candidate> {
        self.heaps.as_mut()?.of(class).pop()
    }
}
