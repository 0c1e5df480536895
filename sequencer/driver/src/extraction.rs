//! L1 blocks, reduced to what the rollup reads of them.

use std::sync::Arc;

use cairn_l1::{FetchedBlock, L1Client};
use cairn_rollup::RollupConfig;
use cairn_rollup::l1::L1Block;

use crate::DriverError;

/// Extracts deposits, configuration updates and batches, with the blob parameters that L1 has at the time.
#[derive(Debug)]
pub(crate) struct Extractor {
    rollup: Arc<RollupConfig>,
    l1: Arc<L1Client>,
}

impl Extractor {
    pub(crate) const fn new(rollup: Arc<RollupConfig>, l1: Arc<L1Client>) -> Self {
        Self { rollup, l1 }
    }

    /// What the rollup reads of a block.
    ///
    /// # Errors
    /// [`DriverError::L1`], [`DriverError::L1Block`], [`DriverError::BlobParams`].
    pub(crate) async fn extract(&self, block: &FetchedBlock) -> Result<L1Block, DriverError> {
        let time = block.header.timestamp;
        let params = self.l1.blob_params(time).await?.ok_or(DriverError::BlobParams(time))?;
        Ok(block.extract(&self.rollup, params)?)
    }
}
