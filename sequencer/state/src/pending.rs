//! The state of the block that is being built, published while it grows.

use std::sync::Arc;

use crate::{Delta, StateView};

/// The deltas of an open block, merged so that a view has to look through few of them.
///
/// Deltas are merged like the digits of a binary counter: each is more than twice the size of the
/// next newer one, so `n` published values lie in at most `log2(n)` deltas, and each value is
/// copied at most that many times. Views taken earlier keep the deltas they have; nothing that a
/// view can see ever changes.
#[derive(Debug, Clone, Default)]
pub struct PendingLayers {
    /// Oldest and largest first.
    deltas: Vec<Arc<Delta>>,
}

impl PendingLayers {
    /// An open block without transactions.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts the changes of the next transactions on top.
    pub fn push(&mut self, delta: Delta) {
        if delta.is_empty() {
            return;
        }
        let mut top = delta;
        while let Some(below) = self.deltas.pop_if(|below| below.len() <= 2 * top.len()) {
            // Copied only where a view still holds it.
            let mut merged = Arc::unwrap_or_clone(below);
            merged.extend(&top);
            top = merged;
        }
        self.deltas.push(Arc::new(top));
    }

    /// Forgets everything; views keep what they have.
    pub fn clear(&mut self) {
        self.deltas.clear();
    }

    /// Whether nothing was published.
    pub fn is_empty(&self) -> bool {
        self.deltas.is_empty()
    }

    /// Number of deltas that a view looks through.
    pub fn depth(&self) -> usize {
        self.deltas.len()
    }

    /// The open block's state over its parent's.
    pub fn view(&self, parent: &StateView) -> StateView {
        parent.with_pending(self)
    }

    /// Newest first.
    pub(crate) fn newest_first(&self) -> impl Iterator<Item = Arc<Delta>> + '_ {
        self.deltas.iter().rev().cloned()
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, U256};

    use super::*;

    #[test]
    fn depth_stays_logarithmic_and_the_newest_value_wins() {
        let mut pending = PendingLayers::new();
        for n in 0..4096u64 {
            let mut delta = Delta::new();
            let address = Address::left_padding_from(&(n % 1000).to_be_bytes());
            delta.set_storage(address, U256::ZERO, U256::from(n));
            pending.push(delta);
            assert!(pending.depth() <= 13, "{} deltas after {n}", pending.depth());
        }
        for n in 0..1000u64 {
            let address = Address::left_padding_from(&n.to_be_bytes());
            let newest = pending.newest_first().find_map(|d| d.storage(&address, &U256::ZERO));
            let expected = (0..4096).rev().find(|i| i % 1000 == n).map(U256::from);
            assert_eq!(newest, expected);
        }
    }
}
