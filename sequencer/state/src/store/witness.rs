//! The trie nodes that a verifier without state needs to execute a block and compute its root.
//!
//! Those are the nodes on the paths of all keys that the block reads or writes, and, where keys may
//! go, the siblings along their paths: a branch that is left with one child is merged with it, and
//! its node must be known for that. A branch can come to that only if it has at most one child more
//! than keys go in its trie, so siblings of other branches are left out.

use alloy_primitives::map::B256Map;
use alloy_primitives::{Address, Bytes, U256, keccak256};
use alloy_rlp::Decodable;
use alloy_trie::nodes::TrieNode;
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles};

use crate::StateView;
use crate::error::{Result, StateError};
use crate::root::Tries;
use crate::schema::keys;
use crate::trie::{TrieSource, prove};

/// Nibbles of a full key.
const KEY_NIBBLES: usize = 64;

/// What a block touches of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TouchedAccount {
    /// The account.
    pub address: Address,
    /// Whether the block may remove it from the trie.
    pub removed: bool,
    /// Slots, and whether the block may clear them.
    pub slots: Vec<(U256, bool)>,
}

impl StateView {
    /// Nodes of the state's tries by their hash: see the module's documentation. `touched` names each
    /// account once.
    ///
    /// # Errors
    /// As [`StateView::proof`].
    pub fn witness(&self, touched: &[TouchedAccount]) -> Result<B256Map<Bytes>> {
        self.in_tries(|tries| tries.witness(touched))
    }
}

impl Tries<'_> {
    fn witness(&self, touched: &[TouchedAccount]) -> Result<B256Map<Bytes>> {
        let mut nodes = B256Map::default();
        let accounts: Vec<_> = touched
            .iter()
            .map(|account| (keys::unpack(&keccak256(account.address)), account.removed))
            .collect();
        collect(&mut self.accounts(), &accounts, &mut nodes)?;
        for account in touched {
            let hashed = keccak256(account.address);
            let root = self.record(&hashed)?.map(|record| record.storage_root);
            if root.is_none_or(|root| root == EMPTY_ROOT_HASH) {
                continue;
            }
            let key = |slot: &U256| keys::unpack(&keccak256(slot.to_be_bytes::<32>()));
            let slots: Vec<_> =
                account.slots.iter().map(|(slot, cleared)| (key(slot), *cleared)).collect();
            collect(&mut self.storage(hashed), &slots, &mut nodes)?;
        }
        Ok(nodes)
    }
}

/// Collects what one trie needs for keys, of which some may go.
fn collect<S: TrieSource>(
    source: &mut S,
    keys: &[(Nibbles, bool)],
    nodes: &mut B256Map<Bytes>,
) -> Result<()> {
    let going = keys.iter().filter(|(_, goes)| *goes).count();
    for (key, goes) in keys {
        let (path, _) = prove(source, key)?;
        if *goes {
            for sibling in siblings(&path, key, going)? {
                keep(nodes, prove(source, &sibling)?.0);
            }
        }
        keep(nodes, path);
    }
    Ok(())
}

fn keep(nodes: &mut B256Map<Bytes>, path: Vec<Bytes>) {
    for node in path {
        nodes.insert(keccak256(&node), node);
    }
}

/// Keys under the siblings along a path, of branches that may be left with one child when `going`
/// keys go.
fn siblings(path: &[Bytes], key: &Nibbles, going: usize) -> Result<Vec<Nibbles>> {
    let mut found = Vec::new();
    let mut at = Nibbles::new();
    for node in path {
        let node = TrieNode::decode(&mut &node[..])
            .map_err(|error| StateError::corrupt(format!("trie node at {at:?}: {error}")))?;
        match node {
            TrieNode::Branch(branch) => {
                let Some(own) = key.get(at.len()) else { break };
                if usize::from(branch.state_mask.count_bits()) <= going.saturating_add(1) {
                    let others = (0..16).filter(|n| *n != own && branch.state_mask.is_bit_set(*n));
                    found.extend(others.map(|nibble| first_key(&at, nibble)));
                }
                at.push(own);
            }
            TrieNode::Extension(extension) => at.extend(&extension.key),
            TrieNode::Leaf(_) | TrieNode::EmptyRoot => break,
        }
    }
    Ok(found)
}

/// The smallest key under a child.
fn first_key(at: &Nibbles, nibble: u8) -> Nibbles {
    let mut key = *at;
    key.push(nibble);
    while key.len() < KEY_NIBBLES {
        key.push(0);
    }
    key
}
