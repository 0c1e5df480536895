//! Where the trie reads what it was before an update.

use alloy_trie::Nibbles;

use super::{BranchRecord, LeafValue};
use crate::error::Result;

/// The trie before the changes: branch records and flat leaves.
pub(crate) trait TrieSource: Sized + Send + Sync {
    /// Another reader of the same trie, for another thread.
    fn fork(&self) -> Self;

    /// The record at exactly this path.
    fn branch(&mut self, path: &Nibbles) -> Result<Option<BranchRecord>>;

    /// The records at some paths, in order. Reads them together where that is cheaper.
    fn branches(&mut self, paths: &[Nibbles]) -> Result<Vec<Option<BranchRecord>>> {
        paths.iter().map(|path| self.branch(path)).collect()
    }

    /// The shallowest record at or below `prefix`. In path order that is the first one, because
    /// the paths of all others start with its path.
    fn first_branch(&mut self, prefix: &Nibbles) -> Result<Option<(Nibbles, BranchRecord)>>;

    /// The first key at or below `prefix` with its leaf value.
    fn first_leaf(&mut self, prefix: &Nibbles) -> Result<Option<(Nibbles, LeafValue)>>;
}
