//! The chain as the rollup protocol asks for it.

use std::num::NonZeroUsize;
use std::sync::Arc;

use alloy_primitives::B256;
use cairn_chain::{BlockRef, Chain, ChainError};
use cairn_primitives::{ReadError, RecoveredBlock};
use cairn_rollup::derivation::SafeChain;
use cairn_rollup::start::{SafeHeadEntry, StartSource};
use cairn_rollup::{L2BlockRef, RollupConfig, SystemConfig};

use lru::LruCache;
use parking_lot::Mutex;

use crate::DriverError;

/// Names of blocks that are remembered: heads are asked for many times a second, and the block behind
/// a name is read from the disk with all of its transactions.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(4096).expect("not zero");

/// Reads L2 blocks as the rollup sees them. Clones share what they remember.
#[derive(Debug, Clone)]
pub struct ChainReader {
    chain: Chain,
    config: Arc<RollupConfig>,
    names: Arc<Mutex<LruCache<B256, L2BlockRef>>>,
}

impl ChainReader {
    /// A reader of that chain.
    pub fn new(chain: Chain, config: Arc<RollupConfig>) -> Self {
        Self { chain, config, names: Arc::new(Mutex::new(LruCache::new(REMEMBERED))) }
    }

    /// The block with its L1 origin; `None` if it is not canonical.
    ///
    /// # Errors
    /// [`DriverError::Chain`]; [`DriverError::Block`] for a block without L1 attributes.
    pub fn block_ref(&self, block: BlockRef) -> Result<Option<L2BlockRef>, DriverError> {
        let Some((hash, _)) = self.chain.header(block)? else { return Ok(None) };
        if let Some(name) = self.names.lock().get(&hash) {
            return Ok(Some(*name));
        }
        let Some(block) = self.chain.block(BlockRef::Hash(hash))? else { return Ok(None) };
        let name = self.name(&block)?;
        self.names.lock().put(hash, name);
        Ok(Some(name))
    }

    /// As [`Self::block_ref`], for a block that the caller knows to be there.
    ///
    /// # Errors
    /// The same, and [`ChainError::UnknownNumber`].
    pub fn existing(&self, number: u64) -> Result<L2BlockRef, DriverError> {
        let block = self.block_ref(BlockRef::Number(number))?;
        block.ok_or_else(|| ChainError::UnknownNumber(number).into())
    }

    fn name(&self, block: &RecoveredBlock) -> Result<L2BlockRef, DriverError> {
        L2BlockRef::from_block(&self.config, block.block(), block.hash())
            .map_err(|error| DriverError::Block(error.to_string()))
    }

    fn stored(&self, number: u64) -> Result<Option<RecoveredBlock>, ReadError> {
        self.chain.block(BlockRef::Number(number)).map_err(store)
    }
}

impl SafeChain for ChainReader {
    fn block(&self, number: u64) -> Result<Option<L2BlockRef>, ReadError> {
        match self.block_ref(BlockRef::Number(number)).map_err(store)? {
            Some(block) => Ok(Some(block)),
            None if number < self.chain.store().first_block_with_body() => Ok(None),
            None => Err(store(ChainError::UnknownNumber(number))),
        }
    }
}

impl StartSource for ChainReader {
    fn block(&self, number: u64) -> Result<Option<L2BlockRef>, ReadError> {
        self.block_ref(BlockRef::Number(number)).map_err(store)
    }

    fn system_config(&self, number: u64) -> Result<SystemConfig, ReadError> {
        if number == self.config.genesis.l2.number {
            return Ok(self.config.genesis.system_config);
        }
        let block = self.stored(number)?;
        let block = block.ok_or_else(|| store(ChainError::UnknownNumber(number)))?;
        SystemConfig::of_block(&self.config, block.block()).map_err(store)
    }

    fn safe_head(&self, l1_number: u64) -> Result<Option<SafeHeadEntry>, ReadError> {
        let entry = self.chain.safe_head_at_l1(l1_number).map_err(store)?;
        Ok(entry.map(|entry| SafeHeadEntry { l1: entry.l1, l2: entry.safe }))
    }
}

/// A failure in the words of whoever asks for single blocks.
pub(crate) fn store(error: impl std::fmt::Display) -> ReadError {
    ReadError::Store(error.to_string())
}

#[cfg(test)]
mod tests {
    use cairn_l1::NextStep;

    use super::*;
    use crate::testing::{TestChain, rollup};

    fn reader(chain: &TestChain, genesis: u64) -> ChainReader {
        let mut config = (*rollup(&chain.chain, Default::default())).clone();
        config.genesis.l2.number = genesis;
        ChainReader::new(chain.chain.clone(), Arc::new(config))
    }

    #[test]
    fn a_block_that_is_not_canonical_any_more_is_not_remembered() {
        let chain = TestChain::new();
        let reader = reader(&chain, 0);
        let block = chain.extend(1);
        let named = reader.existing(1).unwrap();
        assert_eq!((named.id(), named.parent_hash), (block, chain.header(0).0));
        chain.chain.unwind_to(0).unwrap();
        assert_eq!(reader.block_ref(BlockRef::Hash(block.hash)).unwrap(), None);
        let error = reader.existing(1).unwrap_err();
        let unknown = matches!(error, DriverError::Chain(ChainError::UnknownNumber(1)));
        assert!(unknown, "{error}");
        assert!(matches!(error.next_step(), NextStep::Retry(_)));
        let other = chain.extend(2);
        assert_eq!(reader.existing(1).unwrap().id(), other);
    }

    #[test]
    fn a_block_without_l1_attributes_is_an_end() {
        let chain = TestChain::new();
        // Only genesis may have none, and here it is none.
        let reader = reader(&chain, 5);
        let error = reader.existing(0).unwrap_err();
        assert!(matches!(error, DriverError::Block(_)), "{error}");
        assert_eq!(error.next_step(), NextStep::Stop);
        assert!(StartSource::block(&reader, 0).is_err(), "an error is not a missing block");
        assert!(StartSource::system_config(&reader, 0).is_err());
        assert!(StartSource::system_config(&reader, 3).is_err());
        assert_eq!(StartSource::block(&reader, 3).unwrap(), None);
    }
}
