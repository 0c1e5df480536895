//! The whole trie from sorted leaves, in one pass and constant memory.

use alloy_primitives::B256;
use alloy_trie::Nibbles;

use super::branch::{Branch, Subtree};
use super::build::Output;
use super::{BranchRecord, LeafValue};

/// Builds a trie from leaves that come in key order. Used for genesis and by `verify`; it shares
/// no code with the walk over stored records.
///
/// Records come out as their branches close, children before parents. Keys have equal length.
pub(crate) struct TrieStream {
    /// Branches on the path of the last key that may still get children, shallowest first.
    open: Vec<(usize, Branch)>,
    /// The last leaf, not placed yet: its depth depends on the next key.
    last: Option<(Nibbles, LeafValue)>,
    /// Nibbles that the last leaf shares with the leaf before it.
    shared: Option<usize>,
    out: Output,
}

impl TrieStream {
    pub(crate) fn new() -> Self {
        Self { open: Vec::new(), last: None, shared: None, out: Output::default() }
    }

    /// Adds the next leaf. Its key is greater than all before.
    pub(crate) fn leaf(&mut self, key: Nibbles, value: LeafValue) {
        if let Some((before, old)) = self.last.replace((key, value)) {
            debug_assert!(before < key, "leaves come in order");
            let next = before.common_prefix_length(&key);
            self.place(before, old, Some(next));
            self.shared = Some(next);
        }
    }

    /// Records that are complete, with their paths.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = (Nibbles, BranchRecord)> + '_ {
        self.out.updates.drain(..).filter_map(|(path, record)| Some((path, record?)))
    }

    /// Ends the stream: the root. The last records are left to [`Self::drain`].
    pub(crate) fn root(&mut self) -> B256 {
        let Some((key, value)) = self.last.take() else { return Subtree::Empty.root() };
        self.place(key, value, None).root()
    }

    /// Places a leaf that shares `next` nibbles with its successor, and closes the branches that
    /// the successor is not under. Gives the whole trie when there is no successor.
    fn place(&mut self, key: Nibbles, value: LeafValue, next: Option<usize>) -> Subtree {
        let mut tree = Subtree::Leaf(key, value);
        let mut parent = self.shared.max(next);
        while let Some(depth) = parent {
            if self.open.last().is_none_or(|(top, _)| *top < depth) {
                self.open.push((depth, Branch::default()));
            }
            let (_, branch) = self.open.last_mut().expect("just pushed or found");
            self.out.hang(branch, depth, key.get_unchecked(depth), &tree);
            if next == Some(depth) {
                return Subtree::Empty;
            }
            let (_, closed) = self.open.pop().expect("it was there a line before");
            tree = self.out.put(key.slice(..depth), &closed);
            parent = self.open.last().map(|(top, _)| *top).max(next);
        }
        tree
    }
}
