//! Sync start: where to go on after a restart or an L1 reorganisation.
//!
//! The answer follows from the chain, the safe-head index and L1 alone; there is no cursor.
//!
//! - *safe*: the newest entry of the safe-head index whose L1 block is still canonical and whose
//!   L2 block is still ours. All of that L1 block had been read, so derivation goes on behind it.
//! - *unsafe*: the newest block whose L1 origin is canonical, or higher than L1 now reaches.
//! - *first L1 block to read*: a channel that is open behind the entry's L1 block began at most a
//!   channel lifetime before, and the blocks from the safe head's origin on are needed as origins.
//!
//! With an empty index everything is derived from genesis, which finds the blocks that exist.

use std::collections::BTreeMap;

use alloy_eips::BlockNumHash;
use alloy_primitives::B256;
use cairn_primitives::ReadError;

use crate::{L2BlockRef, RollupConfig, SystemConfig};

/// Where derivation starts and what the chain is unwound to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// Newest block to keep; what is above goes.
    pub unsafe_head: L2BlockRef,
    /// Safe head. It can be lower than before a restart: what was derived of an L1 block that had
    /// not been read to its end is derived again, and found as it is.
    pub safe: L2BlockRef,
    /// First L1 block to read.
    pub l1: BlockNumHash,
    /// System configuration as of that block.
    pub system_config: SystemConfig,
    /// The L1 block after which the safe head is `safe`.
    pub processed: BlockNumHash,
}

/// An entry of the safe-head index, from [`crate::derivation::Effect::SafeHead`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SafeHeadEntry {
    /// The L1 block.
    pub l1: BlockNumHash,
    /// The safe block after it.
    pub l2: BlockNumHash,
}

/// The node's own store.
pub trait StartSource {
    /// The canonical block at that number.
    fn block(&self, number: u64) -> Result<Option<L2BlockRef>, ReadError>;
    /// The system configuration that the canonical block at that number was built with
    /// ([`SystemConfig::of_block`]).
    fn system_config(&self, number: u64) -> Result<SystemConfig, ReadError>;
    /// The newest entry of the safe-head index for an L1 block at or below that number.
    fn safe_head(&self, l1_number: u64) -> Result<Option<SafeHeadEntry>, ReadError>;
}

/// What is known of the canonical L1 chain: hashes by number, `None` where it has no block yet.
pub type KnownL1 = BTreeMap<u64, Option<B256>>;

/// Why there is no starting point.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StartError {
    /// The hash of that L1 block must be known first: look it up, add it, ask again.
    #[error("the hash of L1 block {0} is needed")]
    NeedL1(u64),
    /// L1 is not the chain of the configuration.
    #[error("L1 block {} is {actual:?}, not {} as configured", expected.number, expected.hash)]
    WrongL1 {
        /// L1's genesis block for this rollup.
        expected: BlockNumHash,
        /// What L1 has there; nothing while the endpoint is still behind it, then try later.
        actual: Option<B256>,
    },
    /// L1 gave up a block that it had called final, or the endpoint is behind it: then try later.
    #[error("L1 supports the chain up to {safe} only, and {finalized} is final")]
    BelowFinalized {
        /// Number of the newest block that L1 supports.
        safe: u64,
        /// Number of the finalized block.
        finalized: u64,
    },
    /// The chain has no block at that number.
    #[error("block {0} is missing")]
    MissingBlock(u64),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] ReadError),
}

/// Finds the starting point. Asks for L1 hashes one at a time by [`StartError::NeedL1`]; all of
/// them should be of one L1 chain. If L1 changes meanwhile, derivation finds out and resets.
///
/// `unsafe_head` and `finalized` are numbers of canonical blocks.
pub fn find_start(
    config: &RollupConfig,
    unsafe_head: u64,
    finalized: u64,
    source: &dyn StartSource,
    l1: &KnownL1,
) -> Result<Start, StartError> {
    let search = Search { config, source, l1 };
    let genesis = config.genesis.l1;
    let actual = search.l1_hash(genesis.number)?;
    if actual != Some(genesis.hash) {
        return Err(StartError::WrongL1 { expected: genesis, actual });
    }
    let (processed, safe) = search.safe_head()?;
    if safe.number < finalized {
        return Err(StartError::BelowFinalized { safe: safe.number, finalized });
    }
    let unsafe_head = search.unsafe_head(unsafe_head.max(safe.number), safe)?;
    let (l1, system_config) = search.first_l1(processed, safe)?;
    Ok(Start { unsafe_head, safe, l1, system_config, processed })
}

struct Search<'a> {
    config: &'a RollupConfig,
    source: &'a dyn StartSource,
    l1: &'a KnownL1,
}

impl Search<'_> {
    fn l1_hash(&self, number: u64) -> Result<Option<B256>, StartError> {
        self.l1.get(&number).copied().ok_or(StartError::NeedL1(number))
    }

    fn block(&self, number: u64) -> Result<L2BlockRef, StartError> {
        self.source.block(number)?.ok_or(StartError::MissingBlock(number))
    }

    /// The newest entry that holds, or genesis.
    fn safe_head(&self) -> Result<(BlockNumHash, L2BlockRef), StartError> {
        let genesis = self.config.genesis;
        let mut limit = u64::MAX;
        while let Some(entry) = self.source.safe_head(limit)? {
            if entry.l1.number <= genesis.l1.number {
                break;
            }
            if self.l1_hash(entry.l1.number)? == Some(entry.l1.hash) {
                let block = self.source.block(entry.l2.number)?;
                if let Some(block) = block.filter(|block| block.hash == entry.l2.hash) {
                    return Ok((entry.l1, block));
                }
            }
            limit = entry.l1.number.saturating_sub(1);
        }
        Ok((genesis.l1, self.block(genesis.l2.number)?))
    }

    /// Goes down epoch by epoch until one is canonical.
    fn unsafe_head(&self, head: u64, safe: L2BlockRef) -> Result<L2BlockRef, StartError> {
        let mut candidate = self.block(head)?;
        let mut block = candidate;
        while block.number > safe.number {
            let origin = block.l1_origin;
            match self.l1_hash(origin.number)? {
                Some(hash) if hash == origin.hash => break,
                // Ahead of L1: plausible, if what is below holds.
                None => block = self.before_epoch(block, safe)?,
                Some(_) => {
                    block = self.before_epoch(block, safe)?;
                    candidate = block;
                }
            }
        }
        Ok(candidate)
    }

    /// The last block of the epoch before that of `block`, not below `floor`.
    fn before_epoch(&self, block: L2BlockRef, floor: L2BlockRef) -> Result<L2BlockRef, StartError> {
        let back = block.sequence_number.saturating_add(1);
        let number = block.number.saturating_sub(back).max(floor.number);
        self.block(number)
    }

    /// The first L1 block to read, with the system configuration as of it.
    fn first_l1(
        &self,
        processed: BlockNumHash,
        safe: L2BlockRef,
    ) -> Result<(BlockNumHash, SystemConfig), StartError> {
        let genesis = self.config.genesis;
        let oldest_channel = (processed.number + 1).saturating_sub(self.config.channel_lifetime());
        let wanted = oldest_channel.min(safe.l1_origin.number);
        let mut block = safe;
        while block.l1_origin.number > wanted && block.number > genesis.l2.number {
            block = self.before_epoch(block, self.block(genesis.l2.number)?)?;
        }
        if block.number <= genesis.l2.number {
            return Ok((genesis.l1, genesis.system_config));
        }
        Ok((block.l1_origin, self.source.system_config(block.number)?))
    }
}

#[cfg(test)]
#[path = "start_tests.rs"]
mod tests;
