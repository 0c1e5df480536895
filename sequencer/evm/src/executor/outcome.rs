//! What execution leaves behind.

use alloy_eips::eip7685::Requests;
use alloy_primitives::{Address, Bytes};
use cairn_primitives::Receipt;
use op_revm::OpHaltReason;
use revm::context::result::{ExecutionResult, Output};

use crate::{AccountDelta, BlockDiff};

/// How a transaction ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TxStatus {
    /// It ran to its end.
    Success,
    /// It reverted; `output` holds the reason.
    Reverted,
    /// It ran out of gas or into another exceptional halt.
    Halted,
}

/// Result of one transaction of a block. Its receipt is the executor's last.
#[derive(Debug, Clone)]
pub struct TxOutcome {
    /// How it ended.
    pub status: TxStatus,
    /// Gas that it paid for, refunds taken off.
    pub gas_used: u64,
    /// Return or revert data.
    pub output: Bytes,
    /// The contract that it created, if it is a creation that succeeded.
    pub created: Option<Address>,
    /// What it changed.
    pub deltas: Vec<AccountDelta>,
}

impl TxOutcome {
    pub(super) fn new(
        result: &ExecutionResult<OpHaltReason>,
        gas_used: u64,
        deltas: Vec<AccountDelta>,
    ) -> Self {
        let (status, output, created) = match result {
            ExecutionResult::Success { output: Output::Call(data), .. } => {
                (TxStatus::Success, data.clone(), None)
            }
            ExecutionResult::Success { output: Output::Create(data, address), .. } => {
                (TxStatus::Success, data.clone(), *address)
            }
            ExecutionResult::Revert { output, .. } => (TxStatus::Reverted, output.clone(), None),
            ExecutionResult::Halt { .. } => (TxStatus::Halted, Bytes::new(), None),
        };
        Self { status, gas_used, output, created, deltas }
    }
}

/// Result of a block.
#[derive(Debug, Clone)]
pub struct BlockOutcome {
    /// One receipt for each transaction.
    pub receipts: Vec<Receipt>,
    /// Execution-layer requests (EIP-7685); empty under OP rules.
    pub requests: Requests,
    /// Gas used by all transactions.
    pub gas_used: u64,
    /// Blob gas; under OP rules the DA footprint (Jovian), zero before.
    pub blob_gas_used: u64,
    /// State changes.
    pub diff: BlockDiff,
}
