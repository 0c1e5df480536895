//! `eth_call`.

use alloy_primitives::Bytes;
use cairn_evm::revm_types::NoOpInspector;

use super::block_override::BlockOverrides;
use super::call_args::CallArgs;
use super::caller::Caller;
use super::context::CallContext;
use super::state_override::StateOverrides;
use crate::{Args, Backend, BlockParam, RpcError};

/// `eth_call(transaction, block, state overrides, block overrides)`.
pub(super) fn call(backend: &Backend, args: &Args, caller: &Caller) -> Result<Bytes, RpcError> {
    let request: CallArgs = args.required(0)?;
    let block: BlockParam = args.or_default(1)?;
    let state: Option<StateOverrides> = args.optional(2)?;
    let overrides: Option<BlockOverrides> = args.optional(3)?;
    let limits = &backend.config.methods;
    let deadline = caller.deadline(limits.evm_timeout);
    let at = backend.state_at(block.0)?;
    let mut context = CallContext::new(backend, at, state.as_ref(), overrides.as_ref())?;
    let message = context.message(&request, limits.gas_cap)?;
    let outcome = context.run(&message, NoOpInspector {}, &deadline);
    outcome.map_err(|failure| failure.of_call(message.gas))?.into_output()
}
