//! `eth_simulateV1` (go-ethereum `internal/ethapi/simulate.go`; execution-apis, `execute.yaml`).
//!
//! Builds blocks on top of an existing one, with calls in place of transactions, and answers with
//! the blocks as if they had been mined: hashes, roots and receipts included.

mod block;
mod calls;
mod error;
mod finish;
mod order;
mod response;
mod root;
mod simulator;
mod transaction;

use alloy_eips::BlockId;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::block_override::BlockOverrides;
use super::call_args::CallArgs;
use super::caller::Caller;
use super::state_override::StateOverrides;
use crate::{Args, Backend, BlockParam, RpcError};
use simulator::Simulator;

/// Most blocks of one simulation, those that fill gaps included.
const BLOCKS_MAX: usize = 256;

/// What to simulate.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Request {
    #[serde(deserialize_with = "list")]
    block_state_calls: Vec<BlockCalls>,
    trace_transfers: Option<bool>,
    validation: Option<bool>,
    return_full_transactions: Option<bool>,
}

/// One block.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct BlockCalls {
    block_overrides: Option<BlockOverrides>,
    state_overrides: Option<StateOverrides>,
    #[serde(deserialize_with = "list")]
    calls: Vec<CallArgs>,
}

/// A list that may be `null`, as may its entries: Go reads both as empty values.
fn list<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    let list = Option::<Vec<Option<T>>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(list.into_iter().map(Option::unwrap_or_default).collect())
}

/// `eth_simulateV1(request, block)`.
pub(super) fn simulate_v1(
    backend: &Backend,
    args: &Args,
    caller: &Caller,
) -> Result<Box<RawValue>, RpcError> {
    let request: Request = args.required(0)?;
    let base: BlockParam = args.or_default(1)?;
    if request.block_state_calls.is_empty() {
        return Err(RpcError::InvalidParams("empty input".into()));
    }
    if request.block_state_calls.len() > BLOCKS_MAX {
        return Err(error::too_many_blocks());
    }
    // Roots are known for sealed blocks only, so the open block is no base.
    let base = if base.0 == BlockId::pending() { BlockId::latest() } else { base.0 };
    let at = backend.state_at(base)?;
    let deadline = caller.deadline(backend.config.methods.evm_timeout);
    Simulator::new(backend, at, &request, deadline)?.run(request.block_state_calls)
}
