//! Heads of the chain.

use alloy_eips::BlockNumHash;

/// Which head a caller means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// The newest block, as the sequencer announced it.
    Unsafe,
    /// The newest block that follows from L1 data.
    Safe,
    /// The newest block that follows from finalized L1 data; it is never unwound.
    Finalized,
}

/// The three heads. `finalized ≤ safe ≤ unsafe_head`, all on one chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heads {
    /// Newest block.
    pub unsafe_head: BlockNumHash,
    /// Newest safe block, genesis at first.
    pub safe: BlockNumHash,
    /// Newest finalized block, genesis at first.
    pub finalized: BlockNumHash,
}

impl Heads {
    /// The head of that kind.
    pub const fn get(&self, head: Head) -> BlockNumHash {
        match head {
            Head::Unsafe => self.unsafe_head,
            Head::Safe => self.safe,
            Head::Finalized => self.finalized,
        }
    }
}
