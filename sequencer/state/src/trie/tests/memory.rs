//! A trie in memory, over the same core as the store's.

use std::collections::BTreeMap;

use alloy_primitives::B256;
use alloy_trie::{HashBuilder, Nibbles};

use super::super::{BranchRecord, Change, LeafValue, TrieSource, TrieStream, update};
use crate::error::Result;

#[derive(Debug, Clone, Default)]
pub(in super::super) struct MemoryTrie {
    pub(super) leaves: BTreeMap<Nibbles, LeafValue>,
    pub(super) nodes: BTreeMap<Nibbles, BranchRecord>,
}

pub(super) struct Borrowed<'a>(pub(super) &'a MemoryTrie);

impl TrieSource for Borrowed<'_> {
    fn fork(&self) -> Self {
        Self(self.0)
    }

    fn branch(&mut self, path: &Nibbles) -> Result<Option<BranchRecord>> {
        Ok(self.0.nodes.get(path).cloned())
    }

    fn first_branch(&mut self, prefix: &Nibbles) -> Result<Option<(Nibbles, BranchRecord)>> {
        let first = self.0.nodes.range(*prefix..).next();
        let under = first.filter(|(path, _)| path.starts_with(prefix));
        Ok(under.map(|(path, record)| (*path, record.clone())))
    }

    fn first_leaf(&mut self, prefix: &Nibbles) -> Result<Option<(Nibbles, LeafValue)>> {
        let first = self.0.leaves.range(*prefix..).next();
        let under = first.filter(|(key, _)| key.starts_with(prefix));
        Ok(under.map(|(key, value)| (*key, value.clone())))
    }
}

impl MemoryTrie {
    /// Applies changes (empty values are removals) and gives the new root.
    pub(super) fn apply(&mut self, changes: &BTreeMap<Nibbles, LeafValue>) -> B256 {
        let changes: Vec<_> = changes
            .iter()
            .map(|(key, value)| Change {
                key: *key,
                existed: self.leaves.contains_key(key),
                value: (!value.is_empty()).then(|| value.clone()),
            })
            .filter(|change| change.existed || change.value.is_some())
            .collect();
        let (root, nodes) = update(Borrowed(self), &changes, false).unwrap();
        for change in changes {
            match change.value {
                Some(value) => self.leaves.insert(change.key, value),
                None => self.leaves.remove(&change.key),
            };
        }
        for (path, record) in nodes.iter() {
            match record {
                Some(record) => self.nodes.insert(*path, record.clone()),
                None => self.nodes.remove(path),
            };
        }
        root
    }
}

/// The root by the full rebuild. Keys have equal length.
pub(in super::super) fn rebuilt_root(leaves: &BTreeMap<Nibbles, LeafValue>) -> B256 {
    let mut builder = HashBuilder::default();
    for (key, value) in leaves {
        builder.add_leaf(*key, value);
    }
    builder.root()
}

/// Root and records by the streaming rebuild.
pub(in super::super) fn rebuilt_trie(
    leaves: &BTreeMap<Nibbles, LeafValue>,
) -> (B256, BTreeMap<Nibbles, BranchRecord>) {
    let mut stream = TrieStream::new();
    for (key, value) in leaves {
        stream.leaf(*key, value.clone());
    }
    let root = stream.root();
    (root, stream.drain().collect())
}
