//! Fee suggestions.
//!
//! Under Ethereum rules geth's oracle (`eth/gasprice/gasprice.go`): the 60th percentile of the three
//! lowest tips of each of the last 20 blocks. Under OP rules op-geth's: a minimum, unless the newest
//! block was full, then a tenth more than its median tip.

use std::collections::VecDeque;
use std::sync::Arc;

use alloy_consensus::Transaction;
use alloy_primitives::{Address, B256, U256};
use cairn_chain::BlockRef;
use cairn_primitives::{Header, Receipt, RecoveredBlock};
use parking_lot::Mutex;

use crate::{Args, Backend, Methods, RpcError};

/// Tips taken from each block.
const SAMPLES_PER_BLOCK: usize = 3;
/// Tips of less are not counted as bids, wei.
const IGNORED_TIP: u128 = 2;
/// What is suggested while no block holds a bid, wei.
const DEFAULT_TIP: u128 = 1_000_000_000;

pub(super) fn register(methods: &mut Methods) {
    methods.cached("eth_gasPrice", 0, gas_price_in_memory, gas_price);
    methods.cached(
        "eth_maxPriorityFeePerGas",
        0,
        |backend, _| Ok(known_tip(backend, backend.chain.heads().unsafe_head.hash).map(U256::from)),
        |backend, _| Ok(U256::from(tip(backend)?)),
    );
    methods.reading("eth_baseFee", 0, base_fee);
    methods.reading("eth_blobBaseFee", 0, blob_base_fee);
}

/// The suggestion for the newest block, and the samples of those before it.
#[derive(Debug, Default)]
pub(crate) struct GasPriceCache(Mutex<Cached>);

#[derive(Debug, Default)]
struct Cached {
    head: B256,
    tip: Option<u128>,
    samples: VecDeque<(B256, Vec<u128>)>,
}

fn newest(backend: &Backend) -> Result<(B256, Header), RpcError> {
    backend.chain.header(BlockRef::Latest)?.ok_or_else(RpcError::header_not_found)
}

fn gas_price(backend: &Backend, _: &Args) -> Result<U256, RpcError> {
    let tip = tip(backend)?;
    let (_, header) = newest(backend)?;
    Ok(U256::from(tip) + U256::from(header.base_fee_per_gas.unwrap_or(0)))
}

/// Base fee of the block after the newest; null before London.
fn base_fee(backend: &Backend, _: &Args) -> Result<Option<U256>, RpcError> {
    let (_, header) = newest(backend)?;
    let next = backend.spec().next_base_fee(&header, header.timestamp.saturating_add(1));
    Ok(next.map_err(RpcError::internal)?.map(U256::from))
}

/// Blob base fee of the newest block; null before Cancun.
fn blob_base_fee(backend: &Backend, _: &Args) -> Result<Option<U256>, RpcError> {
    let (_, header) = newest(backend)?;
    if backend.spec().is_optimism() {
        // No blobs there: the fee stays at its minimum.
        return Ok(header.excess_blob_gas.map(|_| U256::from(1)));
    }
    let params = backend.spec().blob_params(header.timestamp);
    Ok(params.and_then(|params| header.blob_fee(params)).map(U256::from))
}

/// The suggestion, if it has been made since the newest block.
fn known_tip(backend: &Backend, head: B256) -> Option<u128> {
    let cached = backend.gas_price.0.lock();
    cached.tip.filter(|_| cached.head == head)
}

fn gas_price_in_memory(backend: &Backend, _: &Args) -> Result<Option<U256>, RpcError> {
    let head = backend.chain.heads().unsafe_head.hash;
    let known = known_tip(backend, head).zip(backend.chain.recent(head));
    Ok(known.map(|(tip, newest)| {
        let base_fee = newest.block.header().base_fee_per_gas.unwrap_or(0);
        U256::from(tip) + U256::from(base_fee)
    }))
}

