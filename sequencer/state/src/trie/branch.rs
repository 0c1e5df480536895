//! A branch node being worked on, and the references of nodes.

use alloy_primitives::{B256, keccak256};
use alloy_rlp::{EMPTY_STRING_CODE, Encodable, Header};
use alloy_trie::{
    EMPTY_ROOT_HASH, Nibbles,
    nodes::{ExtensionNodeRef, RlpNode},
};

use super::{BranchRecord, LeafValue};

/// What a child reference points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChildKind {
    Leaf,
    /// A branch right below.
    Branch,
    /// A branch behind an extension.
    Extension,
}

impl ChildKind {
    pub(super) const fn of(state: u16, leaf: u16, extension: u16, nibble: u8) -> Option<Self> {
        if state >> nibble & 1 == 0 {
            None
        } else if leaf >> nibble & 1 != 0 {
            Some(Self::Leaf)
        } else if extension >> nibble & 1 != 0 {
            Some(Self::Extension)
        } else {
            Some(Self::Branch)
        }
    }
}

/// A branch node with the references of its children.
#[derive(Debug, Clone, Default)]
pub(crate) struct Branch {
    pub(super) state: u16,
    pub(super) leaf: u16,
    pub(super) extension: u16,
    pub(super) nodes: [RlpNode; 16],
    /// Value of the key that ends here; empty where none does, as always in the state.
    pub(super) value: Vec<u8>,
}

impl Branch {
    pub(crate) fn children(&self) -> impl Iterator<Item = (u8, &RlpNode)> {
        (0..16u8).filter(|n| self.state >> n & 1 != 0).map(|n| (n, &self.nodes[usize::from(n)]))
    }

    pub(crate) const fn kind(&self, nibble: u8) -> Option<ChildKind> {
        ChildKind::of(self.state, self.leaf, self.extension, nibble)
    }

    pub(super) fn set(&mut self, nibble: u8, kind: ChildKind, node: RlpNode) {
        self.remove(nibble);
        let bit = 1 << nibble;
        self.state |= bit;
        match kind {
            ChildKind::Leaf => self.leaf |= bit,
            ChildKind::Extension => self.extension |= bit,
            ChildKind::Branch => {}
        }
        self.nodes[usize::from(nibble)] = node;
    }

    pub(super) const fn remove(&mut self, nibble: u8) {
        let keep = !(1 << nibble);
        self.state &= keep;
        self.leaf &= keep;
        self.extension &= keep;
    }

    /// Appends the node's RLP.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let children: usize = self.children().map(|(_, node)| node.len()).sum();
        let absent = 16 - self.state.count_ones() as usize;
        let payload_length = children + absent + self.value.as_slice().length();
        Header { list: true, payload_length }.encode(out);
        for nibble in 0..16 {
            if self.state >> nibble & 1 != 0 {
                out.extend_from_slice(&self.nodes[nibble]);
            } else {
                out.push(EMPTY_STRING_CODE);
            }
        }
        self.value.as_slice().encode(out);
    }

    /// The node's reference: its RLP if shorter than 32 bytes, else its hash.
    pub(crate) fn reference(&self, buffer: &mut Vec<u8>) -> RlpNode {
        buffer.clear();
        self.encode(buffer);
        RlpNode::from_rlp(buffer)
    }
}

/// Appends a leaf node: `rlp([hex-prefix(key from start on), value])` (Yellow Paper, appendix C).
pub(crate) fn encode_leaf(key: &Nibbles, start: usize, value: &[u8], out: &mut Vec<u8>) {
    let odd = (key.len() - start) % 2;
    let mut path = [0u8; 33];
    path[0] = 0x20;
    if odd == 1 {
        path[0] = 0x30 | key.get_unchecked(start);
    }
    let rest = key.slice(start + odd..);
    let length = 1 + rest.len() / 2;
    rest.pack_to(&mut path[1..length]);
    let path = &path[..length];
    Header { list: true, payload_length: path.length() + value.length() }.encode(out);
    path.encode(out);
    value.encode(out);
}

/// A trie below some path, not yet attached to a parent.
#[derive(Debug, Clone)]
pub(crate) enum Subtree {
    Empty,
    /// One key; the path is the whole key.
    Leaf(Nibbles, LeafValue),
    /// A branch node at its path, with its reference.
    Branch(Nibbles, RlpNode),
}

impl Subtree {
    pub(crate) const fn path(&self) -> Option<&Nibbles> {
        match self {
            Self::Empty => None,
            Self::Leaf(path, _) | Self::Branch(path, _) => Some(path),
        }
    }

    /// The reference by which a parent names this subtree when the path up to `start` is the
    /// parent's affair.
    pub(crate) fn attach(&self, start: usize, buf: &mut Vec<u8>) -> Option<(ChildKind, RlpNode)> {
        buf.clear();
        match self {
            Self::Empty => None,
            Self::Leaf(key, value) => {
                encode_leaf(key, start, value, buf);
                Some((ChildKind::Leaf, RlpNode::from_rlp(buf)))
            }
            Self::Branch(path, node) if path.len() == start => {
                Some((ChildKind::Branch, node.clone()))
            }
            Self::Branch(path, node) => {
                let node = ExtensionNodeRef::new(&path.slice(start..), node).rlp(buf);
                Some((ChildKind::Extension, node))
            }
        }
    }

    /// The root hash of a whole trie.
    pub(crate) fn root(&self) -> B256 {
        let Some((_, node)) = self.attach(0, &mut Vec::new()) else { return EMPTY_ROOT_HASH };
        // The root is hashed even where its RLP is short.
        node.as_hash().unwrap_or_else(|| keccak256(&node))
    }

    /// Takes a branch that `record` holds at `path`.
    pub(crate) fn stored(path: Nibbles, record: &BranchRecord) -> Self {
        Self::Branch(path, record.reference())
    }
}
