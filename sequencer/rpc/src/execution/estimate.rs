//! `eth_estimateGas` (go-ethereum `eth/gasestimator`).
//!
//! A binary search for the lowest gas limit with which a call succeeds, from the gas that it uses
//! with all it could have, up to a tolerance.

use alloy_primitives::{U64, U256};
use cairn_evm::revm_types::{ExecutionResult, NoOpInspector, SpecId};
use cairn_evm::{halt_text, is_out_of_gas};

use super::block_override::BlockOverrides;
use super::call_args::CallArgs;
use super::caller::{Caller, Deadline};
use super::context::{CallContext, CallFailure, CallOutcome};
use super::message::Message;
use super::precheck::GAS_PER_BLOB;
use super::state_override::StateOverrides;
use crate::params::Quantity;
use crate::{Args, Backend, BlockParam, RpcError};

/// Gas of a plain transfer.
const TRANSFER_GAS: u64 = 21_000;
/// Gas that a call with value hands to its recipient for free.
const CALL_STIPEND: u64 = 2_300;
/// Most gas of a transaction since Osaka (EIP-7825).
const TRANSACTION_GAS_MAX: u64 = 1 << 24;
/// How much too high an estimate may be: wallets add more than this anyway. 15 of 1000.
const TOLERANCE: (u128, u128) = (15, 1000);

/// `eth_estimateGas(transaction, block, state overrides, block overrides)`.
pub(super) fn estimate_gas(
    backend: &Backend,
    args: &Args,
    caller: &Caller,
) -> Result<U64, RpcError> {
    let mut request: CallArgs = args.required(0)?;
    let block: BlockParam = args.or_default(1)?;
    let state: Option<StateOverrides> = args.optional(2)?;
    let overrides: Option<BlockOverrides> = args.optional(3)?;
    let limits = &backend.config.methods;
    let deadline = caller.deadline(limits.evm_timeout);
    let at = backend.state_at(block.0)?;
    let block_gas = at.header.gas_limit;
    let mut context = CallContext::new(backend, at, state.as_ref(), overrides.as_ref())?;
    // A gas limit that the caller did not name must not look like one.
    request.gas.get_or_insert(Quantity(0));
    let message = context.message(&request, limits.gas_cap)?;
    let highest = highest_gas(&mut context, &message, block_gas, limits.gas_cap)?;
    let mut search = Search { context, message, deadline };
    search.run(highest).map(U64::from)
}

/// The most gas that the call could have: the block's, or the caller's, what the sender can pay,
/// and the node's cap.
fn highest_gas(
    context: &mut CallContext,
    message: &Message,
    block_gas: u64,
    gas_cap: u64,
) -> Result<u64, RpcError> {
    let mut highest = if message.gas >= TRANSFER_GAS { message.gas } else { block_gas };
    if context.spec().is_enabled_in(SpecId::OSAKA) {
        highest = highest.min(TRANSACTION_GAS_MAX);
    }
    if !message.fee_cap.is_zero() {
        let balance = context.account(message.from)?.balance;
        let affordable = affordable_gas(message, balance, context.spec())?;
        highest = highest.min(affordable.saturating_to());
    }
    Ok(if gas_cap == 0 { highest } else { highest.min(gas_cap) })
}

fn affordable_gas(message: &Message, balance: U256, spec: SpecId) -> Result<U256, RpcError> {
    let mut available = balance;
    if !message.value.is_zero() {
        if message.value >= available {
            return Err(RpcError::server("insufficient funds for transfer"));
        }
        available -= message.value;
    }
    if spec.is_enabled_in(SpecId::CANCUN) && message.blobs() > 0 {
        let blob_gas = U256::from(message.blobs()).saturating_mul(U256::from(GAS_PER_BLOB));
        let blobs = blob_gas.saturating_mul(message.blob_fee_cap);
        if blobs >= available {
            return Err(RpcError::server("insufficient funds for gas * price + value"));
        }
        available -= blobs;
    }
    Ok(available / message.fee_cap)
}

struct Search {
    context: CallContext,
    message: Message,
    deadline: Deadline,
}

