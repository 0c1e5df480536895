//! Headers of simulated blocks.

use alloy_consensus::EMPTY_OMMER_ROOT_HASH;
use alloy_consensus::constants::{EMPTY_RECEIPTS, EMPTY_TRANSACTIONS, EMPTY_WITHDRAWALS};
use alloy_hardforks::EthereumHardforks;
use alloy_primitives::B256;
use cairn_primitives::{ChainSpec, Header};

use super::order::PlannedBlock;
use crate::RpcError;

/// The header of a block before it is executed. What the caller leaves open comes from the parent.
pub(super) fn header(
    spec: &ChainSpec,
    parent: &Header,
    parent_hash: B256,
    block: &PlannedBlock,
    validation: bool,
) -> Result<Header, RpcError> {
    let (number, time) = (block.number, block.time);
    let shanghai = spec.is_shanghai_active_at_timestamp(time);
    let cancun = spec.is_cancun_active_at_timestamp(time);
    let mut header = Header {
        parent_hash,
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        receipts_root: EMPTY_RECEIPTS,
        transactions_root: EMPTY_TRANSACTIONS,
        beneficiary: parent.beneficiary,
        difficulty: parent.difficulty,
        gas_limit: parent.gas_limit,
        withdrawals_root: shanghai.then_some(EMPTY_WITHDRAWALS),
        number,
        timestamp: time,
        // Under OP rules it holds the fee parameters of the block after.
        extra_data: if spec.is_optimism() { parent.extra_data.clone() } else { Default::default() },
        ..Header::default()
    };
    block.overrides.apply(&mut header)?;
    (header.number, header.timestamp) = (number, time);
    if cancun {
        let root = block.overrides.beacon_root.map_or(B256::ZERO, |root| root.0);
        header.parent_beacon_block_root = Some(root);
        header.excess_blob_gas = Some(excess_blob_gas(spec, parent, time));
    }
    if spec.is_london_active_at_block(number) && header.base_fee_per_gas.is_none() {
        // Without validation calls may pay nothing, so nothing may be due.
        header.base_fee_per_gas =
            if validation { next_base_fee(spec, parent, time)? } else { Some(0) };
    }
    Ok(header)
}

fn excess_blob_gas(spec: &ChainSpec, parent: &Header, time: u64) -> u64 {
    let params = spec.blob_params(time);
    params.and_then(|params| parent.next_block_excess_blob_gas(params)).unwrap_or(0)
}

fn next_base_fee(spec: &ChainSpec, parent: &Header, time: u64) -> Result<Option<u64>, RpcError> {
    spec.next_base_fee(parent, time).map_err(|error| RpcError::server(error.to_string()))
}

/// Whether the block ends with a reward instead of withdrawals: it continues a chain before the
/// merge.
pub(super) fn is_proof_of_work(header: &Header) -> bool {
    !header.difficulty.is_zero()
}
