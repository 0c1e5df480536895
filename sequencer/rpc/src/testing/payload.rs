//! A block in the form of `engine_getPayloadV4`.

use alloy_primitives::{Address, B256, Bloom, Bytes, U64, U256};
use alloy_rpc_types_eth::Withdrawal;
use serde::Serialize;

use super::build::Built;
use crate::view::quantity;

/// A built block with what the Engine API says around it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Envelope {
    execution_payload: Payload,
    block_value: U256,
    blobs_bundle: BlobsBundle,
    /// Requests as they are hashed: type byte and data, empty ones left out.
    execution_requests: Vec<Bytes>,
    should_override_builder: bool,
}

/// Blobs of the block's transactions. This node keeps none.
#[derive(Debug, Default, Serialize)]
struct BlobsBundle {
    commitments: Vec<Bytes>,
    proofs: Vec<Bytes>,
    blobs: Vec<Bytes>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Payload {
    parent_hash: B256,
    fee_recipient: Address,
    state_root: B256,
    receipts_root: B256,
    logs_bloom: Bloom,
    prev_randao: B256,
    block_number: U64,
    gas_limit: U64,
    gas_used: U64,
    timestamp: U64,
    extra_data: Bytes,
    base_fee_per_gas: U64,
    block_hash: B256,
    transactions: Vec<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    withdrawals: Option<Vec<Withdrawal>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob_gas_used: Option<U64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    excess_blob_gas: Option<U64>,
}

impl Envelope {
    pub(super) fn new(built: &Built) -> Self {
        let (header, body) = (built.block.header(), built.block.body());
        Self {
            execution_payload: Payload {
                parent_hash: header.parent_hash,
                fee_recipient: header.beneficiary,
                state_root: header.state_root,
                receipts_root: header.receipts_root,
                logs_bloom: header.logs_bloom,
                prev_randao: header.mix_hash,
                block_number: quantity(header.number),
                gas_limit: quantity(header.gas_limit),
                gas_used: quantity(header.gas_used),
                timestamp: quantity(header.timestamp),
                extra_data: header.extra_data.clone(),
                base_fee_per_gas: quantity(header.base_fee_per_gas.unwrap_or(0)),
                block_hash: built.block.hash(),
                transactions: built.encoded.clone(),
                withdrawals: body.withdrawals.as_deref().cloned(),
                blob_gas_used: header.blob_gas_used.map(quantity),
                excess_blob_gas: header.excess_blob_gas.map(quantity),
            },
            block_value: built.value,
            blobs_bundle: BlobsBundle::default(),
            execution_requests: built.requests.iter().cloned().collect(),
            should_override_builder: false,
        }
    }
}
