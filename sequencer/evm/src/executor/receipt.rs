//! Receipts from execution results.

use alloy_consensus::TransactionEnvelope;
use cairn_primitives::{Receipt, TxEnvelope};
use op_revm::OpHaltReason;
use revm::context::result::ExecutionResult;

/// The receipt of a transaction. Receipts before Byzantium held a state root in place of the
/// status; those blocks are older than any chain that Cairn runs and get a status like the rest.
pub(super) fn build(
    tx: &TxEnvelope,
    result: ExecutionResult<OpHaltReason>,
    cumulative_gas_used: u64,
    deposit_nonce: Option<u64>,
    canyon: bool,
) -> Receipt {
    let is_deposit = tx.is_deposit_tx();
    let success = result.is_success();
    let tx_type = tx.tx_type();
    Receipt {
        deposit_nonce: deposit_nonce.filter(|_| is_deposit),
        deposit_receipt_version: (is_deposit && canyon).then_some(1),
        ..Receipt::new(tx_type, success, cumulative_gas_used, result.into_logs())
    }
}
