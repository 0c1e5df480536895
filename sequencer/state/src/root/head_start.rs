//! The root of a block in steps: most of its changes while it still grows, the rest when it ends.
//!
//! Each step is a layer below the next, as the blocks that are not committed are, and they are joined
//! into one afterwards: what was hashed and rooted once is not again unless it changes again. Only
//! wiped storage is not taken in steps.

use std::cmp::Ordering;
use std::sync::Arc;

use super::{AccountUpdate, StateUpdate, StorageUpdate};
use crate::changes::{AccountChange, SlotChange, StateChanges, StorageChange};

/// What a block had changed at some moment, applied to the state of its parent.
#[derive(Debug)]
pub struct HeadStart {
    pub(crate) changes: StateChanges,
    pub(crate) update: StateUpdate,
    /// The publication of the open block up to which this is complete.
    pub(crate) upto: u32,
}

impl HeadStart {
    /// Everything, if it was taken from the state that the block ends with.
    pub fn into_parts(self) -> (StateChanges, StateUpdate) {
        (self.changes, self.update)
    }
}

impl StateChanges {
    /// These changes and later ones on top of them, as one. Neither wipes storage. What was changed
    /// back is no change; only the delta names it still, with the value that it has.
    pub(crate) fn then(self, later: Self) -> Self {
        let mut accounts = Vec::with_capacity(self.accounts.len() + later.accounts.len());
        join(
            &later.accounts,
            &self.accounts,
            |change| &change.hashed,
            |now, then| {
                let either = now.or(then)?;
                let before = then.map_or(either.before, |then| then.before);
                let after = now.map_or(either.after, |now| now.after);
                let joined = AccountChange { before, after, ..*either };
                accounts.extend((before != after).then_some(joined));
                Some(())
            },
        );
        let mut storage = Vec::with_capacity(self.storage.len() + later.storage.len());
        join(
            &later.storage,
            &self.storage,
            |change| &change.hashed,
            |now, then| {
                match (now, then) {
                    (Some(now), Some(then)) => storage.extend(then.then(now).map(Arc::new)),
                    (one, other) => storage.push(one.or(other)?.clone()),
                }
                Some(())
            },
        );
        let mut delta = self.delta;
        delta.extend(later.delta);
        Self { accounts, storage, delta }
    }
}

impl StorageChange {
    /// `None` if all slots were changed back.
    fn then(&self, later: &Self) -> Option<Self> {
        let slots = slots_then(&self.slots, &later.slots);
        (!slots.is_empty()).then_some(Self {
            hashed: self.hashed,
            address: self.address,
            wiped: false,
            slots,
        })
    }
}

fn slots_then(earlier: &[SlotChange], later: &[SlotChange]) -> Vec<SlotChange> {
    let mut slots = Vec::with_capacity(earlier.len() + later.len());
    join(
        later,
        earlier,
        |change| &change.hashed,
        |now, then| {
            let either = now.or(then)?;
            let before = then.map_or(either.before, |then| then.before);
            let after = now.map_or(either.after, |now| now.after);
            slots.extend((before != after).then_some(SlotChange { before, after, ..*either }));
            Some(())
        },
    );
    slots
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
        let slots = slots_then(&self.slots, &later.slots);
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
