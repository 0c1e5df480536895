//! The JSON of simulated blocks.

use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{B256, Bytes, U64, hex};
use cairn_evm::revm_types::{ExecutionResult, OpHaltReason};
use cairn_evm::trace::SimulatedLog;
use cairn_evm::{LastStep, halt_text};
use cairn_primitives::{Header, TxEnvelope};
use serde::Serialize;
use serde_json::{Value, json};

use super::error::VM_ERROR;
use super::transaction::{UnsignedTx, ZERO_V_CHAIN_ID};
use crate::RpcError;
use crate::error::{REVERTED, revert_message};
use crate::view::{BlockView, HeaderView, LogOrigin, LogView, Placement, TransactionView, index};

/// What came of one call.
#[derive(Debug)]
pub(super) struct CallResult {
    pub(super) success: bool,
    pub(super) return_data: Bytes,
    pub(super) gas_used: u64,
    pub(super) max_used_gas: u64,
    pub(super) error: Option<CallError>,
    pub(super) logs: Vec<SimulatedLog>,
}

/// Why a call failed.
#[derive(Debug, Serialize)]
pub(super) struct CallError {
    message: String,
    code: i32,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<String>,
}

/// A finished block.
#[derive(Debug)]
pub(super) struct SimulatedBlock {
    pub(super) header: Header,
    pub(super) hash: B256,
    pub(super) transactions: Vec<UnsignedTx>,
    pub(super) withdrawals: Option<Vec<Withdrawal>>,
    pub(super) calls: Vec<CallResult>,
}

impl CallResult {
    pub(super) fn new(
        result: &ExecutionResult<OpHaltReason>,
        last: LastStep,
        logs: Vec<SimulatedLog>,
    ) -> Self {
        let gas = result.gas();
        let (return_data, error) = match result {
            ExecutionResult::Success { output, .. } => (output.data().clone(), None),
            ExecutionResult::Revert { output, .. } => {
                let data = Some(hex::encode_prefixed(output));
                let error = CallError { message: revert_message(output), code: REVERTED, data };
                (Bytes::new(), Some(error))
            }
            ExecutionResult::Halt { reason, .. } => {
                let message = halt_text(reason, last);
                (Bytes::new(), Some(CallError { message, code: VM_ERROR, data: None }))
            }
        };
        Self {
            success: result.is_success(),
            return_data,
            gas_used: gas.tx_gas_used(),
            max_used_gas: gas.total_gas_spent().max(gas.floor_gas()),
            error,
            logs,
        }
    }

    fn to_json(&self, origin: LogOrigin) -> Result<Value, RpcError> {
        let logs: Vec<LogView> = self
            .logs
            .iter()
            .map(|log| {
                let position = usize::try_from(log.index).unwrap_or(usize::MAX);
                LogView::new(&log.log, origin, position, false)
            })
            .collect();
        let mut json = json!({
            "returnData": self.return_data,
            "logs": serde_json::to_value(logs).map_err(RpcError::internal)?,
            "gasUsed": U64::from(self.gas_used),
            "maxUsedGas": U64::from(self.max_used_gas),
            "status": U64::from(self.success),
        });
        if let Some(error) = &self.error {
            json["error"] = serde_json::to_value(error).map_err(RpcError::internal)?;
        }
        Ok(json)
    }
}

impl SimulatedBlock {
    pub(super) fn to_json(&self, full: bool) -> Result<Value, RpcError> {
        let view = BlockView {
            header: HeaderView::sealed(&self.header, self.hash),
            size: index(self.size()),
            transactions: None,
            uncles: Vec::new(),
            withdrawals: self.withdrawals.as_deref(),
        };
        let mut json = serde_json::to_value(view).map_err(RpcError::internal)?;
        let mut transactions = Vec::with_capacity(self.transactions.len());
        let mut calls = Vec::with_capacity(self.calls.len());
        for (at, (tx, call)) in self.transactions.iter().zip(&self.calls).enumerate() {
            transactions.push(if full { self.full(tx, at)? } else { json!(tx.hash) });
            calls.push(call.to_json(LogOrigin {
                block_hash: self.hash,
                block_number: self.header.number,
                block_timestamp: self.header.timestamp,
                tx_hash: tx.hash,
                tx_index: at,
            })?);
        }
        json["transactions"] = transactions.into();
        json["calls"] = calls.into();
        Ok(json)
    }

    fn full(&self, tx: &UnsignedTx, position: usize) -> Result<Value, RpcError> {
        let at = Placement {
            block_hash: Some(self.hash),
            block_number: Some(self.header.number),
            block_timestamp: Some(self.header.timestamp),
            index: Some(position),
            base_fee: self.header.base_fee_per_gas,
        };
        let view = TransactionView::new(&tx.envelope, tx.sender, at, None);
        let mut json = serde_json::to_value(view).map_err(RpcError::internal)?;
        if let TxEnvelope::Legacy(_) = tx.envelope {
            json["hash"] = json!(tx.hash);
            json["v"] = json!("0x0");
            json["chainId"] = json!(U64::from(ZERO_V_CHAIN_ID));
        }
        Ok(json)
    }

    /// Bytes of the block's RLP encoding.
    fn size(&self) -> usize {
        use alloy_rlp::Encodable;
        let list = |payload_length: usize| {
            alloy_rlp::Header { list: true, payload_length }.length_with_payload()
        };
        let transactions: usize = self.transactions.iter().map(UnsignedTx::block_length).sum();
        let withdrawals = self
            .withdrawals
            .as_ref()
            .map_or(0, |withdrawals| list(withdrawals.iter().map(Encodable::length).sum()));
        list(self.header.length() + list(transactions) + list(0) + withdrawals)
    }
}
