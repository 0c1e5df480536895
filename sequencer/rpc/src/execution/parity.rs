//! Parity's `trace` namespace, for explorers and indexers.
//!
//! It is served on ports that name it. Rewards of blocks before the merge are no traces here: OP
//! chains have none.

use alloy_primitives::map::HashSet;
use alloy_rpc_types_trace::parity::TraceType;
use cairn_chain::BlockRef;
use cairn_evm::trace::{FlatCallConfig, ParityTraces, TraceContext, TracerConfig};
use cairn_primitives::RecoveredBlock;
use serde_json::{Value, json};

use super::call_args::CallArgs;
use super::caller::Caller;
use super::context::CallContext;
use super::debug::{Replay, budget, trace_error};
use crate::params::{HashParam, Quantity};
use crate::{Args, Backend, BlockNumberParam, BlockParam, RpcError, block_ref};

/// Calls in parity's words, without those to precompiles.
const CALLS: TracerConfig = TracerConfig::FlatCalls(FlatCallConfig {
    convert_parity_errors: true,
    include_precompiles: false,
});

/// `trace_transaction(hash)`: `null` for an unknown transaction.
pub(super) fn transaction(
    backend: &Backend,
    args: &Args,
    caller: &Caller,
) -> Result<Option<Vec<Value>>, RpcError> {
    let hash: HashParam = args.required(0)?;
    let Some(found) = backend.chain.transaction(hash.get())? else { return Ok(None) };
    let mut replay = replay(backend, &found.block, caller)?;
    replay.skip_to(found.index)?;
    calls(&mut replay, found.index).map(Some)
}

/// `trace_get(hash, position)`: one call of a transaction.
pub(super) fn get(
    backend: &Backend,
    args: &Args,
    caller: &Caller,
) -> Result<Option<Value>, RpcError> {
    let address: Vec<Quantity> = args.required(1)?;
    let address: Vec<u64> = address.into_iter().map(|index| index.0).collect();
    let calls = transaction(backend, args, caller)?.unwrap_or_default();
    Ok(calls.into_iter().find(|call| call["traceAddress"] == json!(address)))
}

/// `trace_block(number or tag)`: `null` for an unknown block.
pub(super) fn block(
    backend: &Backend,
    args: &Args,
    caller: &Caller,
) -> Result<Option<Vec<Value>>, RpcError> {
    let Some(block) = block_of(backend, args)? else { return Ok(None) };
    let mut traces = Vec::new();
    if block.number() == backend.chain.genesis().number {
        return Ok(Some(traces));
    }
    let mut replay = replay(backend, &block, caller)?;
    for index in 0..block.transactions().len() {
        traces.extend(calls(&mut replay, index)?);
    }
    Ok(Some(traces))
}

/// `trace_replayTransaction(hash, types)`.
pub(super) fn replay_transaction(
    backend: &Backend,
    args: &Args,
    caller: &Caller,
) -> Result<Value, RpcError> {
    let hash: HashParam = args.required(0)?;
    let types: HashSet<TraceType> = args.required(1)?;
    let found = backend.chain.transaction(hash.get())?;
    let found = found.ok_or_else(|| RpcError::server("transaction not found"))?;
    let mut replay = replay(backend, &found.block, caller)?;
    replay.skip_to(found.index)?;
    results(backend, &mut replay, found.index, &types)
}

/// `trace_replayBlockTransactions(number or tag, types)`: `null` for an unknown block.
pub(super) fn replay_block(
    backend: &Backend,
    args: &Args,
    caller: &Caller,
) -> Result<Option<Vec<Value>>, RpcError> {
    let types: HashSet<TraceType> = args.required(1)?;
    let Some(block) = block_of(backend, args)? else { return Ok(None) };
    let mut answers = Vec::new();
    if block.number() == backend.chain.genesis().number {
        return Ok(Some(answers));
    }
    let mut replay = replay(backend, &block, caller)?;
    for (index, tx) in block.transactions().iter().enumerate() {
        let mut result = results(backend, &mut replay, index, &types)?;
        result["transactionHash"] = json!(tx.hash());
        answers.push(result);
    }
    Ok(Some(answers))
}

/// `trace_call(transaction, types, block)`.
pub(super) fn call(backend: &Backend, args: &Args, caller: &Caller) -> Result<Value, RpcError> {
    let request: CallArgs = args.required(0)?;
    let types: HashSet<TraceType> = args.required(1)?;
    let at: BlockParam = args.or_default(2)?;
    let limits = &backend.config.methods;
    let deadline = caller.deadline(limits.evm_timeout);
    let mut context = CallContext::new(backend, backend.state_at(at.0)?, None, None)?;
    let message = context.message(&request, limits.gas_cap)?;
    let tracer = ParityTraces::new(types, budget(backend));
    let call =
        context.run(&message, tracer, &deadline).map_err(|failure| failure.of_call(message.gas))?;
    let at =
        TraceContext { gas_limit: message.gas, sender: message.from, ..TraceContext::default() };
    call.inspector.finish(at, &call.outcome, &context.db).map_err(trace_error)
}

fn block_of(backend: &Backend, args: &Args) -> Result<Option<RecoveredBlock>, RpcError> {
    let number: BlockNumberParam = args.required(0)?;
    let at: BlockRef = block_ref(number.0.into());
    Ok(backend.chain.block(at)?)
}

fn replay<'a>(
    backend: &Backend,
    block: &'a RecoveredBlock,
    caller: &Caller,
) -> Result<Replay<'a>, RpcError> {
    let deadline = caller.deadline(backend.config.methods.trace_timeout);
    Replay::new(backend, block, CALLS, deadline)
}

fn calls(replay: &mut Replay<'_>, index: usize) -> Result<Vec<Value>, RpcError> {
    let json = replay.trace(index)?;
    serde_json::from_str(&json).map_err(RpcError::internal)
}

fn results(
    backend: &Backend,
    replay: &mut Replay<'_>,
    index: usize,
    types: &HashSet<TraceType>,
) -> Result<Value, RpcError> {
    let tracer = ParityTraces::new(types.clone(), budget(backend));
    replay.run(index, tracer, |tracer, at, outcome, db| {
        tracer.finish(at, outcome, db).map_err(trace_error)
    })
}
