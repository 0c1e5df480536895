//! L1 blocks, reduced to what the rollup reads of them.

use std::sync::Arc;

use cairn_l1::{FetchedBlock, L1Client, L1Fork, L1Forks};
use cairn_rollup::RollupConfig;
use cairn_rollup::l1::L1Block;

use crate::DriverError;

/// Extracts deposits, configuration updates and batches, with the blob parameters that L1 says.
#[derive(Debug)]
pub(crate) struct Extractor {
    rollup: Arc<RollupConfig>,
    l1: Arc<L1Client>,
    forks: Option<L1Forks>,
}

impl Extractor {
    pub(crate) const fn new(rollup: Arc<RollupConfig>, l1: Arc<L1Client>) -> Self {
        Self { rollup, l1, forks: None }
    }

    /// What the rollup reads of a block.
    ///
    /// # Errors
    /// [`DriverError::L1`], [`DriverError::L1Block`], [`DriverError::BlobParams`].
    pub(crate) async fn extract(&mut self, block: &FetchedBlock) -> Result<L1Block, DriverError> {
        let time = block.header.timestamp;
        // A scheduled fork becomes the current one, and then another one may be scheduled.
        if self.fork(time).is_none() {
            self.forks = self.l1.forks().await?;
        }
        let fork = self.fork(time).ok_or(DriverError::BlobParams(time))?;
        Ok(block.extract(&self.rollup, fork.blob_params())?)
    }

    fn fork(&self, time: u64) -> Option<&L1Fork> {
        self.forks.as_ref()?.at(time)
    }
}
