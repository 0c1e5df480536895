//! The root of a block in two steps: most of its changes while it still grows, the rest when it ends.
//!
//! The first step is a layer below the second, as the blocks that are not committed are, and the two
//! are joined into one update afterwards. Only wiped storage is not taken in two steps.

use std::cmp::Ordering;
use std::sync::Arc;

use alloy_primitives::U256;

use super::{AccountUpdate, StateUpdate, StorageUpdate};
use crate::changes::{AccountChange, SlotChange, StateChanges, StorageChange};

/// What a block had changed at some moment, applied to the state of its parent.
#[derive(Debug)]
pub struct HeadStart {
    pub(crate) changes: StateChanges,
    pub(crate) update: StateUpdate,
}

impl StateChanges {
    /// What leads from `earlier`, changes of the same parent, to these: `None` if storage was wiped.
    pub(crate) fn since(&self, earlier: &Self) -> Option<Self> {
        if self.storage().iter().chain(earlier.storage()).any(|change| change.wiped) {
            return None;
        }
        let mut late = Self::default();
        join(
            self.accounts(),
            earlier.accounts(),
            |change| &change.hashed,
            |now, then| {
                let either = now.or(then)?;
                let before = then.map_or(either.before, |then| then.after);
                let after = now.map_or(either.before, |now| now.after);
                late.accounts.extend((before != after).then_some(AccountChange {
                    before,
                    after,
                    ..*either
                }));
                Some(())
            },
        );
        join(
            self.storage(),
            earlier.storage(),
            |change| &change.hashed,
            |now, then| {
                let either = now.or(then)?;
                let slots = slots_since(slots_of(now), slots_of(then));
                if !slots.is_empty() {
                    let (hashed, address) = (either.hashed, either.address);
                    late.storage.push(Arc::new(StorageChange {
                        hashed,
                        address,
                        wiped: false,
                        slots,
                    }));
                }
                Some(())
            },
        );
        Some(late)
    }
}

fn slots_of(change: Option<&Arc<StorageChange>>) -> &[SlotChange] {
    change.map_or(&[], |change| &change.slots)
}

fn slots_since(now: &[SlotChange], then: &[SlotChange]) -> Vec<SlotChange> {
    let mut late = Vec::new();
    join(
        now,
        then,
        |change| &change.hashed,
        |now, then| {
            let either = now.or(then)?;
            let before = then.map_or(either.before, |then| then.after);
            let after = now.map_or(either.before, |now| now.after);
            late.extend((before != after).then_some(SlotChange { before, after, ..*either }));
            Some(())
        },
    );
    late
}

impl StateUpdate {
    /// This update and a later one that was computed on top of it, as one.
    pub(crate) fn then(self, later: Self) -> Self {
        let mut accounts = Vec::with_capacity(self.accounts.len() + later.accounts.len());
        join(
            &later.accounts,
            &self.accounts,
            |update| &update.hashed,
            |now, then| {
                let either = now.or(then)?;
                let before = then.map_or(either.before, |then| then.before);
                let after = now.map_or(either.after, |now| now.after);
                let joined = AccountUpdate { before, after, ..*either };
                accounts.extend((before != after).then_some(joined));
                Some(())
            },
        );
        let mut storage = Vec::with_capacity(self.storage.len() + later.storage.len());
        join(
            &later.storage,
            &self.storage,
            |update| &update.hashed,
            |now, then| {
                storage.push(match (now, then) {
                    (Some(now), Some(then)) => then.then(now),
                    (one, other) => one.or(other)?.clone(),
                });
                Some(())
            },
        );
        let mut nodes = self.nodes;
        nodes.extend(later.nodes);
        Self::new(later.root, accounts, storage, nodes)
    }
}

impl StorageUpdate {
    fn then(&self, later: &Self) -> Self {
        let mut slots = Vec::with_capacity(self.slots.len() + later.slots.len());
        join(
            &later.slots,
            &self.slots,
            |change| &change.hashed,
            |now, then| {
                let either = now.or(then)?;
                let before: U256 = then.map_or(either.before, |then| then.before);
                let after = now.map_or(either.after, |now| now.after);
                slots.extend((before != after).then_some(SlotChange { before, after, ..*either }));
                Some(())
            },
        );
        let mut nodes = self.nodes.clone();
        nodes.extend(later.nodes.clone());
        Self { hashed: self.hashed, slots: slots.into(), nodes }
    }
}

/// Walks two lists that are sorted by the same key, each key once.
fn join<'a, T, K: Ord>(
    one: &'a [T],
    other: &'a [T],
    key: impl Fn(&T) -> &K,
    mut each: impl FnMut(Option<&'a T>, Option<&'a T>) -> Option<()>,
) {
    let (mut one, mut other) = (one.iter().peekable(), other.iter().peekable());
    loop {
        let order = match (one.peek(), other.peek()) {
            (None, None) => return,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => key(a).cmp(key(b)),
        };
        let a = if order.is_le() { one.next() } else { None };
        let b = if order.is_ge() { other.next() } else { None };
        each(a, b);
    }
}
