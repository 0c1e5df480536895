//! The column families whose old values can be read.

use super::{Column, keys};
use crate::error::{Result, StateError};

/// Something that the store keeps at its tip, with change sets and an index of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Family {
    Accounts,
    Slots,
    AccountNodes,
    StorageNodes,
}

impl Family {
    /// Values at the tip.
    pub(crate) const fn flat(self) -> Column {
        match self {
            Self::Accounts => Column::Account,
            Self::Slots => Column::Slot,
            Self::AccountNodes => Column::AccountTrie,
            Self::StorageNodes => Column::StorageTrie,
        }
    }

    /// `B ‖ key` to the value before block `B`, empty where there was none.
    pub(crate) const fn changes(self) -> Column {
        match self {
            Self::Accounts => Column::AccountChanges,
            Self::Slots => Column::SlotChanges,
            Self::AccountNodes => Column::AccountTrieChanges,
            Self::StorageNodes => Column::StorageTrieChanges,
        }
    }

    /// `key ‖ B`, with the key as [`Self::index_key`] writes it.
    pub(crate) const fn index(self) -> Column {
        match self {
            Self::Accounts => Column::AccountHistory,
            Self::Slots => Column::SlotHistory,
            Self::AccountNodes => Column::AccountTrieHistory,
            Self::StorageNodes => Column::StorageTrieHistory,
        }
    }

    /// Whether keys begin with a hashed address that scopes them.
    pub(crate) const fn is_scoped(self) -> bool {
        matches!(self, Self::Slots | Self::StorageNodes)
    }

    /// Bytes in front of a node's path, `None` for leaves.
    const fn path_at(self) -> Option<usize> {
        match self {
            Self::Accounts | Self::Slots => None,
            Self::AccountNodes => Some(0),
            Self::StorageNodes => Some(32),
        }
    }

    /// A key as it stands in front of the block number in the index. Paths differ in length, so they
    /// are ended by a zero, with one added to each nibble: a path comes before those below it.
    pub(crate) fn index_key(self, key: &[u8]) -> keys::PathKey {
        let Some((scope, path)) = self.path_at().and_then(|at| key.split_at_checked(at)) else {
            return keys::PathKey::from_slice(key);
        };
        let mut out = keys::PathKey::from_slice(scope);
        out.extend(path.iter().map(|nibble| nibble.saturating_add(1)));
        out.push(0);
        out
    }

    /// The key of an index entry.
    pub(crate) fn key_of(self, entry: &[u8]) -> Result<keys::PathKey> {
        let malformed = || StateError::corrupt("an index entry of a trie node");
        let (key, _) = entry.split_last_chunk::<8>().ok_or_else(malformed)?;
        let Some(at) = self.path_at() else { return Ok(keys::PathKey::from_slice(key)) };
        let (scope, path) = key.split_at_checked(at).ok_or_else(malformed)?;
        let (0, path) = path.split_last().map(|(end, path)| (*end, path)).ok_or_else(malformed)?
        else {
            return Err(malformed());
        };
        let mut out = keys::PathKey::from_slice(scope);
        for nibble in path {
            out.push(nibble.checked_sub(1).ok_or_else(malformed)?);
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_entries_sort_by_path_then_block_and_give_their_key_back() {
        let scope = [0xabu8; 32];
        let key = |path: &[u8]| [&scope[..], path].concat();
        let paths: [&[u8]; 6] = [&[], &[0], &[0, 0], &[0, 15], &[1], &[15, 15]];
        let entry = |path: &[u8], block: u64| {
            keys::history(&Family::StorageNodes.index_key(&key(path)), block).to_vec()
        };
        let mut entries = Vec::new();
        for path in paths {
            for block in [0, 1, 1 << 40, u64::MAX] {
                let entry = entry(path, block);
                assert_eq!(Family::StorageNodes.key_of(&entry).unwrap().to_vec(), key(path));
                entries.push(entry);
            }
        }
        assert!(entries.is_sorted());
    }

    #[test]
    fn malformed_entries_are_refused() {
        let entry = keys::history(&Family::AccountNodes.index_key(&[3, 4]), 5);
        assert!(Family::AccountNodes.key_of(&entry[..7]).is_err());
        assert!(Family::AccountNodes.key_of(&entry[..8]).is_err());
        assert!(Family::StorageNodes.key_of(&entry).is_err());
        let mut open_end = entry.to_vec();
        open_end[2] = 1;
        assert!(Family::AccountNodes.key_of(&open_end).is_err());
        assert!(Family::AccountNodes.key_of(&[1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]).is_err());
    }
}
