//! A Merkle Patricia trie of which only some nodes are known, for a verifier without state.

use alloy_primitives::{B256, Bytes, keccak256};
use alloy_rlp::{Decodable, Encodable};
use alloy_trie::nodes::{BranchNode, ExtensionNode, LeafNode, RlpNode, TrieNode};
use alloy_trie::{EMPTY_ROOT_HASH, Nibbles, TrieMask};

/// Nodes by hash.
pub(super) type Known = alloy_primitives::map::B256Map<Bytes>;

/// A node that was needed and is not in the witness.
#[derive(Debug, Clone, Copy)]
pub(super) struct Missing(B256);

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "node {} is not in the witness", self.0)
    }
}

type Result<T, E = Missing> = std::result::Result<T, E>;

#[derive(Debug, Clone, Default)]
pub(super) enum Node {
    #[default]
    Empty,
    /// Not looked at yet.
    Unread(RlpNode),
    Leaf(Nibbles, Vec<u8>),
    Extension(Nibbles, Box<Self>),
    Branch(Box<[Self; 16]>),
}

impl Node {
    pub(super) fn root(hash: B256) -> Self {
        if hash == EMPTY_ROOT_HASH { Self::Empty } else { Self::Unread(RlpNode::word_rlp(&hash)) }
    }

    /// Reads the node, if that was not done yet.
    fn read(&mut self, known: &Known) -> Result<()> {
        let Self::Unread(reference) = self else { return Ok(()) };
        let rlp = match reference.as_hash() {
            Some(hash) => known.get(&hash).cloned().ok_or(Missing(hash))?,
            None => Bytes::copy_from_slice(reference.as_slice()),
        };
        *self = match TrieNode::decode(&mut &rlp[..]).expect("a node of the witness") {
            TrieNode::EmptyRoot => Self::Empty,
            TrieNode::Leaf(leaf) => Self::Leaf(leaf.key, leaf.value),
            TrieNode::Extension(node) => {
                Self::Extension(node.key, Box::new(Self::Unread(node.child)))
            }
            TrieNode::Branch(node) => {
                let mut children: [Self; 16] = Default::default();
                let set = (0..16u8).filter(|nibble| node.state_mask.is_bit_set(*nibble));
                for (nibble, child) in set.zip(node.stack) {
                    children[usize::from(nibble)] = Self::Unread(child);
                }
                Self::Branch(Box::new(children))
            }
        };
        Ok(())
    }

    pub(super) fn get(&mut self, key: Nibbles, known: &Known) -> Result<Option<Vec<u8>>> {
        self.read(known)?;
        match self {
            Self::Leaf(own, value) => Ok((*own == key).then(|| value.clone())),
            Self::Extension(own, child) if key.starts_with(own) => {
                child.get(key.slice(own.len()..), known)
            }
            Self::Branch(children) => children
                [usize::from(key.get(0).expect("keys of one length"))]
            .get(key.slice(1..), known),
            _ => Ok(None),
        }
    }

    /// Sets a value; an empty one removes the key.
    pub(super) fn set(&mut self, key: Nibbles, value: Vec<u8>, known: &Known) -> Result<()> {
        self.read(known)?;
        if value.is_empty() {
            return self.remove(key, known);
        }
        match self {
            Self::Empty | Self::Unread(_) => *self = Self::Leaf(key, value),
            Self::Leaf(own, old) if *own == key => *old = value,
            Self::Leaf(own, _) => {
                let shared = own.common_prefix_length(&key);
                self.split(shared);
                return self.set(key, value, known);
            }
            Self::Extension(own, child) => {
                let shared = own.common_prefix_length(&key);
                if shared == own.len() {
                    return child.set(key.slice(shared..), value, known);
                }
                self.split(shared);
                return self.set(key, value, known);
            }
            Self::Branch(children) => {
                let nibble = usize::from(key.get(0).expect("keys of one length"));
                return children[nibble].set(key.slice(1..), value, known);
            }
        }
        Ok(())
    }

