mod fixtures;
mod fuzz;
mod memory;
mod proofs;

pub(super) use memory::{MemoryTrie, rebuilt_root, rebuilt_trie};
