//! What the installed filters hold, within the limits of memory.

use std::sync::Arc;
use std::time::Instant;

use alloy_primitives::B256;
use alloy_primitives::map::HashMap;
use cairn_pool::PoolTransaction;

use super::criteria::Criteria;
use crate::view::LogView;

/// Filters by id, and how many entries they hold together.
#[derive(Debug)]
pub(super) struct Table {
    filters: HashMap<String, Filter>,
    stored: usize,
    /// Most entries of one filter.
    most: usize,
    /// Most entries of all filters together.
    most_total: usize,
}

#[derive(Debug)]
pub(super) struct Filter {
    /// When it expires: the time at which it was last asked, and its lifetime.
    pub(super) deadline: Instant,
    pub(super) changes: Changes,
}

/// What a filter collects.
#[derive(Debug)]
pub(super) enum Changes {
    Logs(Arc<Criteria>, Vec<LogView>),
    Blocks(Vec<B256>),
    TransactionHashes(Vec<B256>),
    Transactions(Vec<Arc<PoolTransaction>>),
}

impl Changes {
    const fn len(&self) -> usize {
        match self {
            Self::Logs(_, logs) => logs.len(),
            Self::Blocks(hashes) | Self::TransactionHashes(hashes) => hashes.len(),
            Self::Transactions(txs) => txs.len(),
        }
    }

    /// Gives what was collected and starts again.
    fn take(&mut self) -> Self {
        match self {
            Self::Logs(criteria, logs) => Self::Logs(criteria.clone(), std::mem::take(logs)),
            Self::Blocks(hashes) => Self::Blocks(std::mem::take(hashes)),
            Self::TransactionHashes(hashes) => Self::TransactionHashes(std::mem::take(hashes)),
            Self::Transactions(txs) => Self::Transactions(std::mem::take(txs)),
        }
    }

    pub(super) const fn is_of_pool(&self) -> bool {
        matches!(self, Self::TransactionHashes(_) | Self::Transactions(_))
    }
}

impl Table {
    pub(super) fn new(most: usize, most_total: usize) -> Self {
        Self { filters: HashMap::default(), stored: 0, most, most_total }
    }

    pub(super) fn len(&self) -> usize {
        self.filters.len()
    }

    pub(super) fn get(&self, id: &str) -> Option<&Changes> {
        self.filters.get(id).map(|filter| &filter.changes)
    }

    /// Ids of the filters whose changes are wanted.
    pub(super) fn ids(&self, wanted: impl Fn(&Changes) -> bool) -> Vec<String> {
        let wanted = self.filters.iter().filter(|(_, filter)| wanted(&filter.changes));
        wanted.map(|(id, _)| id.clone()).collect()
    }

    pub(super) fn insert(&mut self, id: String, filter: Filter) {
        self.stored += filter.changes.len();
        self.filters.insert(id, filter);
    }

    pub(super) fn remove(&mut self, id: &str) -> bool {
        let Some(filter) = self.filters.remove(id) else { return false };
        self.stored -= filter.changes.len();
        true
    }

    pub(super) fn retain(&mut self, mut keep: impl FnMut(&Filter) -> bool) {
        let stored = &mut self.stored;
        self.filters.retain(|_, filter| {
            let kept = keep(filter);
            *stored -= if kept { 0 } else { filter.changes.len() };
            kept
        });
    }

    /// Gives what a filter collected; it lives until `deadline`.
    pub(super) fn take(&mut self, id: &str, deadline: Instant) -> Option<Changes> {
        let filter = self.filters.get_mut(id)?;
        filter.deadline = deadline;
        let taken = filter.changes.take();
        self.stored -= taken.len();
        Some(taken)
    }

    /// Adds `count` entries to a filter. Where that is too much for one filter it is removed
    /// instead; where it is too much for all, those that nobody asked for longest are.
    pub(super) fn append(&mut self, id: &str, count: usize, add: impl FnOnce(&mut Changes)) {
        let Some(filter) = self.filters.get_mut(id) else { return };
        if filter.changes.len().saturating_add(count) > self.most {
            self.remove(id);
            return;
        }
        let before = filter.changes.len();
        add(&mut filter.changes);
        self.stored += filter.changes.len() - before;
        while self.stored > self.most_total && self.remove_idle() {}
    }

    /// Removes the filter that nobody asked for longest, of those that hold anything.
    fn remove_idle(&mut self) -> bool {
        let holding = self.filters.iter().filter(|(_, filter)| filter.changes.len() > 0);
        let idle = holding.min_by_key(|(_, filter)| filter.deadline).map(|(id, _)| id.clone());
        idle.is_some_and(|id| self.remove(&id))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn table(most: usize, most_total: usize) -> Table {
        let mut table = Table::new(most, most_total);
        let now = Instant::now();
        for (age, id) in ["new", "middle", "old"].into_iter().enumerate() {
            let deadline = now + Duration::from_secs(10 - age as u64);
            table.insert(id.into(), Filter { deadline, changes: Changes::Blocks(Vec::new()) });
        }
        table
    }

    fn add(table: &mut Table, id: &str, count: usize) {
        table.append(id, count, |changes| {
            if let Changes::Blocks(hashes) = changes {
                hashes.extend(std::iter::repeat_n(B256::ZERO, count));
            }
        });
    }

    #[test]
    fn a_filter_that_collects_too_much_is_removed_before_it_holds_it() {
        let mut table = table(2, 100);
        add(&mut table, "new", 2);
        assert!(table.take("new", Instant::now()).is_some());
        add(&mut table, "new", 2);
        table.append("new", 1, |_| panic!("nothing is stored beyond the limit"));
        assert!(table.get("new").is_none());
        assert_eq!((table.len(), table.stored), (2, 0));
    }

    #[test]
    fn of_filters_that_hold_too_much_together_the_longest_idle_go() {
        let mut table = table(100, 10);
        add(&mut table, "middle", 3);
        add(&mut table, "new", 7);
        assert_eq!(table.stored, 10);
        add(&mut table, "new", 1);
        assert!(table.get("middle").is_none(), "idle, though it holds less");
        assert!(table.get("old").is_some(), "it holds nothing");
        assert_eq!(table.stored, 8);
        table.retain(|_| false);
        assert_eq!((table.len(), table.stored), (0, 0));
    }
}