impl Search {
    fn run(&mut self, mut highest: u64) -> Result<u64, RpcError> {
        if self.is_plain_transfer()? && self.succeeds_plainly()? {
            return Ok(TRANSFER_GAS);
        }
        let Some(outcome) = self.attempt(highest)? else {
            return Err(exceeds_allowance(highest));
        };
        if !outcome.outcome.result.is_success() {
            return Err(failure(outcome, highest));
        }
        let gas = *outcome.outcome.result.gas();
        // Only a call that looks at its remaining gas can succeed with less than it uses.
        let mut lowest = gas.tx_gas_used().saturating_sub(1);
        let peak = gas.total_gas_spent().max(gas.floor_gas());
        // Mostly enough: what it used at most, and what inner calls must leave behind (EIP-150).
        let optimistic = u128::from(peak.saturating_add(CALL_STIPEND)) * 64 / 63;
        let optimistic = u64::try_from(optimistic).unwrap_or(u64::MAX);
        if optimistic < highest {
            if self.succeeds(optimistic)? {
                highest = optimistic;
            } else {
                lowest = optimistic;
            }
        }
        while lowest.saturating_add(1) < highest && !is_close(lowest, highest) {
            self.deadline.check()?;
            // Most calls need little more than they use: look near the lower end first.
            let middle = (lowest + (highest - lowest) / 2).min(lowest.saturating_mul(2));
            if self.succeeds(middle)? {
                highest = middle;
            } else {
                lowest = middle;
            }
        }
        Ok(highest)
    }

    fn is_plain_transfer(&mut self) -> Result<bool, RpcError> {
        let Some(to) = self.message.to.filter(|_| self.message.data.is_empty()) else {
            return Ok(false);
        };
        let account = self.context.account(to)?;
        Ok(account.is_empty_code_hash())
    }

    /// Tries a transfer with the gas of one. A refusal for another reason shows with more gas too.
    fn succeeds_plainly(&mut self) -> Result<bool, RpcError> {
        match self.attempt(TRANSFER_GAS) {
            Ok(outcome) => Ok(outcome.is_some_and(|call| call.outcome.result.is_success())),
            Err(RpcError::Server(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn succeeds(&mut self, gas: u64) -> Result<bool, RpcError> {
        Ok(self.attempt(gas)?.is_some_and(|call| call.outcome.result.is_success()))
    }

    /// Runs the call, `None` when the gas does not even cover its start.
    fn attempt(&mut self, gas: u64) -> Result<Option<CallOutcome<NoOpInspector>>, RpcError> {
        self.message.gas = gas;
        match self.context.run(&self.message, NoOpInspector {}, &self.deadline) {
            Ok(outcome) => Ok(Some(outcome)),
            Err(CallFailure::Refused(refusal)) if refusal.depends_on_gas() => Ok(None),
            Err(CallFailure::Refused(refusal)) => {
                Err(RpcError::server(format!("failed with {gas} gas: {refusal}")))
            }
            Err(CallFailure::Rpc(error)) => Err(error),
        }
    }
}

fn is_close(lowest: u64, highest: u64) -> bool {
    let (parts, whole) = TOLERANCE;
    u128::from(highest - lowest) * whole < u128::from(highest) * parts
}

fn exceeds_allowance(highest: u64) -> RpcError {
    RpcError::server(format!("gas required exceeds allowance ({highest})"))
}

fn failure(call: CallOutcome<NoOpInspector>, highest: u64) -> RpcError {
    match call.outcome.result {
        ExecutionResult::Halt { reason, .. } if is_out_of_gas(&reason) => {
            exceeds_allowance(highest)
        }
        ExecutionResult::Halt { reason, .. } => RpcError::server(halt_text(&reason, call.last)),
        ExecutionResult::Revert { output, .. } => RpcError::Revert(output),
        ExecutionResult::Success { .. } => RpcError::internal("a success is no failure"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_ends_within_one_and_a_half_percent() {
        assert!(is_close(986, 1000));
        assert!(!is_close(985, 1000));
    }

    #[test]
    fn what_a_sender_can_pay_leaves_value_and_blobs_out() {
        let args = serde_json::json!({"value": "0x64", "maxFeePerGas": "0xa"});
        let args = serde_json::from_value(args).unwrap();
        let message = Message::new(&args, 0, Some(1), 1).unwrap();
        let gas = |balance: u64| affordable_gas(&message, U256::from(balance), SpecId::CANCUN);
        assert_eq!(gas(1_100).unwrap(), U256::from(100));
        assert_eq!(gas(100).unwrap_err().to_string(), "insufficient funds for transfer");
    }
}
