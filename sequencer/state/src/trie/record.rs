//! The stored form of a branch node.

use std::sync::Arc;

use alloy_primitives::B256;
use alloy_trie::nodes::RlpNode;
use smallvec::SmallVec;

use super::{Branch, ChildKind};
use crate::error::{Result, StateError};

/// A branch node as it is stored and cached.
///
/// `state ‖ leaf ‖ extension ‖ inline` (four 16-bit masks, big-endian, bit `n` for child `n`),
/// then the children in order: 32 bytes of hash, or for an inline child a length byte and the
/// node's RLP of less than 32 bytes, then the branch's own value, if any. A child whose bit is in
/// neither `leaf` nor `extension` is a branch.
///
/// Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct BranchRecord(Arc<[u8]>);

const HEADER: usize = 8;

impl std::fmt::Debug for BranchRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BranchRecord({})", alloy_primitives::hex::encode(&self.0))
    }
}

impl BranchRecord {
    pub(crate) fn new(branch: &Branch) -> Self {
        let mut out = SmallVec::<[u8; HEADER + 33 * 16]>::new();
        let inline = branch
            .children()
            .filter(|(_, node)| !node.is_hash())
            .fold(0, |mask, (nibble, _)| mask | 1u16 << nibble);
        for mask in [branch.state, branch.leaf, branch.extension, inline] {
            out.extend_from_slice(&mask.to_be_bytes());
        }
        for (_, node) in branch.children() {
            if node.is_hash() {
                out.extend_from_slice(&node[1..]);
            } else {
                out.push(node.len() as u8);
                out.extend_from_slice(node);
            }
        }
        out.extend_from_slice(&branch.value);
        Self(out.as_slice().into())
    }

    /// Takes stored bytes after checking that they are a record.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let malformed = || {
            let hex = alloy_primitives::hex::encode(bytes);
            StateError::corrupt(format!("branch record {hex}"))
        };
        if bytes.len() < HEADER {
            return Err(malformed());
        }
        let record = Self(bytes.into());
        let (state, leaf, extension) = (record.mask(0), record.mask(1), record.mask(2));
        let inline = record.mask(3);
        let valid_masks = (leaf | extension | inline) & !state == 0 && leaf & extension == 0;
        let complete = if inline == 0 {
            bytes.len() >= HEADER + 32 * state.count_ones() as usize
        } else {
            record.walk(|_, _| ()).is_some()
        };
        if valid_masks && complete { Ok(record) } else { Err(malformed()) }
    }

    /// Bytes as stored.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn mask(&self, index: usize) -> u16 {
        u16::from_be_bytes([self.0[2 * index], self.0[2 * index + 1]])
    }

    /// Visits the children in order; gives the bytes behind them, `None` if they are cut short.
    fn walk(&self, mut each: impl FnMut(u8, RlpNode)) -> Option<&[u8]> {
        let (state, inline) = (self.mask(0), self.mask(3));
        let mut rest = &self.0[HEADER..];
        for nibble in (0..16u8).filter(|n| state >> n & 1 != 0) {
            let node;
            if inline >> nibble & 1 == 0 {
                let (hash, tail) = rest.split_first_chunk::<32>()?;
                node = RlpNode::word_rlp(&B256::new(*hash));
                rest = tail;
            } else {
                let (&len, tail) = rest.split_first()?;
                let (raw, tail) = tail.split_at_checked(usize::from(len))?;
                node = RlpNode::from_raw(raw).filter(|node| !node.is_empty() && node.len() < 32)?;
                rest = tail;
            }
            each(nibble, node);
        }
        Some(rest)
    }

    /// The working form.
    pub(crate) fn branch(&self) -> Branch {
        let mut branch = Branch {
            state: self.mask(0),
            leaf: self.mask(1),
            extension: self.mask(2),
            ..Branch::default()
        };
        let rest = self
            .walk(|nibble, node| branch.nodes[usize::from(nibble)] = node)
            .expect("records are checked when they are made");
        branch.value = rest.to_vec();
        branch
    }

    /// Kind of a child, `None` where there is none.
    pub(crate) fn child_kind(&self, nibble: u8) -> Option<ChildKind> {
        ChildKind::of(self.mask(0), self.mask(1), self.mask(2), nibble)
    }

    /// The branch node's own reference.
    pub(crate) fn reference(&self) -> RlpNode {
        self.branch().reference(&mut Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn branch() -> Branch {
        let mut branch = Branch::default();
        branch.set(1, ChildKind::Leaf, RlpNode::word_rlp(&B256::repeat_byte(1)));
        branch.set(7, ChildKind::Extension, RlpNode::from_raw(&[0xc2, 1, 2]).unwrap());
        branch.set(15, ChildKind::Branch, RlpNode::word_rlp(&B256::repeat_byte(9)));
        branch
    }

    #[test]
    fn records_round_trip_with_inline_children_and_values() {
        for value in [vec![], vec![1, 2, 3]] {
            let original = Branch { value, ..branch() };
            let record = BranchRecord::new(&original);
            let read = BranchRecord::from_bytes(record.as_bytes()).unwrap();
            assert_eq!(BranchRecord::new(&read.branch()), record);
            assert_eq!(read.branch().kind(7), Some(ChildKind::Extension));
            assert_eq!(read.branch().kind(2), None);
        }
    }

    #[test]
    fn cut_or_contradictory_records_are_refused() {
        let record = BranchRecord::new(&branch());
        for len in 0..record.as_bytes().len() {
            assert!(BranchRecord::from_bytes(&record.as_bytes()[..len]).is_err(), "{len} bytes");
        }
        let mut leaf_without_child = record.as_bytes().to_vec();
        leaf_without_child[3] |= 1;
        assert!(BranchRecord::from_bytes(&leaf_without_child).is_err());
    }
}
