//! The incremental root.

use alloy_primitives::B256;
use alloy_primitives::map::HashMap;
use alloy_trie::Nibbles;
use rayon::prelude::*;

use super::branch::{Branch, Subtree};
use super::build::{Output, leaf};
use super::{BranchRecord, ChildKind, LeafValue, NodeSet, TrieSource};
use crate::error::{Result, StateError};

/// A changed key.
#[derive(Debug, Clone)]
pub(crate) struct Change {
    /// The whole key.
    pub(crate) key: Nibbles,
    /// Whether the trie has the key before the change.
    pub(crate) existed: bool,
    /// The new value, `None` to remove the key.
    pub(crate) value: Option<LeafValue>,
}

/// From how many changes below one branch its children are worked on in parallel.
const PARALLEL_CHANGES: usize = 192;

/// From how many keys records are read ahead of the descent.
const READ_AHEAD_CHANGES: usize = 16;

/// Applies changes, sorted by key and without duplicates, and gives the new root with the records
/// that differ. `empty` says that the trie has no key before, which saves looking for its root.
pub(crate) fn update<S: TrieSource>(
    source: S,
    changes: &[Change],
    empty: bool,
) -> Result<(B256, NodeSet)> {
    debug_assert!(changes.is_sorted_by(|a, b| a.key < b.key), "changes are sorted");
    let mut task = Task::new(source, true);
    let root = Nibbles::new();
    let tree = if empty {
        task.insert_only(changes, None)
    } else if let Some(record) = task.source.branch(&root)? {
        task.branch(root, &record, changes)?
    } else if let Some((path, record)) = task.source.first_branch(&root)? {
        task.extension(path, &record, changes)?
    } else {
        task.leaf(&root, changes)?
    };
    Ok((tree.root(), NodeSet::new(task.out.updates)))
}

struct Task<S> {
    source: S,
    out: Output,
    /// Records read ahead.
    ahead: HashMap<Nibbles, BranchRecord>,
    /// Whether this task has the whole trie, not one of the subtrees it was split into.
    whole: bool,
}

impl<S: TrieSource> Task<S> {
    fn new(source: S, whole: bool) -> Self {
        Self { source, out: Output::default(), ahead: HashMap::default(), whole }
    }

    /// The record of a branch child.
    fn record(&mut self, path: &Nibbles) -> Result<BranchRecord> {
        if let Some(record) = self.ahead.remove(path) {
            return Ok(record);
        }
        self.source.branch(path)?.ok_or_else(|| missing(path))
    }

    /// Reads the branches that lie on the way of `changes`, all of one depth together: in a large
    /// trie that is most of the work, and one read of many keys costs far less than many reads.
    fn read_ahead(&mut self, from: Nibbles, changes: &[Change]) -> Result<()> {
        let mut level = vec![(from, changes)];
        while level.len() + level.first().map_or(0, |(_, c)| c.len()) >= READ_AHEAD_CHANGES {
            let paths: Vec<_> = level.iter().map(|(path, _)| *path).collect();
            let records = self.source.branches(&paths)?;
            let mut next = Vec::with_capacity(level.len());
            for ((path, changes), record) in level.into_iter().zip(records) {
                let Some(record) = record else { continue };
                for (nibble, changes) in groups(past(changes, path.len()), path.len()) {
                    if record.child_kind(nibble) == Some(ChildKind::Branch) {
                        let mut child = path;
                        child.push(nibble);
                        next.push((child, changes));
                    }
                }
                self.ahead.insert(path, record);
            }
            level = next;
        }
        Ok(())
    }

    /// Changes below a path that held nothing, or a leaf that `old` names if it stays.
    fn insert_only(&mut self, changes: &[Change], old: Option<(Nibbles, LeafValue)>) -> Subtree {
        let mut items: Vec<_> = changes
            .iter()
            .filter_map(|change| Some(leaf(change.key, change.value.clone()?)))
            .collect();
        if let Some((key, value)) = old {
            let at = items.partition_point(|item| item.path().is_some_and(|path| *path < key));
            items.insert(at, leaf(key, value));
        }
        self.out.join(&items)
    }

    /// Changes below a path that holds one leaf, or nothing at the root of an empty trie.
    fn leaf(&mut self, prefix: &Nibbles, changes: &[Change]) -> Result<Subtree> {
        if changes.iter().any(|change| change.existed) {
            return Ok(self.insert_only(changes, None));
        }
        let old = self.source.first_leaf(prefix)?;
        if let Some((key, _)) = &old
            && changes.binary_search_by(|change| change.key.cmp(key)).is_ok()
        {
            return Err(foreign(key, "the trie holds a key that was said to be new"));
        }
        Ok(self.insert_only(changes, old))
    }

    /// Changes below a path that leads to the branch at `path` through an extension.
    fn extension(
        &mut self,
        path: Nibbles,
        record: &BranchRecord,
        changes: &[Change],
    ) -> Result<Subtree> {
        let start = changes.partition_point(|change| change.key < path);
        let inside = changes[start..].partition_point(|change| change.key.starts_with(&path));
        let (before, rest) = changes.split_at(start);
        let (inside, after) = rest.split_at(inside);
        if let Some(change) = before.iter().chain(after).find(|change| change.existed) {
            return Err(foreign(&change.key, "the trie has no key beside an extension"));
        }
        let middle = if inside.is_empty() {
            Subtree::stored(path, record)
        } else {
            self.branch(path, record, inside)?
        };
        let new = |changes: &[Change]| -> Vec<Subtree> {
            let each = |change: &Change| Some(leaf(change.key, change.value.clone()?));
            changes.iter().filter_map(each).collect()
        };
        let mut items = new(before);
        items.extend((middle.path().is_some()).then_some(middle));
        items.extend(new(after));
        Ok(self.out.join(&items))
    }