/// The tip that is suggested, wei per gas.
pub(super) fn tip(backend: &Backend) -> Result<u128, RpcError> {
    let (head, header) = newest(backend)?;
    if let Some(tip) = known_tip(backend, head) {
        return Ok(tip);
    }
    let tip = if backend.spec().is_optimism() {
        optimism_tip(backend, head, &header)?
    } else {
        ethereum_tip(backend, head, &header)?
    };
    let mut cached = backend.gas_price.0.lock();
    cached.head = head;
    cached.tip = Some(tip);
    Ok(tip)
}

fn optimism_tip(backend: &Backend, head: B256, header: &Header) -> Result<u128, RpcError> {
    let limits = &backend.config.methods;
    let minimum = limits.gas_price_minimum;
    let Some((block, receipts)) = executed(backend, BlockRef::Hash(head))? else {
        return Ok(minimum);
    };
    // Full when the largest transaction would not have fitted in any more.
    let largest = receipts
        .iter()
        .scan(0, |before, receipt| {
            let used = receipt.cumulative_gas_used().saturating_sub(*before);
            *before = receipt.cumulative_gas_used();
            Some(used)
        })
        .max()
        .unwrap_or(0);
    if header.gas_used.saturating_add(largest) <= header.gas_limit {
        return Ok(minimum);
    }
    let base_fee = header.base_fee_per_gas.unwrap_or(0);
    let mut tips: Vec<u128> = block
        .transactions()
        .iter()
        .filter(|tx| !tx.is_deposit_tx())
        .filter_map(|tx| tx.effective_tip_per_gas(base_fee))
        .collect();
    if tips.is_empty() {
        return Ok(minimum);
    }
    tips.sort_unstable();
    let median = tips[tips.len() / 2];
    Ok(median.saturating_add(median / 10).clamp(minimum, limits.gas_price_maximum.max(minimum)))
}

fn ethereum_tip(backend: &Backend, head: B256, header: &Header) -> Result<u128, RpcError> {
    let limits = &backend.config.methods;
    let (mut hash, mut number) = (head, header.number);
    let (mut samples, mut fresh) = (Vec::<u128>::new(), VecDeque::new());
    for _ in 0..limits.gas_price_blocks {
        if number == 0 {
            break;
        }
        let known = backend.gas_price.0.lock().samples.iter().find(|(of, _)| *of == hash).cloned();
        let of_block = match known {
            Some((_, of_block)) => of_block,
            None => match backend.chain.block(BlockRef::Hash(hash))? {
                Some(block) => lowest_tips(&block),
                None => break,
            },
        };
        samples.extend(&of_block);
        fresh.push_back((hash, of_block));
        number -= 1;
        match backend.chain.hash_of(number)? {
            Some(parent) => hash = parent,
            None => break,
        }
    }
    let mut cached = backend.gas_price.0.lock();
    cached.samples = fresh;
    let before = cached.tip.unwrap_or(DEFAULT_TIP);
    drop(cached);
    if samples.is_empty() {
        return Ok(before);
    }
    samples.sort_unstable();
    let percentile = usize::try_from(limits.gas_price_percentile.min(100)).unwrap_or(100);
    let tip = samples[(samples.len() - 1) * percentile / 100];
    Ok(tip.min(limits.gas_price_maximum))
}

fn lowest_tips(block: &RecoveredBlock) -> Vec<u128> {
    let header = block.header();
    let base_fee = header.base_fee_per_gas.unwrap_or(0);
    let mut tips: Vec<u128> = block
        .transactions_with_sender()
        .filter(|(_, sender)| *sender != header.beneficiary && *sender != Address::ZERO)
        .filter_map(|(tx, _)| tx.effective_tip_per_gas(base_fee))
        .filter(|tip| *tip >= IGNORED_TIP)
        .collect();
    tips.sort_unstable();
    tips.truncate(SAMPLES_PER_BLOCK);
    tips
}

/// A block and its receipts.
type ExecutedParts = (RecoveredBlock, Arc<Vec<Receipt>>);

/// A block with its receipts.
pub(super) fn executed(backend: &Backend, at: BlockRef) -> Result<Option<ExecutedParts>, RpcError> {
    let Some(block) = backend.chain.block(at)? else { return Ok(None) };
    let receipts = backend.chain.receipts(BlockRef::Hash(block.hash()))?;
    Ok(receipts.map(|receipts| (block, receipts)))
}
