//! Control of sequencer and derivation, as op-node offers it, and of the batcher:
//! `admin_startBatcher`, `admin_stopBatcher` and `admin_flushBatcher` as op-batcher has them, and
//! `admin_setBatcherCarrier` with `auto`, `blobs` or `calldata`.

use std::time::Duration;

use alloy_primitives::B256;
use cairn_chain::{Sequencer, SequencerStatus};
use cairn_rollup::batcher::{BatcherCommand, CarrierChoice};
use serde_json::Value;

use super::rollup;
use crate::{Args, Backend, HashParam, Methods, RpcError, answer};

/// How long the sequencer may take to seal its open block.
const STOP_TIMEOUT: Duration = Duration::from_secs(30);

/// Adds the methods of those parts that the node has.
pub(super) fn register(methods: &mut Methods, backend: &Backend) {
    if backend.sequencer.is_some() {
        methods.quick("admin_sequencerActive", 0, |backend, _| Ok(is_active(sequencer(backend)?)));
        methods.waiting("admin_startSequencer", 1, |backend, args| {
            Box::pin(async move { answer(start(&backend, &args).await) })
        });
        methods.waiting("admin_stopSequencer", 0, |backend, _| {
            Box::pin(async move { answer(stop(&backend).await) })
        });
    }
    if backend.rollup.is_some() {
        methods.quick("admin_resetDerivationPipeline", 0, reset);
        methods.quick("admin_flushBatcher", 0, |backend, _| {
            command_batcher(backend, BatcherCommand::Flush)
        });
        methods.quick("admin_startBatcher", 0, |backend, _| {
            command_batcher(backend, BatcherCommand::Start)
        });
        methods.quick("admin_stopBatcher", 0, |backend, _| {
            command_batcher(backend, BatcherCommand::Stop)
        });
        methods.quick("admin_setBatcherCarrier", 1, |backend, args| {
            let carrier = args.required::<CarrierChoice>(0)?;
            command_batcher(backend, BatcherCommand::SetCarrier(carrier))
        });
    }
}

fn sequencer(backend: &Backend) -> Result<&Sequencer, RpcError> {
    backend.sequencer.as_ref().ok_or_else(|| RpcError::internal("this node has no sequencer"))
}

/// A sequencer that waits for its disk or for L1 has not been stopped.
fn is_active(sequencer: &Sequencer) -> bool {
    matches!(sequencer.status(), SequencerStatus::Active | SequencerStatus::Stalled(_))
}

/// Starts the sequencer on a head that the caller names, so that two sequencers in turn do not build
/// on different blocks.
async fn start(backend: &Backend, args: &Args) -> Result<Value, RpcError> {
    let wanted: B256 = args.required::<HashParam>(0)?.get();
    let sequencer = sequencer(backend)?;
    if is_active(sequencer) {
        return Err(RpcError::server("sequencer already running"));
    }
    let head = backend.chain.heads().unsafe_head.hash;
    if head != wanted {
        let text = format!("block hash does not match: head {head}, received {wanted}");
        return Err(RpcError::server(text));
    }
    sequencer.resume().await?;
    Ok(Value::Null)
}

/// Stops the sequencer after its open block; gives the hash of the head.
async fn stop(backend: &Backend) -> Result<B256, RpcError> {
    let sequencer = sequencer(backend)?;
    if !is_active(sequencer) {
        return Err(RpcError::server("sequencer not running"));
    }
    match tokio::time::timeout(STOP_TIMEOUT, sequencer.pause()).await {
        Ok(paused) => paused?,
        Err(_) => return Err(RpcError::server("the sequencer has not sealed its block in time")),
    }
    Ok(backend.chain.heads().unsafe_head.hash)
}

fn reset(backend: &Backend, _: &Args) -> Result<Value, RpcError> {
    if rollup(backend)?.reset() {
        return Ok(Value::Null);
    }
    Err(RpcError::server("no derivation is running"))
}

fn command_batcher(backend: &Backend, command: BatcherCommand) -> Result<Value, RpcError> {
    let told = rollup(backend)?.command_batcher(command);
    told.map(|()| Value::Null).map_err(|error| RpcError::server(error.to_string()))
}
