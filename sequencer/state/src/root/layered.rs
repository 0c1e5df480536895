//! One trie, read through updates that are not in the store yet.

use alloy_primitives::{B256, U256};
use alloy_trie::Nibbles;
use rocksdb::DBRawIterator;
use smallvec::SmallVec;

use super::{AccountUpdate, StateUpdate};
use crate::cache::NodeCache;
use crate::changes::SlotChange;
use crate::error::{Result, StateError};
use crate::schema::{AccountRecord, Column, Reader, decode_slot, keys};
use crate::trie::{BranchRecord, LeafValue, NodeSet, TrieSource};

/// Leaves that one layer changed, sorted by key.
#[derive(Clone, Copy)]
enum Leaves<'a> {
    Accounts(&'a [AccountUpdate]),
    Slots(&'a [SlotChange]),
}

impl Leaves<'_> {
    fn key(&self, at: usize) -> Option<B256> {
        match self {
            Self::Accounts(all) => all.get(at).map(|update| update.hashed),
            Self::Slots(all) => all.get(at).map(|change| change.hashed),
        }
    }

    /// Position of the first key that is not below `key`.
    fn position(&self, key: &B256) -> usize {
        match self {
            Self::Accounts(all) => all.partition_point(|update| update.hashed < *key),
            Self::Slots(all) => all.partition_point(|change| change.hashed < *key),
        }
    }

    /// The leaf after the layer: `None` if the layer did not touch the key.
    fn get(&self, key: &B256) -> Option<Option<LeafValue>> {
        let at = self.position(key);
        if self.key(at)? != *key {
            return None;
        }
        Some(match self {
            Self::Accounts(all) => all[at].after.map(|record| record.trie_value()),
            Self::Slots(all) => slot_leaf(all[at].after),
        })
    }
}

struct Layer<'a> {
    nodes: &'a NodeSet,
    leaves: Leaves<'a>,
}

impl Clone for Layer<'_> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

/// The account trie, or the storage trie of one account, as it is after the newest layer.
pub(crate) struct LayeredTrie<'a> {
    base: Reader<'a>,
    cache: Option<&'a NodeCache>,
    /// Hashed address of a storage trie.
    account: Option<B256>,
    /// Newest first.
    layers: SmallVec<[Layer<'a>; 4]>,
    flat: Option<DBRawIterator<'a>>,
    nodes: Option<DBRawIterator<'a>>,
}

impl<'a> LayeredTrie<'a> {
    pub(crate) fn accounts(
        base: Reader<'a>,
        cache: Option<&'a NodeCache>,
        updates: &[&'a StateUpdate],
    ) -> Self {
        let layer = |update: &&'a StateUpdate| Layer {
            nodes: &update.nodes,
            leaves: Leaves::Accounts(&update.accounts),
        };
        let layers = updates.iter().map(layer).collect();
        Self { base, cache, account: None, layers, flat: None, nodes: None }
    }

    pub(crate) fn storage(
        base: Reader<'a>,
        cache: Option<&'a NodeCache>,
        updates: &[&'a StateUpdate],
        account: B256,
    ) -> Self {
        let layers = updates
            .iter()
            .filter_map(|update| update.storage(&account))
            .map(|update| Layer { nodes: &update.nodes, leaves: Leaves::Slots(&update.slots) })
            .collect();
        Self { base, cache, account: Some(account), layers, flat: None, nodes: None }
    }

    fn scope(&self) -> &[u8] {
        self.account.as_ref().map_or(&[], |account| account.as_slice())
    }

    const fn node_column(&self) -> Column {
        if self.account.is_some() { Column::StorageTrie } else { Column::AccountTrie }
    }

    const fn leaf_column(&self) -> Column {
        if self.account.is_some() { Column::Slot } else { Column::Account }
    }

    fn iterator(&self, column: Column) -> DBRawIterator<'a> {
        if self.account.is_some() { self.base.iter_prefix(column) } else { self.base.iter(column) }
    }

