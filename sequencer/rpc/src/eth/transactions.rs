//! Transactions, whole and raw.

use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{B256, Bytes};
use cairn_chain::BlockRef;
use cairn_primitives::RecoveredBlock;

use super::blocks::{Json, json, open, placement, sealed};
use crate::params::{AddressParam, HashParam, Quantity};
use crate::view::{Placement, TransactionView};
use crate::{Args, Backend, BlockNumberParam, Methods, RpcError};

pub(super) fn register(methods: &mut Methods) {
    methods.reading("eth_getTransactionByHash", 1, by_hash);
    methods.reading("eth_getTransactionByBlockHashAndIndex", 2, by_block_hash);
    methods.reading("eth_getTransactionByBlockNumberAndIndex", 2, by_block_number);
    methods.reading("eth_getTransactionBySenderAndNonce", 2, by_sender);
    methods.reading("eth_getRawTransactionByHash", 1, raw_by_hash);
    methods.reading("eth_getRawTransactionByBlockHashAndIndex", 2, raw_by_block_hash);
    methods.reading("eth_getRawTransactionByBlockNumberAndIndex", 2, raw_by_block_number);
}

/// Where a pooled transaction stands: nowhere yet.
pub(crate) const fn pool_placement() -> Placement {
    Placement {
        block_hash: None,
        block_number: None,
        block_timestamp: None,
        index: None,
        base_fee: None,
    }
}

fn by_hash(backend: &Backend, args: &Args) -> Result<Json, RpcError> {
    let hash = args.required::<HashParam>(0)?.get();
    if let Some(position) = backend.chain.transaction(hash)? {
        return in_block(backend, &position.block, position.index);
    }
    if let Some(found) = backend.chain.preconfirmed(&hash) {
        let tx = &found.tx;
        let view = TransactionView::new(&tx.tx, tx.sender, pool_placement(), Some(&tx.receipt));
        return json(&view);
    }
    match backend.pool.get(&hash) {
        Some(tx) => json(&TransactionView::new(tx.envelope(), tx.sender(), pool_placement(), None)),
        None => Ok(None),
    }
}

fn by_sender(backend: &Backend, args: &Args) -> Result<Json, RpcError> {
    let sender = args.required::<AddressParam>(0)?.0;
    let nonce = args.required::<Quantity>(1)?.0;
    match backend.pool.read(|pool| pool.get_by_nonce(sender, nonce)) {
        Some(tx) => json(&TransactionView::new(tx.envelope(), tx.sender(), pool_placement(), None)),
        None => Ok(None),
    }
}

fn by_block_hash(backend: &Backend, args: &Args) -> Result<Json, RpcError> {
    let hash = args.required::<HashParam>(0)?.get();
    let index = position(args)?;
    sealed(backend, hash)?.map_or(Ok(None), |block| in_block(backend, &block, index))
}

fn by_block_number(backend: &Backend, args: &Args) -> Result<Json, RpcError> {
    let number = args.required::<BlockNumberParam>(0)?.0;
    let index = position(args)?;
    if let Some(open) = open(backend, number) {
        let Some(tx) = open.transactions.get(index) else { return Ok(None) };
        return json(&TransactionView::new(&tx.tx, tx.sender, pool_placement(), Some(&tx.receipt)));
    }
    sealed(backend, number)?.map_or(Ok(None), |block| in_block(backend, &block, index))
}

fn in_block(backend: &Backend, block: &RecoveredBlock, index: usize) -> Result<Json, RpcError> {
    let Some((tx, sender)) = block.transactions().get(index).zip(block.senders().get(index)) else {
        return Ok(None);
    };
    // Only a deposit shows anything of its receipt.
    let receipts = if tx.is_deposit_tx() {
        backend.chain.receipts(BlockRef::Hash(block.hash()))?
    } else {
        None
    };
    let receipt = receipts.as_ref().and_then(|receipts| receipts.get(index));
    json(&TransactionView::new(tx, *sender, placement(block, index), receipt))
}

/// The encoding of a transaction of the chain, the open block or the pool.
pub(crate) fn find_raw(backend: &Backend, hash: B256) -> Result<Option<Bytes>, RpcError> {
    if let Some(position) = backend.chain.transaction(hash)? {
        return Ok(raw_in_block(&position.block, position.index));
    }
    if let Some(found) = backend.chain.preconfirmed(&hash) {
        return Ok(Some(found.tx.tx.encoded_2718().into()));
    }
    Ok(backend.pool.get(&hash).map(|tx| tx.encoded().clone()))
}

/// Unknown transactions have an empty encoding, as geth gives it.
fn raw_by_hash(backend: &Backend, args: &Args) -> Result<Bytes, RpcError> {
    let hash = args.required::<HashParam>(0)?.get();
    Ok(find_raw(backend, hash)?.unwrap_or_default())
}

fn raw_by_block_hash(backend: &Backend, args: &Args) -> Result<Bytes, RpcError> {
    let hash = args.required::<HashParam>(0)?.get();
    let index = position(args)?;
    let block = sealed(backend, hash)?;
    Ok(block.and_then(|block| raw_in_block(&block, index)).unwrap_or_default())
}

fn raw_by_block_number(backend: &Backend, args: &Args) -> Result<Bytes, RpcError> {
    let number = args.required::<BlockNumberParam>(0)?.0;
    let index = position(args)?;
    if let Some(open) = open(backend, number) {
        let raw = open.transactions.get(index).map(|tx| tx.tx.encoded_2718().into());
        return Ok(raw.unwrap_or_default());
    }
    let block = sealed(backend, number)?;
    Ok(block.and_then(|block| raw_in_block(&block, index)).unwrap_or_default())
}

fn raw_in_block(block: &RecoveredBlock, index: usize) -> Option<Bytes> {
    block.transactions().get(index).map(|tx| tx.encoded_2718().into())
}

fn position(args: &Args) -> Result<usize, RpcError> {
    let position = args.required::<Quantity>(1)?.0;
    // No block holds that many.
    Ok(usize::try_from(position).unwrap_or(usize::MAX))
}
