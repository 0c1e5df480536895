//! Headers, blocks and their counts.

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::U64;
use cairn_chain::{BlockRef, PendingBlock};
use cairn_primitives::{Receipt, RecoveredBlock};
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::params::{HashParam, Quantity};
use crate::view::{
    BlockView, HeaderView, Placement, TransactionView, Transactions, block_size, index,
};
use crate::{Args, Backend, BlockNumberParam, Methods, RpcError, block_ref};

/// JSON, or `null` where there is nothing.
pub(super) type Json = Option<Box<RawValue>>;

pub(super) fn register(methods: &mut Methods) {
    methods.reading("eth_getBlockByNumber", 2, block_by_number);
    methods.reading("eth_getBlockByHash", 2, block_by_hash);
    methods.reading("eth_getHeaderByNumber", 1, header_by_number);
    methods.reading("eth_getHeaderByHash", 1, header_by_hash);
    methods.reading("eth_getBlockTransactionCountByNumber", 1, count_by_number);
    methods.reading("eth_getBlockTransactionCountByHash", 1, count_by_hash);
    methods.reading("eth_getUncleCountByBlockNumber", 1, uncle_count_by_number);
    methods.reading("eth_getUncleCountByBlockHash", 1, uncle_count_by_hash);
    methods.reading("eth_getUncleByBlockNumberAndIndex", 2, uncle_by_number);
    methods.reading("eth_getUncleByBlockHashAndIndex", 2, uncle_by_hash);
}

pub(super) fn json<T: Serialize>(value: &T) -> Result<Json, RpcError> {
    to_raw_value(value).map(Some).map_err(RpcError::internal)
}

/// The sealed block that a method names.
pub(super) fn sealed(
    backend: &Backend,
    block: impl Into<BlockId>,
) -> Result<Option<RecoveredBlock>, RpcError> {
    Ok(backend.chain.block(block_ref(block.into()))?)
}

/// The open block, if it is asked for and there is one.
pub(super) fn open(backend: &Backend, number: BlockNumberOrTag) -> Option<PendingBlock> {
    number.is_pending().then(|| backend.chain.pending()).flatten()
}

/// A sealed block as JSON. `receipts` are those of its deposits' sake: their nonces stand there.
pub fn block_json(
    block: &RecoveredBlock,
    receipts: Option<&[Receipt]>,
    full: bool,
) -> Result<Box<RawValue>, RpcError> {
    let (header, body) = (block.header(), block.body());
    let withdrawals = body.withdrawals.as_deref().map(Vec::as_slice);
    let transactions = if full {
        let views = block.transactions_with_sender().enumerate().map(|(i, (tx, sender))| {
            let receipt = receipts.and_then(|receipts| receipts.get(i));
            TransactionView::new(tx, sender, placement(block, i), receipt)
        });
        Transactions::Full(views.collect())
    } else {
        Transactions::Hashes(block.transactions().iter().map(|tx| *tx.hash()).collect())
    };
    let view = BlockView {
        header: HeaderView::sealed(header, block.hash()),
        size: block_size(header, block.transactions().iter(), &body.ommers, withdrawals),
        transactions: Some(transactions),
        uncles: body.ommers.iter().map(|ommer| ommer.hash_slow()).collect(),
        withdrawals,
    };
    to_raw_value(&view).map_err(RpcError::internal)
}

/// Where a transaction of a sealed block stands.
pub(super) fn placement(block: &RecoveredBlock, index: usize) -> Placement {
    let header = block.header();
    Placement {
        block_hash: Some(block.hash()),
        block_number: Some(header.number),
        block_timestamp: Some(header.timestamp),
        index: Some(index),
        base_fee: header.base_fee_per_gas,
    }
}

fn sealed_json(backend: &Backend, block: &RecoveredBlock, full: bool) -> Result<Json, RpcError> {
    let receipts = if full && backend.spec().is_optimism() {
        backend.chain.receipts(BlockRef::Hash(block.hash()))?
    } else {
        None
    };
    block_json(block, receipts.as_deref().map(Vec::as_slice), full).map(Some)
}