    fn layered_node(&self, path: &Nibbles) -> Option<&'a Option<BranchRecord>> {
        self.layers.iter().find_map(|layer| layer.nodes.get(path))
    }

    fn layered_leaf(&self, key: &B256) -> Option<Option<LeafValue>> {
        self.layers.iter().find_map(|layer| layer.leaves.get(key))
    }

    fn decode_leaf(&self, bytes: &[u8]) -> Result<Option<LeafValue>> {
        if self.account.is_some() {
            Ok(slot_leaf(decode_slot(bytes)?))
        } else {
            Ok(Some(AccountRecord::decode(bytes)?.trie_value()))
        }
    }

    /// The first stored record at or below `prefix` that no layer changed.
    fn first_stored_branch(&mut self, prefix: &Nibbles) -> Result<Option<(Nibbles, BranchRecord)>> {
        let scope = self.scope().len();
        let from = keys::path(self.scope(), prefix);
        let mut iter = match self.nodes.take() {
            Some(iter) => iter,
            None => self.iterator(self.node_column()),
        };
        iter.seek(&from);
        let mut found = None;
        while let Some((key, value)) = iter.item() {
            if !key.starts_with(&from) {
                break;
            }
            let path = keys::path_of(&key[scope..])
                .ok_or_else(|| StateError::corrupt("a trie path with a byte above 15"))?;
            if self.layered_node(&path).is_none() {
                found = Some((path, BranchRecord::from_bytes(value)?));
                break;
            }
            iter.next();
        }
        iter.status()?;
        self.nodes = Some(iter);
        Ok(found)
    }

    /// The first stored leaf at or below `prefix` that no layer changed.
    fn first_stored_leaf(&mut self, prefix: &Nibbles) -> Result<Option<(Nibbles, LeafValue)>> {
        let scope = self.scope().len();
        let mut from = keys::PathKey::from_slice(self.scope());
        from.extend_from_slice(keys::first_under(prefix).as_slice());
        let mut iter = match self.flat.take() {
            Some(iter) => iter,
            None => self.iterator(self.leaf_column()),
        };
        iter.seek(&from);
        let mut found = None;
        while let Some((key, value)) = iter.item() {
            if !key.starts_with(self.scope()) {
                break;
            }
            let hashed = B256::try_from(&key[scope..])
                .map_err(|_| StateError::corrupt("a flat key of another length"))?;
            let path = keys::unpack(&hashed);
            if !path.starts_with(prefix) {
                break;
            }
            if self.layered_leaf(&hashed).is_none() {
                found = self.decode_leaf(value)?.map(|leaf| (path, leaf));
                break;
            }
            iter.next();
        }
        iter.status()?;
        self.flat = Some(iter);
        Ok(found)
    }
}

impl TrieSource for LayeredTrie<'_> {
    fn fork(&self) -> Self {
        Self { layers: self.layers.clone(), flat: None, nodes: None, ..*self }
    }

    fn branch(&mut self, path: &Nibbles) -> Result<Option<BranchRecord>> {
        if let Some(changed) = self.layered_node(path) {
            return Ok(changed.clone());
        }
        let key = keys::path(self.scope(), path);
        if let Some(cached) = self.cache.and_then(|cache| cache.get(&key)) {
            return Ok(cached);
        }
        let stored = self.base.get(self.node_column(), &key)?;
        stored.map(|bytes| BranchRecord::from_bytes(&bytes)).transpose()
    }

    fn branches(&mut self, paths: &[Nibbles]) -> Result<Vec<Option<BranchRecord>>> {
        let mut found = Vec::with_capacity(paths.len());
        let mut unknown = Vec::new();
        for (at, path) in paths.iter().enumerate() {
            let layered = self.layered_node(path).cloned();
            let key = keys::path(self.scope(), path);
            let known = layered.or_else(|| self.cache.and_then(|cache| cache.get(&key)));
            if known.is_none() {
                unknown.push((at, key));
            }
            found.push(known.flatten());
        }
        let keys = unknown.iter().map(|(_, key)| key);
        let stored = self.base.get_sorted(self.node_column(), keys);
        for ((at, _), stored) in unknown.iter().zip(stored) {
            found[*at] = stored?.map(|bytes| BranchRecord::from_bytes(&bytes)).transpose()?;
        }
        Ok(found)
    }

    fn first_branch(&mut self, prefix: &Nibbles) -> Result<Option<(Nibbles, BranchRecord)>> {
        let mut first = self.first_stored_branch(prefix)?;
        for layer in &self.layers {
            for path in layer.nodes.under(prefix) {
                if first.as_ref().is_some_and(|(best, _)| best <= path) {
                    break;
                }
                // The newest layer that touched the path decides whether it is there.
                if let Some(Some(record)) = self.layered_node(path) {
                    first = Some((*path, record.clone()));
                    break;
                }
            }
        }
        Ok(first)
    }

    fn first_leaf(&mut self, prefix: &Nibbles) -> Result<Option<(Nibbles, LeafValue)>> {
        let mut first = self.first_stored_leaf(prefix)?;
        let from = keys::first_under(prefix);
        for layer in &self.layers {
            let mut at = layer.leaves.position(&from);
            while let Some(key) = layer.leaves.key(at) {
                let path = keys::unpack(&key);
                let beaten = first.as_ref().is_some_and(|(best, _)| *best <= path);
                if beaten || !path.starts_with(prefix) {
                    break;
                }
                if let Some(Some(leaf)) = self.layered_leaf(&key) {
                    first = Some((path, leaf));
                    break;
                }
                at += 1;
            }
        }
        Ok(first)
    }
}

/// A slot's leaf: the RLP of its value. Zero has none.
pub(crate) fn slot_leaf(value: U256) -> Option<LeafValue> {
    if value.is_zero() {
        return None;
    }
    let mut buffer = [0u8; 33];
    let mut writer = &mut buffer[..];
    alloy_rlp::Encodable::encode(&value, &mut writer);
    let written = 33 - writer.len();
    Some(LeafValue::from_slice(&buffer[..written]))
}
