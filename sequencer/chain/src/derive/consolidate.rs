//! Recognising a derived block that the chain has already.

use alloy_eips::{BlockNumHash, Encodable2718};
use alloy_primitives::B256;
use cairn_primitives::{Header, RecoveredBlock};

use super::payload::DerivedPayload;
use crate::error::ChainError;
use crate::{BlockRef, Chain, PayloadAttributes};

impl Chain {
    /// The canonical child of `parent`, if it is the block that the payload gives: nothing has to be
    /// executed then. `None` where there is no child, or another one.
    ///
    /// # Errors
    /// Only failures of the node.
    pub fn consolidate(
        &self,
        parent: B256,
        payload: &DerivedPayload,
    ) -> Result<Option<BlockNumHash>, ChainError> {
        let Some(number) = self.number_of(parent)?.and_then(|number| number.checked_add(1)) else {
            return Ok(None);
        };
        let Some(block) = self.block(BlockRef::Number(number))? else { return Ok(None) };
        let same = block.header().parent_hash == parent
            && has_attributes(block.header(), &payload.attributes)
            && has_transactions(&block, payload);
        Ok(same.then(|| block.num_hash()))
    }
}

fn has_attributes(header: &Header, attributes: &PayloadAttributes) -> bool {
    let block = &attributes.block;
    header.timestamp == block.timestamp
        && header.beneficiary == block.fee_recipient
        && header.mix_hash == block.prev_randao
        && header.gas_limit == block.gas_limit
        && header.parent_beacon_block_root == block.parent_beacon_block_root
        && header.extra_data == block.extra_data
}

fn has_transactions(block: &RecoveredBlock, payload: &DerivedPayload) -> bool {
    let deposits = &payload.attributes.deposits;
    let Some((first, rest)) = block.transactions().split_at_checked(deposits.len()) else {
        return false;
    };
    let mut buffer = Vec::new();
    first.iter().zip(deposits).all(|(ours, derived)| ours.hash() == derived.hash())
        && rest.len() == payload.transactions.len()
        && rest.iter().zip(&payload.transactions).all(|(ours, derived)| {
            buffer.clear();
            ours.encode_2718(&mut buffer);
            buffer[..] == derived[..]
        })
}
