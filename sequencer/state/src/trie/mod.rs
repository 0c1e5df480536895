//! The Merkle-Patricia trie over stored branch nodes.
//!
//! # What is stored
//!
//! Every branch node has a [`BranchRecord`] at its nibble path. The record holds the reference of
//! **every** child, so that a changed branch is hashed again without reading its other children.
//! Leaves are not stored: their keys and values are the flat state, and a leaf below a known path
//! is the only flat key under that path. Extensions are not stored either: a child that is an
//! extension leads to the first record under the child's path.
//!
//! # What an update does
//!
//! [`update()`] takes the changes sorted by key and descends only where something changed. It never
//! writes; it returns the new root and the records that differ ([`NodeSet`]), which stay in
//! memory until the block is committed. It reads leaves from flat state in two cases only: a new
//! key falls onto an old leaf, or a branch loses all children but one and that one is a leaf.
//!
//! The trie works on nibble paths of any length up to 64, with values at branches, so that the
//! public trie tests run on the same code as the state.

mod branch;
mod build;
mod node_set;
mod proof;
mod record;
mod source;
mod stream;
mod update;

pub(crate) use branch::{Branch, ChildKind};
pub(crate) use node_set::NodeSet;
pub(crate) use proof::prove;
pub use record::BranchRecord;
pub(crate) use source::TrieSource;
pub(crate) use stream::TrieStream;
pub(crate) use update::{Change, update};

/// The encoded value of a leaf: what stands inside the leaf node's string.
pub(crate) type LeafValue = smallvec::SmallVec<[u8; 112]>;

#[cfg(test)]
mod tests;
