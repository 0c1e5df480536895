//! Merkle proofs as EIP-1186 defines them.

use alloy_primitives::Bytes;
use alloy_trie::Nibbles;
use alloy_trie::nodes::ExtensionNodeRef;

use super::branch::encode_leaf;
use super::{ChildKind, LeafValue, TrieSource};
use crate::error::{Result, StateError};

/// The nodes from the root towards `key`, and the value if the trie has it.
///
/// Nodes that stand inside their parent (RLP below 32 bytes) are not listed on their own. An
/// absent key is proven by the node where its path ends; the empty trie by no node at all.
pub(crate) fn prove<S: TrieSource>(
    source: &mut S,
    key: &Nibbles,
) -> Result<(Vec<Bytes>, Option<LeafValue>)> {
    let mut nodes = Nodes(Vec::new());
    let mut path = Nibbles::new();
    let mut kind = None;
    loop {
        let found = match kind {
            Some(ChildKind::Leaf) => None,
            Some(ChildKind::Branch) => source.branch(&path)?.map(|record| (path, record)),
            // The root may be anything.
            Some(ChildKind::Extension) | None => source.first_branch(&path)?,
        };
        let Some((at, record)) = found else {
            if matches!(kind, Some(ChildKind::Branch | ChildKind::Extension)) {
                return Err(StateError::corrupt(format!("no trie node at {path:?}")));
            }
            return nodes.leaf(source, &path, key);
        };
        if at.len() > path.len() {
            let mut buffer = Vec::new();
            ExtensionNodeRef::new(&at.slice(path.len()..), &record.reference()).rlp(&mut buffer);
            nodes.push(buffer);
            if !key.starts_with(&at) {
                return Ok((nodes.0, None));
            }
        }
        let branch = record.branch();
        let mut buffer = Vec::new();
        branch.encode(&mut buffer);
        nodes.push(buffer);
        let Some(nibble) = key.get(at.len()) else {
            let value = (!branch.value.is_empty()).then(|| LeafValue::from_slice(&branch.value));
            return Ok((nodes.0, value));
        };
        kind = branch.kind(nibble);
        if kind.is_none() {
            return Ok((nodes.0, None));
        }
        path = at;
        path.push(nibble);
    }
}

struct Nodes(Vec<Bytes>);

impl Nodes {
    fn push(&mut self, rlp: Vec<u8>) {
        if rlp.len() >= 32 || self.0.is_empty() {
            self.0.push(rlp.into());
        }
    }

    /// Ends at the only leaf under `path`, which may have another key.
    fn leaf<S: TrieSource>(
        mut self,
        source: &mut S,
        path: &Nibbles,
        key: &Nibbles,
    ) -> Result<(Vec<Bytes>, Option<LeafValue>)> {
        let Some((found, value)) = source.first_leaf(path)? else {
            // Only the root may lead nowhere.
            return match path.is_empty() {
                true => Ok((self.0, None)),
                false => Err(StateError::corrupt(format!("no leaf under {path:?}"))),
            };
        };
        let mut buffer = Vec::new();
        encode_leaf(&found, path.len(), &value, &mut buffer);
        self.push(buffer);
        Ok((self.0, (found == *key).then_some(value)))
    }
}
