//! Rollup attributes in the chain's words.

use cairn_chain::{DerivedPayload, PayloadAttributes};
use cairn_evm::BlockAttributes;
use cairn_rollup::RollupAttributes;

/// Attributes for the sequencer or for [`payload`].
pub(crate) fn attributes(rollup: &RollupAttributes, deposits_only: bool) -> PayloadAttributes {
    PayloadAttributes {
        block: BlockAttributes {
            timestamp: rollup.timestamp,
            fee_recipient: rollup.fee_recipient,
            prev_randao: rollup.prev_randao,
            gas_limit: rollup.gas_limit,
            parent_beacon_block_root: Some(rollup.parent_beacon_block_root),
            extra_data: rollup.extra_data.clone(),
        },
        deposits: rollup.deposits.iter().cloned().map(Into::into).collect(),
        deposits_only,
    }
}

/// A complete block.
pub(crate) fn payload(rollup: &RollupAttributes) -> DerivedPayload {
    DerivedPayload {
        attributes: attributes(rollup, true),
        transactions: rollup.transactions.clone(),
    }
}
