//! Error codes of simulations (execution-apis, `execute.yaml`).

use crate::RpcError;
use crate::error::{INTERNAL_ERROR, INVALID_PARAMS};
use crate::execution::context::CallFailure;
use crate::execution::precheck::Refusal;

const NONCE_TOO_LOW: i32 = -38010;
const NONCE_TOO_HIGH: i32 = -38011;
const BASE_FEE_TOO_LOW: i32 = -38012;
const INTRINSIC_GAS: i32 = -38013;
const INSUFFICIENT_FUNDS: i32 = -38014;
const BLOCK_GAS_LIMIT: i32 = -38015;
const BLOCK_NUMBER: i32 = -38020;
const BLOCK_TIMESTAMP: i32 = -38021;
const INIT_CODE_SIZE: i32 = -38025;
const CLIENT_LIMIT: i32 = -38026;
/// A call that ran into an exceptional halt; it stands in the call's result.
pub(super) const VM_ERROR: i32 = -32015;

pub(super) fn too_many_blocks() -> RpcError {
    RpcError::coded(CLIENT_LIMIT, "too many blocks")
}

pub(super) fn number_order(got: impl std::fmt::Display, before: u64) -> RpcError {
    let text = format!("block numbers must be in order: {got} <= {before}");
    RpcError::coded(BLOCK_NUMBER, text)
}

pub(super) fn timestamp_order(got: u64, before: u64) -> RpcError {
    let text = format!("block timestamps must be in order: {got} <= {before}");
    RpcError::coded(BLOCK_TIMESTAMP, text)
}

pub(super) fn block_gas(used: u64, limit: u64) -> RpcError {
    RpcError::coded(BLOCK_GAS_LIMIT, format!("block gas limit reached: {used} >= {limit}"))
}

/// A call that cannot be part of its block, which fails the simulation.
pub(super) fn call(failure: CallFailure, gas: u64) -> RpcError {
    match failure {
        CallFailure::Rpc(error) => error,
        CallFailure::Refused(refusal) => {
            let text = format!("err: {refusal} (supplied gas {gas})");
            RpcError::coded(code(&refusal), text)
        }
    }
}

const fn code(refusal: &Refusal) -> i32 {
    match refusal {
        Refusal::NonceTooHigh { .. } => NONCE_TOO_HIGH,
        Refusal::NonceTooLow { .. } => NONCE_TOO_LOW,
        Refusal::TipAboveFeeCap { .. } => INVALID_PARAMS,
        Refusal::FeeCapTooLow { .. } => BASE_FEE_TOO_LOW,
        Refusal::FundsOverflow(_) | Refusal::InsufficientFunds { .. } => INSUFFICIENT_FUNDS,
        Refusal::IntrinsicGas { .. } => INTRINSIC_GAS,
        Refusal::InitCodeSize { .. } => INIT_CODE_SIZE,
        _ => INTERNAL_ERROR,
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;

    use super::*;

    #[test]
    fn a_refused_call_has_the_code_of_its_reason() {
        let refusal = Refusal::NonceTooLow { address: Address::ZERO, tx: 0, state: 1 };
        let error = call(CallFailure::Refused(refusal), 7);
        assert_eq!(error.code(), -38010);
        assert_eq!(
            error.to_string(),
            "err: nonce too low: address 0x0000000000000000000000000000000000000000, \
             tx: 0 state: 1 (supplied gas 7)"
        );
    }
}
