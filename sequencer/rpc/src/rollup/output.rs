//! Output roots (OP specification: Proposals, L2 output commitment construction).

use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{B256, keccak256};
use cairn_chain::BlockRef;
use cairn_primitives::RecoveredBlock;
use cairn_rollup::{L2BlockRef, RollupConfig, SyncStatus};
use serde::Serialize;

use super::rollup;
use crate::{Args, Backend, BlockNumberParam, RpcError, block_ref};

/// Version of output roots.
const VERSION: B256 = B256::ZERO;

/// Answer of `optimism_outputAtBlock`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Output {
    version: B256,
    output_root: B256,
    block_ref: L2BlockRef,
    withdrawal_storage_root: B256,
    state_root: B256,
    sync_status: SyncStatus,
}

/// The output root of a block, by its number.
pub(super) fn output_at_block(backend: &Backend, args: &Args) -> Result<Output, RpcError> {
    let rollup = rollup(backend)?;
    let number = args.required::<BlockNumberParam>(0)?.0;
    let block = match number {
        BlockNumberOrTag::Number(number) => BlockRef::Number(number),
        tag => block_ref(tag.into()),
    };
    let block = backend.chain.block(block)?.ok_or_else(|| {
        RpcError::server(format!("failed to get L2 block ref with sync status: {number} not found"))
    })?;
    let header = block.header();
    // The storage root of the message passer stands in the header since Isthmus.
    let passer = header
        .withdrawals_root
        .ok_or_else(|| RpcError::server(format!("block {number} has no withdrawals root")))?;
    Ok(Output {
        version: VERSION,
        output_root: output_root(header.state_root, passer, block.hash()),
        block_ref: l2_block_ref(rollup.config(), &block)?,
        withdrawal_storage_root: passer,
        state_root: header.state_root,
        sync_status: sync_status(backend, args)?,
    })
}

/// `keccak256(version ‖ state root ‖ storage root of the message passer ‖ block hash)`.
fn output_root(state_root: B256, passer_root: B256, hash: B256) -> B256 {
    keccak256([VERSION, state_root, passer_root, hash].concat())
}

/// Where a block stands on L1.
fn l2_block_ref(config: &RollupConfig, block: &RecoveredBlock) -> Result<L2BlockRef, RpcError> {
    L2BlockRef::from_block(config, block.block(), block.hash()).map_err(RpcError::internal)
}

/// What the driver says, with the unsafe head as it is now: the sequencer and the feed move it without
/// derivation.
pub(super) fn sync_status(backend: &Backend, _: &Args) -> Result<SyncStatus, RpcError> {
    let rollup = rollup(backend)?;
    let mut status = rollup.status();
    let head = backend.chain.heads().unsafe_head.hash;
    if head != status.unsafe_l2.hash
        && let Some(block) = backend.chain.block(BlockRef::Hash(head))?
    {
        status.unsafe_l2 = l2_block_ref(rollup.config(), &block)?;
        status.cross_unsafe_l2 = status.unsafe_l2;
    }
    Ok(status)
}
