//! The records of one trie that an update wrote or removed.

use std::sync::OnceLock;

use alloy_primitives::map::HashMap;
use alloy_trie::Nibbles;

use super::BranchRecord;

/// Changed records by path; `None` for a removed one.
#[derive(Debug, Default, Clone)]
pub(crate) struct NodeSet {
    nodes: HashMap<Nibbles, Option<BranchRecord>>,
    /// Made when it is first asked for, so that it is not in the way of a block being sealed.
    sorted: OnceLock<Vec<Nibbles>>,
}

impl NodeSet {
    pub(crate) fn new(updates: Vec<(Nibbles, Option<BranchRecord>)>) -> Self {
        Self { nodes: updates.into_iter().collect(), sorted: OnceLock::new() }
    }

    /// Puts later changes on top.
    pub(crate) fn extend(&mut self, later: Self) {
        self.nodes.extend(later.nodes);
        self.sorted = OnceLock::new();
    }

    fn sorted(&self) -> &[Nibbles] {
        self.sorted.get_or_init(|| {
            let mut sorted: Vec<_> = self.nodes.keys().copied().collect();
            sorted.sort_unstable();
            sorted
        })
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// What the update did at a path, `None` where it did nothing.
    pub(crate) fn get(&self, path: &Nibbles) -> Option<&Option<BranchRecord>> {
        self.nodes.get(path)
    }

    /// Changed paths, in no order.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Nibbles> {
        self.nodes.keys()
    }

    /// Changed paths at or below `prefix`, in order.
    pub(crate) fn under(&self, prefix: &Nibbles) -> impl Iterator<Item = &Nibbles> {
        let sorted = self.sorted();
        let start = sorted.partition_point(|path| path < prefix);
        let prefix = *prefix;
        sorted[start..].iter().take_while(move |path| path.starts_with(&prefix))
    }

    /// All changes in path order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Nibbles, &Option<BranchRecord>)> {
        self.sorted().iter().map(|path| (path, &self.nodes[path]))
    }

    /// Bytes of memory, roughly.
    pub(crate) fn size(&self) -> usize {
        let records: usize =
            self.nodes.values().flatten().map(|record| record.as_bytes().len() + 16).sum();
        records + self.len() * 140
    }
}
