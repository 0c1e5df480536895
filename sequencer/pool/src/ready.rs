//! Which sender's next transaction is the best: effective tip, then arrival.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::sender::SenderId;

/// Effective tip per gas in wei, highest first; then arrival, earliest first. Arrivals are unique.
pub(crate) type ReadyKey = (Reverse<u128>, u64);

/// One entry for each sender with a transaction to hand out.
#[derive(Debug, Default)]
pub(crate) struct Ready {
    order: BTreeMap<ReadyKey, SenderId>,
}

impl Ready {
    pub(crate) fn insert(&mut self, key: ReadyKey, sender: SenderId) {
        let previous = self.order.insert(key, sender);
        debug_assert!(previous.is_none(), "arrivals are unique");
    }

    pub(crate) fn remove(&mut self, key: &ReadyKey) {
        let removed = self.order.remove(key);
        debug_assert!(removed.is_some(), "a sender's ready key stands in the order");
    }

    pub(crate) fn pop(&mut self) -> Option<SenderId> {
        self.order.pop_first().map(|(_, sender)| sender)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.order.len()
    }

    /// Replaces everything; sorting a list first is several times cheaper than single insertions.
    pub(crate) fn rebuild(&mut self, entries: Vec<(ReadyKey, SenderId)>) {
        self.order = entries.into_iter().collect();
    }
}
