//! What a rollup adds: the `optimism` namespace of op-node, its `admin` methods, and transactions
//! passed on to the sequencer.

mod admin;
mod forward;
mod output;

use alloy_eips::BlockNumHash;
use cairn_rollup::RollupHandle;
use serde::Serialize;

use crate::{Args, Backend, Methods, Quantity, RpcError};

pub use forward::SequencerEndpoint;

/// Adds the methods of whatever the node is. Control methods are for operators alone: they are on
/// loopback ports that name their namespace.
pub(crate) fn register(methods: &mut Methods, backend: &Backend, loopback: bool) {
    if backend.upstream.is_some() {
        forward::register(methods);
    }
    if backend.rollup.is_some() {
        methods.reading("optimism_syncStatus", 0, output::sync_status);
        methods
            .quick("optimism_rollupConfig", 0, |backend, _| Ok(rollup(backend)?.config().clone()));
        methods
            .quick("optimism_version", 0, |backend, _| Ok(backend.config.client_version.clone()));
        methods.reading("optimism_outputAtBlock", 1, output::output_at_block);
        methods.reading("optimism_safeHeadAtL1Block", 1, safe_head_at_l1_block);
    }
    if loopback {
        admin::register(methods, backend);
    }
}

/// The rollup; its methods are registered only where there is one.
fn rollup(backend: &Backend) -> Result<&RollupHandle, RpcError> {
    backend.rollup.as_ref().ok_or_else(|| RpcError::internal("this chain is no rollup"))
}

/// Answer of `optimism_safeHeadAtL1Block`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SafeHead {
    l1_block: BlockNumHash,
    safe_head: BlockNumHash,
}

/// The safe head as of an L1 block, by its number.
fn safe_head_at_l1_block(backend: &Backend, args: &Args) -> Result<SafeHead, RpcError> {
    let number = args.required::<Quantity>(0)?.0;
    let entry = backend.chain.safe_head_at_l1(number)?.ok_or_else(|| {
        RpcError::server(format!("failed to get safe head at l1 block {number:#x}: not found"))
    })?;
    Ok(SafeHead { l1_block: entry.l1, safe_head: entry.safe })
}
