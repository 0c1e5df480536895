//! Blocks as batches hold them.

use cairn_chain::BlockRef;
use cairn_primitives::TxEnvelope;
use cairn_rollup::batch::BatchBlock;

use alloy_eips::Encodable2718;
use cairn_chain::Chain;
use cairn_rollup::{L2BlockRef, RollupConfig};

use crate::DriverError;

/// The block at that number without its deposits; `None` if it is not there yet.
pub(super) fn batch_block(
    chain: &Chain,
    rollup: &RollupConfig,
    number: u64,
) -> Result<Option<BatchBlock>, DriverError> {
    let Some(block) = chain.block(BlockRef::Number(number))? else { return Ok(None) };
    let name = L2BlockRef::from_block(rollup, block.block(), block.hash())
        .map_err(|error| DriverError::Block(error.to_string()))?;
    let users = block.transactions().iter().filter(|tx| !matches!(tx, TxEnvelope::Deposit(_)));
    let transactions = users.map(|tx| tx.encoded_2718().into()).collect();
    Ok(Some(BatchBlock { block: name, transactions }))
}
