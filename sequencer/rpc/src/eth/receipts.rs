//! Receipts of transactions and blocks.

use alloy_eips::BlockId;
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::B256;
use cairn_chain::{BlockRef, PendingBlock};
use cairn_evm::TxL1Fee;
use cairn_primitives::{ChainSpec, Header, L1Attributes, Receipt, RecoveredBlock, TxEnvelope};

use super::blocks::{Json, json, sealed};
use crate::params::HashParam;
use crate::view::{ReceiptContext, ReceiptView};
use crate::{Args, Backend, BlockParam, Methods, RpcError};

pub(super) fn register(methods: &mut Methods) {
    methods.reading("eth_getTransactionReceipt", 1, by_hash);
    methods.reading("eth_getBlockReceipts", 1, of_block);
}

/// What the receipts of one block have in common.
#[derive(Debug)]
pub(super) struct BlockReceipts<'a> {
    spec: &'a ChainSpec,
    header: &'a Header,
    hash: B256,
    attributes: Option<L1Attributes>,
}

/// One transaction of a block with what its receipt depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Executed<'a> {
    pub(super) tx: &'a TxEnvelope,
    pub(super) sender: alloy_primitives::Address,
    pub(super) receipt: &'a Receipt,
    pub(super) index: usize,
    pub(super) gas_used: u64,
    pub(super) first_log: usize,
}

impl<'a> BlockReceipts<'a> {
    /// `first` is the block's first transaction, which carries the L1 attributes under OP rules.
    /// `hash` is zero while the block is open.
    pub(super) fn new(
        spec: &'a ChainSpec,
        header: &'a Header,
        hash: B256,
        first: Option<&TxEnvelope>,
    ) -> Self {
        let attributes = match first {
            Some(TxEnvelope::Deposit(tx)) if spec.is_optimism() => {
                L1Attributes::from_deposit(tx).ok()
            }
            _ => None,
        };
        Self { spec, header, hash, attributes }
    }

    pub(super) fn view(&self, executed: Executed<'_>) -> ReceiptView {
        let Executed { tx, sender, receipt, index, gas_used, first_log } = executed;
        let time = self.header.timestamp;
        let l1 = self.attributes.as_ref().map(|attributes| {
            let encoded = if tx.is_deposit_tx() { Vec::new() } else { tx.encoded_2718() };
            (attributes, TxL1Fee::new(self.spec, time, attributes, &encoded))
        });
        let blob_params = self.spec.blob_params(time);
        ReceiptView::new(&ReceiptContext {
            tx,
            sender,
            receipt,
            block_hash: self.hash,
            block_number: self.header.number,
            block_timestamp: time,
            base_fee: self.header.base_fee_per_gas,
            blob_base_fee: blob_params.and_then(|params| self.header.blob_fee(params)),
            index,
            gas_used,
            first_log,
            l1,
        })
    }
}

/// Receipts of a sealed block as JSON, in order.
pub fn receipt_views(
    spec: &ChainSpec,
    block: &RecoveredBlock,
    receipts: &[Receipt],
) -> Result<Vec<ReceiptView>, RpcError> {
    let txs = block.transactions();
    if txs.len() != receipts.len() {
        let (txs, receipts) = (txs.len(), receipts.len());
        return Err(RpcError::Internal(format!("receipts length mismatch: {txs} vs {receipts}")));
    }
    let common = BlockReceipts::new(spec, block.header(), block.hash(), txs.first());
    Ok(executed(block, receipts).map(|executed| common.view(executed)).collect())
}

/// Walks a block with its receipts, counting gas and logs.
fn executed<'a>(
    block: &'a RecoveredBlock,
    receipts: &'a [Receipt],
) -> impl Iterator<Item = Executed<'a>> {
    let (mut gas_before, mut first_log) = (0, 0);
    block.transactions_with_sender().zip(receipts).enumerate().map(
        move |(index, ((tx, sender), receipt))| {
            let gas_used = receipt.cumulative_gas_used().saturating_sub(gas_before);
            let executed = Executed { tx, sender, receipt, index, gas_used, first_log };
            gas_before = receipt.cumulative_gas_used();
            first_log += receipt.logs().len();
            executed
        },
    )
}

fn by_hash(backend: &Backend, args: &Args) -> Result<Json, RpcError> {
    find(backend, args.required::<HashParam>(0)?.get())
}

/// The receipt of a transaction of a sealed block.
pub(super) fn find(backend: &Backend, hash: B256) -> Result<Json, RpcError> {
    let Some(position) = backend.chain.transaction(hash)? else { return Ok(None) };
    let block = &position.block;
    let receipts = backend.chain.receipts(BlockRef::Hash(block.hash()))?;
    let receipts = receipts.ok_or(RpcError::PrunedHistory)?;
    let first = block.transactions().first();
    let common = BlockReceipts::new(backend.spec(), block.header(), block.hash(), first);
    match executed(block, &receipts).nth(position.index) {
        Some(executed) => json(&common.view(executed)),
        None => Err(RpcError::Internal(format!("no receipt of transaction {hash}"))),
    }
}

fn of_block(backend: &Backend, args: &Args) -> Result<Json, RpcError> {
    let block = args.required::<BlockParam>(0)?.0;
    if block == BlockId::pending() {
        return match backend.chain.pending() {
            Some(open) => json(&of_open_block(backend, &open)),
            None => Err(RpcError::server("pending receipts is not available")),
        };
    }
    let Some(block) = sealed(backend, block)? else { return Ok(None) };
    let receipts = backend.chain.receipts(BlockRef::Hash(block.hash()))?;
    let receipts = receipts.ok_or(RpcError::PrunedHistory)?;
    json(&receipt_views(backend.spec(), &block, &receipts)?)
}

fn of_open_block(backend: &Backend, open: &PendingBlock) -> Vec<ReceiptView> {
    let first = open.transactions.first().map(|tx| &tx.tx);
    let common = BlockReceipts::new(backend.spec(), &open.header, B256::ZERO, first);
    let view = |tx: &cairn_chain::PendingTx| {
        common.view(Executed {
            tx: &tx.tx,
            sender: tx.sender,
            receipt: &tx.receipt,
            index: tx.index,
            gas_used: tx.gas_used,
            first_log: tx.first_log,
        })
    };
    open.transactions.iter().map(|tx| view(tx)).collect()
}