    /// Puts a branch, behind an extension of `shared` nibbles, in place of a leaf or an extension.
    fn split(&mut self, shared: usize) {
        let mut children: [Self; 16] = Default::default();
        let own = match std::mem::take(self) {
            Self::Leaf(own, value) => {
                let nibble = usize::from(own.get(shared).expect("keys of one length"));
                children[nibble] = Self::Leaf(own.slice(shared + 1..), value);
                own
            }
            Self::Extension(own, child) => {
                let nibble = usize::from(own.get(shared).expect("keys of one length"));
                let rest = own.slice(shared + 1..);
                children[nibble] =
                    if rest.is_empty() { *child } else { Self::Extension(rest, child) };
                own
            }
            other => unreachable!("split of {other:?}"),
        };
        let branch = Self::Branch(Box::new(children));
        *self = if shared == 0 {
            branch
        } else {
            Self::Extension(own.slice(..shared), Box::new(branch))
        };
    }

    fn remove(&mut self, key: Nibbles, known: &Known) -> Result<()> {
        match self {
            Self::Leaf(own, _) if *own == key => *self = Self::Empty,
            Self::Extension(own, child) if key.starts_with(own) => {
                child.set(key.slice(own.len()..), Vec::new(), known)?;
                self.merge(known)?;
            }
            Self::Branch(children) => {
                let nibble = usize::from(key.get(0).expect("keys of one length"));
                children[nibble].set(key.slice(1..), Vec::new(), known)?;
                self.merge(known)?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Joins an extension with what it leads to, and a branch with its only child.
    fn merge(&mut self, known: &Known) -> Result<()> {
        let (prefix, mut child) = match self {
            Self::Extension(own, child) => (*own, std::mem::take(&mut **child)),
            Self::Branch(children) => {
                let mut left = (0..16).filter(|n| !matches!(children[*n], Self::Empty));
                let (Some(only), None) = (left.next(), left.next()) else { return Ok(()) };
                let nibble = u8::try_from(only).expect("a nibble");
                (Nibbles::from_nibbles([nibble]), std::mem::take(&mut children[only]))
            }
            _ => return Ok(()),
        };
        child.read(known)?;
        *self = match child {
            Self::Leaf(rest, value) => Self::Leaf(prefix.join(&rest), value),
            Self::Extension(rest, child) => Self::Extension(prefix.join(&rest), child),
            Self::Empty => Self::Empty,
            branch => Self::Extension(prefix, Box::new(branch)),
        };
        Ok(())
    }

    fn reference(&self) -> RlpNode {
        let mut rlp = Vec::new();
        match self {
            Self::Empty => rlp.push(alloy_rlp::EMPTY_STRING_CODE),
            Self::Unread(reference) => return reference.clone(),
            Self::Leaf(key, value) => LeafNode::new(*key, value.clone()).encode(&mut rlp),
            Self::Extension(key, child) => {
                ExtensionNode::new(*key, child.reference()).encode(&mut rlp);
            }
            Self::Branch(children) => {
                let mut mask = TrieMask::default();
                let mut stack = Vec::new();
                for (nibble, child) in (0..).zip(&**children) {
                    if !matches!(child, Self::Empty) {
                        mask.set_bit(nibble);
                        stack.push(child.reference());
                    }
                }
                BranchNode::new(stack, mask).encode(&mut rlp);
            }
        }
        RlpNode::from_rlp(&rlp)
    }

    pub(super) fn hash(&self) -> B256 {
        match self {
            Self::Empty => EMPTY_ROOT_HASH,
            node => {
                let reference = node.reference();
                // Only the root of a trie of almost nothing is shorter than a hash.
                reference.as_hash().unwrap_or_else(|| keccak256(reference.as_slice()))
            }
        }
    }
}

/// The path of a hashed key.
pub(super) fn path(key: impl AsRef<[u8]>) -> Nibbles {
    Nibbles::unpack(keccak256(key))
}