    /// Changes below the branch at `path`.
    fn branch(
        &mut self,
        path: Nibbles,
        record: &BranchRecord,
        changes: &[Change],
    ) -> Result<Subtree> {
        let depth = path.len();
        let mut branch = record.branch();
        let rest = past(changes, depth);
        if rest.len() < changes.len() {
            let value = changes[0].value.as_ref();
            branch.value = value.map_or_else(Vec::new, |value| value.to_vec());
        }
        let groups = groups(rest, depth);
        let spread = self.whole && changes.len() >= PARALLEL_CHANGES && groups.len() > 1;
        let children = if spread {
            self.children_in_parallel(&path, &branch, &groups)?
        } else {
            let each = |(nibble, changes): &(u8, &[Change])| {
                Ok((*nibble, self.child(&path, branch.kind(*nibble), *nibble, changes)?))
            };
            groups.iter().map(each).collect::<Result<_>>()?
        };
        for (nibble, child) in &children {
            self.out.hang(&mut branch, depth, *nibble, child);
        }
        self.finish(path, branch, children)
    }

    fn children_in_parallel(
        &mut self,
        path: &Nibbles,
        branch: &Branch,
        groups: &[(u8, &[Change])],
    ) -> Result<Vec<(u8, Subtree)>> {
        let source = &self.source;
        let done: Vec<_> = groups
            .par_iter()
            .map(|&(nibble, changes)| {
                let mut task = Self::new(source.fork(), false);
                if branch.kind(nibble) == Some(ChildKind::Branch) {
                    let mut child = *path;
                    child.push(nibble);
                    task.read_ahead(child, changes)?;
                }
                let child = task.child(path, branch.kind(nibble), nibble, changes)?;
                Ok((nibble, child, task.out.updates))
            })
            .collect::<Result<_>>()?;
        let mut children = Vec::with_capacity(done.len());
        for (nibble, child, updates) in done {
            self.out.updates.extend(updates);
            children.push((nibble, child));
        }
        Ok(children)
    }

    /// Changes below one child of the branch at `path`.
    fn child(
        &mut self,
        path: &Nibbles,
        kind: Option<ChildKind>,
        nibble: u8,
        changes: &[Change],
    ) -> Result<Subtree> {
        let mut prefix = *path;
        prefix.push(nibble);
        match kind {
            None => match changes.iter().find(|change| change.existed) {
                Some(change) => Err(foreign(&change.key, "the trie does not have it")),
                None => Ok(self.insert_only(changes, None)),
            },
            Some(ChildKind::Leaf) => self.leaf(&prefix, changes),
            Some(ChildKind::Branch) => {
                let record = self.record(&prefix)?;
                self.branch(prefix, &record, changes)
            }
            Some(ChildKind::Extension) => {
                let (at, record) =
                    self.source.first_branch(&prefix)?.ok_or_else(|| missing(&prefix))?;
                self.extension(at, &record, changes)
            }
        }
    }

    /// Stores a changed branch, or gives up a branch that is left with one child or none.
    fn finish(
        &mut self,
        path: Nibbles,
        branch: Branch,
        mut changed: Vec<(u8, Subtree)>,
    ) -> Result<Subtree> {
        let mut children = branch.children();
        let (first, second) = (children.next(), children.next());
        let Some((nibble, node)) = first else {
            self.out.updates.push((path, None));
            return Ok(match branch.value.is_empty() {
                true => Subtree::Empty,
                false => leaf(path, LeafValue::from_slice(&branch.value)),
            });
        };
        if second.is_some() || !branch.value.is_empty() {
            return Ok(self.out.put(path, &branch));
        }
        self.out.updates.push((path, None));
        if let Some(at) = changed.iter().position(|(changed, _)| *changed == nibble) {
            return Ok(changed.swap_remove(at).1);
        }
        let mut prefix = path;
        prefix.push(nibble);
        match branch.kind(nibble) {
            Some(ChildKind::Branch) => Ok(Subtree::Branch(prefix, node.clone())),
            Some(ChildKind::Extension) => {
                let (at, record) =
                    self.source.first_branch(&prefix)?.ok_or_else(|| missing(&prefix))?;
                Ok(Subtree::stored(at, &record))
            }
            _ => {
                let (key, value) =
                    self.source.first_leaf(&prefix)?.ok_or_else(|| missing(&prefix))?;
                Ok(leaf(key, value))
            }
        }
    }
}

/// Changes without that of the key that ends at `depth`, which comes first.
fn past(changes: &[Change], depth: usize) -> &[Change] {
    match changes.split_first() {
        Some((first, rest)) if first.key.len() == depth => rest,
        _ => changes,
    }
}

/// Splits changes that share `depth` nibbles by the next one.
fn groups(mut changes: &[Change], depth: usize) -> Vec<(u8, &[Change])> {
    let mut groups = Vec::with_capacity(changes.len().min(16));
    while let Some(first) = changes.first() {
        let nibble = first.key.get_unchecked(depth);
        let end = changes.partition_point(|change| change.key.get_unchecked(depth) <= nibble);
        groups.push((nibble, &changes[..end]));
        changes = &changes[end..];
    }
    groups
}

fn missing(path: &Nibbles) -> StateError {
    StateError::corrupt(format!("the trie leads to {path:?}, where nothing is stored"))
}

fn foreign(key: &Nibbles, what: &'static str) -> StateError {
    StateError::ForeignChanges { key: format!("{key:?}"), what }
}
