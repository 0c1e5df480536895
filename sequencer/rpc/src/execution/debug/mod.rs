//! Traces of geth's `debug` namespace (go-ethereum `eth/tracers/api.go`).
//!
//! A transaction is traced on the state that it ran on: its block is replayed on the parent's
//! state, system calls included, up to the transaction.
//!
//! A block that a caller brings need not be valid, but it cannot make the node work or allocate
//! more than a valid one: its parent must be in the chain, its gas limit at most what Ethereum
//! lets a child of that parent have, `parent + parent / 1024 - 1`, unless the chain has the block,
//! and each transaction, deposits too, must fit into the gas that those before it have left. One
//! time limit holds for the whole request.

mod config;
mod replay;

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::B256;
use alloy_rlp::Decodable;
use cairn_chain::BlockRef;
use cairn_evm::trace::{TraceContext, Tracer, TracerConfig};
use cairn_primitives::{Block, Header, RecoveredBlock};
use serde_json::value::RawValue;

use super::call_args::CallArgs;
use super::caller::{Caller, Deadline};
use super::context::{CallContext, CallDb, active_precompiles};
use crate::params::{BytesParam, HashParam};
use crate::{Args, Backend, BlockNumberParam, BlockParam, RpcError, StateAt, block_ref};
use config::{TraceCallConfig, TraceConfig};
pub(super) use replay::{Replay, budget, trace_error};

/// The gas limit changes by less than this part of the parent's from block to block (execution
/// specification, `GAS_LIMIT_ADJUSTMENT_FACTOR`).
const GAS_LIMIT_BOUND_DIVISOR: u64 = 1024;

/// `debug_traceTransaction(hash, config)`.
pub(super) fn trace_transaction(
    backend: &Backend,
    args: &Args,
    caller: &Caller,
) -> Result<Box<RawValue>, RpcError> {
    let hash: HashParam = args.required(0)?;
    let config: TraceConfig = args.or_default(1)?;
    let found = backend.chain.transaction(hash.get())?;
    let found = found.ok_or_else(|| RpcError::server("transaction not found"))?;
    let mut replay = replay(backend, &found.block, &config, caller)?;
    replay.skip_to(found.index)?;
    raw(replay.trace(found.index)?)
}

/// `debug_traceBlockByHash(hash, config)`.
pub(super) fn trace_block_by_hash(
    backend: &Backend,
    args: &Args,
    caller: &Caller,
) -> Result<Box<RawValue>, RpcError> {
    let hash: HashParam = args.required(0)?;
    let hash = hash.get();
    let block = backend.chain.block(BlockRef::Hash(hash))?;
    let block = block.ok_or_else(|| RpcError::server(format!("block {hash} not found")))?;
    trace(backend, &block, &args.or_default(1)?, caller)
}

/// `debug_traceBlockByNumber(number or tag, config)`.
pub(super) fn trace_block_by_number(
    backend: &Backend,
    args: &Args,
    caller: &Caller,
) -> Result<Box<RawValue>, RpcError> {
    let number: BlockNumberParam = args.required(0)?;
    let block = backend.chain.block(block_ref(BlockId::Number(number.0)))?;
    let block = block.ok_or_else(|| {
        let number = match number.0 {
            BlockNumberOrTag::Number(number) => number.to_string(),
            tag => tag.to_string(),
        };
        RpcError::server(format!("block #{number} not found"))
    })?;
    trace(backend, &block, &args.or_default(1)?, caller)
}

/// `debug_traceBlock(RLP, config)`: a block that the chain need not have, on a parent that it has.
pub(super) fn trace_block(
    backend: &Backend,
    args: &Args,
    caller: &Caller,
) -> Result<Box<RawValue>, RpcError> {
    let encoded: BytesParam = args.required(0)?;
    let undecodable = |error: &dyn std::fmt::Display| {
        RpcError::server(format!("could not decode block: {error}"))
    };
    let mut bytes: &[u8] = &encoded.0;
    let block = Block::decode(&mut bytes).map_err(|error| undecodable(&error))?;
    check_foreign(backend, &block.header)?;
    let block = RecoveredBlock::recover(block).map_err(|error| undecodable(&error))?;
    trace(backend, &block, &args.or_default(1)?, caller)
}

