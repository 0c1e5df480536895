//! New branches over subtrees that have none in common yet.

use alloy_trie::Nibbles;

use super::branch::{Branch, Subtree};
use super::{BranchRecord, LeafValue};

/// Collects the records that a build or an update makes.
#[derive(Debug, Default)]
pub(super) struct Output {
    pub(super) updates: Vec<(Nibbles, Option<BranchRecord>)>,
    pub(super) buffer: Vec<u8>,
}

impl Output {
    /// Stores a branch and returns it as a subtree.
    pub(super) fn put(&mut self, path: Nibbles, branch: &Branch) -> Subtree {
        let node = branch.reference(&mut self.buffer);
        self.updates.push((path, Some(BranchRecord::new(branch))));
        Subtree::Branch(path, node)
    }

    /// Hangs a subtree below `branch`, or removes the child where the subtree is empty.
    pub(super) fn hang(&mut self, branch: &mut Branch, depth: usize, nibble: u8, child: &Subtree) {
        match child.attach(depth + 1, &mut self.buffer) {
            Some((kind, node)) => branch.set(nibble, kind, node),
            None => branch.remove(nibble),
        }
    }

    /// Joins subtrees with distinct paths, sorted by path, none of them empty. No path of a branch
    /// among them may be a prefix of another.
    pub(super) fn join(&mut self, items: &[Subtree]) -> Subtree {
        let (first, last) = match items {
            [] => return Subtree::Empty,
            [one] => return one.clone(),
            [first, .., last] => (first, last),
        };
        let path_of = |item: &Subtree| *item.path().expect("items are not empty");
        let depth = path_of(first).common_prefix_length(&path_of(last));
        let mut branch = Branch::default();
        let mut rest = items;
        if let Subtree::Leaf(key, value) = first
            && key.len() == depth
        {
            branch.value = value.to_vec();
            rest = &items[1..];
        }
        while let Some(next) = rest.first() {
            let nibble = path_of(next).get_unchecked(depth);
            let end = rest.partition_point(|item| path_of(item).get_unchecked(depth) <= nibble);
            let child = self.join(&rest[..end]);
            self.hang(&mut branch, depth, nibble, &child);
            rest = &rest[end..];
        }
        self.put(path_of(last).slice(..depth), &branch)
    }
}

/// The leaf of a key.
pub(super) const fn leaf(key: Nibbles, value: LeafValue) -> Subtree {
    Subtree::Leaf(key, value)
}
