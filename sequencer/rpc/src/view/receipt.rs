//! Receipts.

use alloy_consensus::{Eip658Value, Transaction};
use alloy_eips::Typed2718;
use alloy_primitives::{Address, B256, Bloom, U64, U128, U256};
use cairn_evm::TxL1Fee;
use cairn_primitives::{L1Attributes, Receipt, TxEnvelope};
use serde::Serialize;

use super::log::LogOrigin;
use super::{LogView, index, quantity};

/// Everything that a receipt's JSON is made of.
#[derive(Debug, Clone, Copy)]
pub struct ReceiptContext<'a> {
    /// The transaction.
    pub tx: &'a TxEnvelope,
    /// Its sender.
    pub sender: Address,
    /// Its receipt.
    pub receipt: &'a Receipt,
    /// Hash of its block; zero while the block is open, which has none yet.
    pub block_hash: B256,
    /// Number of its block.
    pub block_number: u64,
    /// Timestamp of its block.
    pub block_timestamp: u64,
    /// Base fee of its block.
    pub base_fee: Option<u64>,
    /// Blob base fee of its block, shown for blob transactions.
    pub blob_base_fee: Option<u128>,
    /// Position in its block.
    pub index: usize,
    /// Gas that it used alone.
    pub gas_used: u64,
    /// Index of its first log in the block.
    pub first_log: usize,
    /// What the rollup charged, under OP rules.
    pub l1: Option<(&'a L1Attributes, TxL1Fee)>,
}

/// A receipt as `eth_getTransactionReceipt` gives it.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiptView {
    block_hash: B256,
    block_number: U64,
    transaction_hash: B256,
    transaction_index: U64,
    from: Address,
    to: Option<Address>,
    gas_used: U64,
    cumulative_gas_used: U64,
    contract_address: Option<Address>,
    logs: Vec<LogView>,
    logs_bloom: Bloom,
    #[serde(rename = "type")]
    ty: U64,
    effective_gas_price: U128,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<U64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    root: Option<B256>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob_gas_used: Option<U64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    blob_gas_price: Option<U128>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deposit_nonce: Option<U64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deposit_receipt_version: Option<U64>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    l1: Option<L1Fields>,
}

/// What op-geth adds for transactions that are no deposits (`core/types/receipt.go`).
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct L1Fields {
    l1_gas_price: U256,
    l1_gas_used: U256,
    l1_fee: U256,
    l1_base_fee_scalar: U64,
    l1_blob_base_fee: U256,
    l1_blob_base_fee_scalar: U64,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator_fee_scalar: Option<U64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    operator_fee_constant: Option<U64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    da_footprint_gas_scalar: Option<U64>,
}

impl ReceiptView {
    /// The view of a receipt.
    pub fn new(context: &ReceiptContext<'_>) -> Self {
        let ReceiptContext { tx, receipt, .. } = *context;
        let (status, root) = match receipt.inner.status {
            Eip658Value::Eip658(success) => (Some(quantity(success.into())), None),
            Eip658Value::PostState(root) => (None, Some(root)),
        };
        let blob = tx.blob_gas_used().is_some();
        let blob_gas_used = tx
            .blob_gas_used()
            .or_else(|| context.l1.as_ref().and_then(|(_, fee)| fee.da_footprint));
        Self {
            block_hash: context.block_hash,
            block_number: quantity(context.block_number),
            transaction_hash: *tx.hash(),
            transaction_index: index(context.index),
            from: context.sender,
            to: tx.to(),
            gas_used: quantity(context.gas_used),
            cumulative_gas_used: quantity(receipt.cumulative_gas_used()),
            contract_address: created(context),
            logs: logs(context),
            logs_bloom: receipt.bloom(),
            ty: quantity(tx.ty().into()),
            effective_gas_price: U128::from(tx.effective_gas_price(context.base_fee)),
            status,
            root,
            blob_gas_used: blob_gas_used.map(quantity),
            blob_gas_price: context.blob_base_fee.filter(|_| blob).map(U128::from),
            deposit_nonce: receipt.deposit_nonce.map(quantity),
            deposit_receipt_version: receipt.deposit_receipt_version.map(quantity),
            l1: context
                .l1
                .as_ref()
                .filter(|_| !tx.is_deposit_tx())
                .map(|(attributes, fee)| L1Fields::new(attributes, fee)),
        }
    }
}

impl L1Fields {
    fn new(attributes: &L1Attributes, fee: &TxL1Fee) -> Self {
        let L1Attributes { origin, system, .. } = attributes;
        Self {
            l1_gas_price: origin.base_fee,
            l1_gas_used: fee.gas_used,
            l1_fee: fee.fee,
            l1_base_fee_scalar: quantity(system.base_fee_scalar.into()),
            l1_blob_base_fee: origin.blob_base_fee,
            l1_blob_base_fee_scalar: quantity(system.blob_base_fee_scalar.into()),
            operator_fee_scalar: fee
                .operator_fee
                .then(|| quantity(system.operator_fee_scalar.into())),
            operator_fee_constant: fee.operator_fee.then(|| quantity(system.operator_fee_constant)),
            da_footprint_gas_scalar: fee
                .da_footprint
                .map(|_| quantity(system.effective_da_footprint_gas_scalar().into())),
        }
    }
}

fn created(context: &ReceiptContext<'_>) -> Option<Address> {
    if context.tx.to().is_some() {
        return None;
    }
    let nonce = context.receipt.deposit_nonce.unwrap_or(context.tx.nonce());
    Some(context.sender.create(nonce))
}

fn logs(context: &ReceiptContext<'_>) -> Vec<LogView> {
    let origin = LogOrigin {
        block_hash: context.block_hash,
        block_number: context.block_number,
        block_timestamp: context.block_timestamp,
        tx_hash: *context.tx.hash(),
        tx_index: context.index,
    };
    let logs = context.receipt.logs().iter().enumerate();
    logs.map(|(i, log)| LogView::new(log, origin, context.first_log + i, false)).collect()
}
