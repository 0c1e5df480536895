//! One trie, read through updates that are not in the store yet.

use alloy_primitives::{B256, U256};
use alloy_trie::Nibbles;
use smallvec::SmallVec;

use super::base::{Base, Keys};
use super::{AccountUpdate, StateUpdate};
use crate::changes::SlotChange;
use crate::error::{Result, StateError};
use crate::schema::{AccountRecord, Family, decode_slot, keys};
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
    base: Base<'a>,
    /// Hashed address of a storage trie.
    account: Option<B256>,
    /// Newest first.
    layers: SmallVec<[Layer<'a>; 4]>,
    leaves: Keys<'a>,
    nodes: Keys<'a>,
}

impl<'a> LayeredTrie<'a> {
    pub(crate) fn accounts(base: Base<'a>, updates: &[&'a StateUpdate]) -> Self {
        let layer = |update: &&'a StateUpdate| Layer {
            nodes: &update.nodes,
            leaves: Leaves::Accounts(&update.accounts),
        };
        let layers = updates.iter().map(layer).collect();
        let (leaves, nodes) = (base.keys(Family::Accounts), base.keys(Family::AccountNodes));
        Self { base, account: None, layers, leaves, nodes }
    }

    pub(crate) fn storage(base: Base<'a>, updates: &[&'a StateUpdate], account: B256) -> Self {
        let layers = updates
            .iter()
            .filter_map(|update| update.storage(&account))
            .map(|update| Layer { nodes: &update.nodes, leaves: Leaves::Slots(&update.slots) })
            .collect();
        let (leaves, nodes) = (base.keys(Family::Slots), base.keys(Family::StorageNodes));
        Self { base, account: Some(account), layers, leaves, nodes }
    }

    fn scope(&self) -> &[u8] {
        self.account.as_ref().map_or(&[], |account| account.as_slice())
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

    /// The first record of the base at or below `prefix` that no layer changed.
    fn first_base_branch(&mut self, prefix: &Nibbles) -> Result<Option<(Nibbles, BranchRecord)>> {
        let scope = self.scope().len();
        let from = keys::path(self.scope(), prefix);
        let layers = &self.layers;
        let layered = |key: &[u8]| {
            let path = keys::path_of(&key[scope..]);
            path.is_some_and(|path| layers.iter().any(|layer| layer.nodes.get(&path).is_some()))
        };
        let found = self.nodes.first(&from, |key| key.starts_with(&from), layered)?;
        let Some((key, value)) = found else { return Ok(None) };
        let path = keys::path_of(&key[scope..])
            .ok_or_else(|| StateError::corrupt("a trie path with a byte above 15"))?;
        Ok(Some((path, BranchRecord::from_bytes(&value)?)))
    }

    /// The first leaf of the base at or below `prefix` that no layer changed.
    fn first_base_leaf(&mut self, prefix: &Nibbles) -> Result<Option<(Nibbles, LeafValue)>> {
        let scope = keys::PathKey::from_slice(self.scope());
        let mut from = scope.clone();
        from.extend_from_slice(keys::first_under(prefix).as_slice());
        let hashed = |key: &[u8]| key.get(scope.len()..).and_then(|key| B256::try_from(key).ok());
        let within = |key: &[u8]| {
            let below = |key: B256| keys::unpack(&key).starts_with(prefix);
            key.starts_with(&scope) && hashed(key).is_none_or(below)
        };
        let layers = &self.layers;
        let layered = |key: &[u8]| {
            let key = hashed(key);
            key.is_some_and(|key| layers.iter().any(|layer| layer.leaves.get(&key).is_some()))
        };
        let Some((key, value)) = self.leaves.first(&from, within, layered)? else {
            return Ok(None);
        };
        let key =
            hashed(&key).ok_or_else(|| StateError::corrupt("a flat key of another length"))?;
        Ok(self.decode_leaf(&value)?.map(|leaf| (keys::unpack(&key), leaf)))
    }
}

impl TrieSource for LayeredTrie<'_> {
    fn fork(&self) -> Self {
        let (leaves, nodes) = (self.leaves.fork(), self.nodes.fork());
        Self { layers: self.layers.clone(), leaves, nodes, ..*self }
    }

    fn branch(&mut self, path: &Nibbles) -> Result<Option<BranchRecord>> {
        if let Some(changed) = self.layered_node(path) {
            return Ok(changed.clone());
        }
        let key = keys::path(self.scope(), path);
        if let Some(cached) = self.base.cache.and_then(|cache| cache.get(&key)) {
            return Ok(cached);
        }
        let stored = self.nodes.get(&key)?;
        stored.map(|bytes| BranchRecord::from_bytes(&bytes)).transpose()
    }

    fn branches(&mut self, paths: &[Nibbles]) -> Result<Vec<Option<BranchRecord>>> {
        if !self.nodes.at_tip() {
            return paths.iter().map(|path| self.branch(path)).collect();
        }
        let mut found = Vec::with_capacity(paths.len());
        let mut unknown = Vec::new();
        for (at, path) in paths.iter().enumerate() {
            let layered = self.layered_node(path).cloned();
            let key = keys::path(self.scope(), path);
            let known = layered.or_else(|| self.base.cache.and_then(|cache| cache.get(&key)));
            if known.is_none() {
                unknown.push((at, key));
            }
            found.push(known.flatten());
        }
        let keys = unknown.iter().map(|(_, key)| key);
        let stored = self.base.reader.get_sorted(self.nodes.family().flat(), keys);
        for ((at, _), stored) in unknown.iter().zip(stored) {
            found[*at] = stored?.map(|bytes| BranchRecord::from_bytes(&bytes)).transpose()?;
        }
        Ok(found)
    }

    fn first_branch(&mut self, prefix: &Nibbles) -> Result<Option<(Nibbles, BranchRecord)>> {
        let mut first = self.first_base_branch(prefix)?;
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
        let mut first = self.first_base_leaf(prefix)?;
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
