//! Filling the cache of trie nodes after a start.

use super::Store;
use crate::error::{Result, StateError};
use crate::schema::Column;
use crate::trie::BranchRecord;

/// Nodes read while commits wait: a millisecond.
const NODES_AT_ONCE: usize = 512;

/// Depth up to which nodes are read first: 16^5 are a million.
const SHALLOW: usize = 5;

impl Store {
    /// Reads account trie nodes into the cache until it is nearly full, the shallow ones first.
    /// Gives the number of nodes read.
    ///
    /// Roots are right without it; in a large state they are slower until the cache has filled by
    /// itself. Meant for a thread of its own after a start: it reads at most the account trie, about
    /// a second for 10^7 accounts, and lets commits pass in between.
    pub fn warm(&self) -> Result<u64> {
        let mut warmed = 0;
        for shallow in [true, false] {
            let mut from = Vec::new();
            while self.warm_some(&mut from, shallow, &mut warmed)? {}
        }
        Ok(warmed)
    }

    /// Reads some nodes from `from` on and moves it. `false` at the end or when the cache is full.
    fn warm_some(&self, from: &mut Vec<u8>, shallow: bool, warmed: &mut u64) -> Result<bool> {
        // No commit may replace a node between its being read and being cached.
        let _writer = self.0.writer.lock();
        let tip = self.published()?;
        let mut iter = self.db().reader().iter(Column::AccountTrie);
        iter.seek(&*from);
        for _ in 0..NODES_AT_ONCE {
            let Some((key, value)) = iter.item() else {
                return iter.status().map(|()| false).map_err(StateError::from);
            };
            if (key.len() <= SHALLOW) == shallow {
                *warmed += 1;
                if !tip.caches.nodes.warm(key, BranchRecord::from_bytes(value)?) {
                    return Ok(false);
                }
            }
            iter.next();
        }
        *from = iter.key().unwrap_or_default().to_vec();
        iter.status()?;
        Ok(!from.is_empty())
    }
}