fn open_json(block: &PendingBlock, full: bool) -> Result<Json, RpcError> {
    let txs = &block.transactions;
    let transactions = if full {
        let views = txs.iter().map(|tx| {
            let at = Placement { base_fee: block.header.base_fee_per_gas, ..Placement::default() };
            TransactionView::new(&tx.tx, tx.sender, at, Some(&tx.receipt))
        });
        Transactions::Full(views.collect())
    } else {
        Transactions::Hashes(txs.iter().map(|tx| tx.hash).collect())
    };
    let withdrawals = block.header.withdrawals_root.map(|_| &[][..]);
    json(&BlockView {
        header: HeaderView::pending(&block.header),
        size: block_size(&block.header, txs.iter().map(|tx| &tx.tx), &[], withdrawals),
        transactions: Some(transactions),
        uncles: Vec::new(),
        withdrawals,
    })
}

fn block_by_number(backend: &Backend, args: &Args) -> Result<Json, RpcError> {
    let number = args.required::<BlockNumberParam>(0)?.0;
    let full = args.required::<bool>(1)?;
    if let Some(open) = open(backend, number) {
        return open_json(&open, full);
    }
    let block = sealed(backend, number)?;
    block.map_or(Ok(None), |block| sealed_json(backend, &block, full))
}

fn block_by_hash(backend: &Backend, args: &Args) -> Result<Json, RpcError> {
    let hash = args.required::<HashParam>(0)?.get();
    let full = args.required::<bool>(1)?;
    let block = sealed(backend, hash)?;
    block.map_or(Ok(None), |block| sealed_json(backend, &block, full))
}

/// The open block has no header yet: `pending` gives null, as execution-apis prescribes.
fn header_by_number(backend: &Backend, args: &Args) -> Result<Json, RpcError> {
    let number = args.required::<BlockNumberParam>(0)?.0;
    if number.is_pending() {
        return Ok(None);
    }
    let header = backend.chain.header(block_ref(number.into()))?;
    header.map_or(Ok(None), |(hash, header)| json(&HeaderView::sealed(&header, hash)))
}

fn header_by_hash(backend: &Backend, args: &Args) -> Result<Json, RpcError> {
    let hash = args.required::<HashParam>(0)?.get();
    let header = backend.chain.header(BlockRef::Hash(hash))?;
    header.map_or(Ok(None), |(hash, header)| json(&HeaderView::sealed(&header, hash)))
}

fn count_by_number(backend: &Backend, args: &Args) -> Result<Option<U64>, RpcError> {
    let number = args.required::<BlockNumberParam>(0)?.0;
    if let Some(open) = open(backend, number) {
        return Ok(Some(index(open.transactions.len())));
    }
    Ok(sealed(backend, number)?.map(|block| index(block.transactions().len())))
}

fn count_by_hash(backend: &Backend, args: &Args) -> Result<Option<U64>, RpcError> {
    let hash = args.required::<HashParam>(0)?.get();
    Ok(sealed(backend, hash)?.map(|block| index(block.transactions().len())))
}

fn uncle_count_by_number(backend: &Backend, args: &Args) -> Result<Option<U64>, RpcError> {
    let number = args.required::<BlockNumberParam>(0)?.0;
    if open(backend, number).is_some() {
        return Ok(Some(U64::ZERO));
    }
    Ok(sealed(backend, number)?.map(|block| index(block.body().ommers.len())))
}

fn uncle_count_by_hash(backend: &Backend, args: &Args) -> Result<Option<U64>, RpcError> {
    let hash = args.required::<HashParam>(0)?.get();
    Ok(sealed(backend, hash)?.map(|block| index(block.body().ommers.len())))
}

fn uncle_by_number(backend: &Backend, args: &Args) -> Result<Json, RpcError> {
    let number = args.required::<BlockNumberParam>(0)?.0;
    uncle(sealed(backend, number)?, args)
}

fn uncle_by_hash(backend: &Backend, args: &Args) -> Result<Json, RpcError> {
    let hash = args.required::<HashParam>(0)?.get();
    uncle(sealed(backend, hash)?, args)
}

fn uncle(block: Option<RecoveredBlock>, args: &Args) -> Result<Json, RpcError> {
    let position = args.required::<Quantity>(1)?.0;
    let Some(block) = block else { return Ok(None) };
    let ommer = usize::try_from(position).ok().and_then(|at| block.body().ommers.get(at));
    let Some(ommer) = ommer else { return Ok(None) };
    json(&BlockView {
        header: HeaderView::sealed(ommer, ommer.hash_slow()),
        size: block_size(ommer, std::iter::empty(), &[], None),
        transactions: None,
        uncles: Vec::new(),
        withdrawals: None,
    })
}
