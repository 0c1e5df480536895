//! Derived attributes become blocks.

use alloy_eips::BlockNumHash;
use cairn_chain::{BlockRef, Chain, DeriveError, DerivedPayload};
use cairn_rollup::derivation::DerivedAttributes;
use cairn_rollup::{L2BlockRef, mismatch};

use crate::DriverError;
use crate::payload::payload;

/// What became of attributes.
pub(super) enum Applied {
    /// They are this block, which the chain had or has now.
    Block(BlockNumHash),
    /// They do not execute.
    Invalid,
}

/// Finds the block that the attributes make, or makes it in place of the unsafe blocks above the
/// safe head.
pub(super) fn apply(chain: &Chain, derived: &DerivedAttributes) -> Result<Applied, DriverError> {
    if let Some(block) = existing(chain, derived)? {
        metrics::counter!("cairn_derivation_consolidated_total").increment(1);
        return Ok(Applied::Block(block));
    }
    match execute(chain, &derived.parent, payload(&derived.attributes)) {
        Ok(block) => Ok(Applied::Block(block)),
        Err(DeriveError::Invalid { number, source }) => {
            metrics::counter!("cairn_derivation_invalid_blocks_total").increment(1);
            tracing::warn!(target: "driver::derive", number, error = %source, "invalid batch");
            Ok(Applied::Invalid)
        }
        Err(error) => Err(error.into()),
    }
}

/// The canonical child of the parent, if it is what the attributes make: nothing has to be executed
/// then.
fn existing(
    chain: &Chain,
    derived: &DerivedAttributes,
) -> Result<Option<BlockNumHash>, DriverError> {
    let number = derived.parent.number.saturating_add(1);
    let Some(block) = chain.block(BlockRef::Number(number))? else { return Ok(None) };
    let Some(mismatch) = mismatch(&derived.attributes, derived.parent.hash, block.block()) else {
        return Ok(Some(block.num_hash()));
    };
    tracing::warn!(
        target: "driver::derive", number, hash = %block.hash(), %mismatch,
        "L1 says otherwise than the unsafe chain"
    );
    Ok(None)
}

fn execute(
    chain: &Chain,
    parent: &L2BlockRef,
    payload: DerivedPayload,
) -> Result<BlockNumHash, DeriveError> {
    let number = parent.number.saturating_add(1);
    let recovered = payload.recover().map_err(|source| DeriveError::Invalid { number, source })?;
    let derived = chain.derive(parent.hash, recovered)?;
    metrics::counter!("cairn_derivation_blocks_total").increment(1);
    if derived.replaced > 0 {
        metrics::counter!("cairn_derivation_replaced_blocks_total").increment(derived.replaced);
        tracing::warn!(
            target: "driver::derive", number, replaced = derived.replaced,
            "unsafe blocks are replaced"
        );
    }
    Ok(derived.block)
}

#[cfg(test)]
#[path = "apply_tests.rs"]
mod tests;