/// Refuses a block whose gas limit its parent does not allow.
fn check_foreign(backend: &Backend, header: &Header) -> Result<(), RpcError> {
    let missing = || RpcError::server(format!("parent {} not found", header.parent_hash));
    let parent = backend.chain.header(BlockRef::Hash(header.parent_hash))?;
    let (_, parent) = parent.ok_or_else(missing)?;
    if parent.number.checked_add(1) != Some(header.number) {
        return Err(missing());
    }
    let step = (parent.gas_limit / GAS_LIMIT_BOUND_DIVISOR).saturating_sub(1);
    let most = parent.gas_limit.saturating_add(step);
    if header.gas_limit > most
        && backend.chain.header(BlockRef::Hash(header.hash_slow()))?.is_none()
    {
        let text = format!("invalid gas limit: have {}, want at most {most}", header.gas_limit);
        return Err(RpcError::server(text));
    }
    Ok(())
}

fn deadline(
    backend: &Backend,
    config: &TraceConfig,
    caller: &Caller,
) -> Result<Deadline, RpcError> {
    Ok(caller.deadline(config.timeout(&backend.config.methods)?))
}

fn replay<'a>(
    backend: &Backend,
    block: &'a RecoveredBlock,
    config: &TraceConfig,
    caller: &Caller,
) -> Result<Replay<'a>, RpcError> {
    Replay::new(backend, block, config.tracer()?, deadline(backend, config, caller)?)
}

fn trace(
    backend: &Backend,
    block: &RecoveredBlock,
    config: &TraceConfig,
    caller: &Caller,
) -> Result<Box<RawValue>, RpcError> {
    let mut replay = replay(backend, block, config, caller)?;
    let mut json = String::from("[");
    for (index, tx) in block.transactions().iter().enumerate() {
        if index > 0 {
            json.push(',');
        }
        let result = replay.trace(index)?;
        json.push_str(&format!("{{\"txHash\":\"{}\",\"result\":{result}}}", tx.hash()));
    }
    json.push(']');
    raw(json)
}

/// `debug_traceCall(transaction, block, config)`.
pub(super) fn trace_call(
    backend: &Backend,
    args: &Args,
    caller: &Caller,
) -> Result<Box<RawValue>, RpcError> {
    let request: CallArgs = args.required(0)?;
    let block: BlockParam = args.or_default(1)?;
    let config: TraceCallConfig = args.or_default(2)?;
    let tracer = config.trace.tracer()?;
    let deadline = deadline(backend, &config.trace, caller)?;
    let at = match config.tx_index {
        None => backend.state_at(block.0)?,
        Some(_) if block.0 == BlockId::pending() => {
            return Err(RpcError::server("tracing on top of pending is not supported"));
        }
        Some(_) => backend.state_at(block.0)?,
    };
    let (state, overrides) = (config.state_overrides.as_ref(), config.block_overrides.as_ref());
    let mut context = match config.tx_index {
        None => CallContext::new(backend, at, state, overrides)?,
        Some(index) => {
            let (header, db) = before(backend, &at, index.0, tracer.clone(), &deadline)?;
            CallContext::on_db(backend, header, db, state, overrides)?
        }
    };
    let message = context.message(&request, backend.config.methods.gas_cap)?;
    let tracer = Tracer::new(&tracer, budget(backend));
    let call = context
        .run(&message, tracer, &deadline)
        .map_err(|failure| RpcError::server(format!("tracing failed: {}", failure.of_tracing())))?;
    let number = context.header.number;
    let at = TraceContext {
        block_number: Some(number),
        gas_limit: message.gas,
        sender: message.from,
        ..TraceContext::default()
    };
    let env = context.env.clone();
    let precompiles = active_precompiles(backend.chain.evm(), &mut context.db, &env);
    raw(replay::finish(call.inspector, at, &call.outcome, &context.db, &precompiles)?)
}

/// The state before the transaction at `index` of a block.
fn before(
    backend: &Backend,
    at: &StateAt,
    index: u64,
    tracer: TracerConfig,
    deadline: &Deadline,
) -> Result<(Header, CallDb), RpcError> {
    let hash = at.hash.unwrap_or(B256::ZERO);
    let block = backend.chain.block(BlockRef::Hash(hash))?;
    let block = block.ok_or_else(RpcError::header_not_found)?;
    let index = usize::try_from(index).unwrap_or(usize::MAX);
    if index >= block.transactions().len() {
        return Err(RpcError::server(format!(
            "transaction index {index} out of range for block {hash}"
        )));
    }
    let mut replay = Replay::new(backend, &block, tracer, deadline.clone())?;
    replay.skip_to(index)?;
    Ok((block.header().clone(), replay.into_db()))
}

fn raw(json: String) -> Result<Box<RawValue>, RpcError> {
    RawValue::from_string(json).map_err(RpcError::internal)
}
