//! `eth_getLogs`: block by block, skipping those whose bloom rules them out.

use alloy_eips::BlockNumberOrTag;
use cairn_chain::{BlockRef, ExecutedBlock};
use cairn_primitives::{Header, Receipt, RecoveredBlock};

use super::criteria::{Blocks, Criteria, CriteriaParam, invalid_range};
use crate::scan::Scan;
use crate::view::{LogOrigin, LogView};
use crate::{Backend, Methods, RpcError, block_ref};

pub(super) fn register(methods: &mut Methods) {
    methods.scanning("eth_getLogs", 1, |backend, args, scan| {
        let param: CriteriaParam = args.required(0)?;
        logs(backend, &param.check(backend.config.methods.log_alternatives)?, scan)
    });
}

/// All logs of the chain that match.
pub(super) fn logs(
    backend: &Backend,
    criteria: &Criteria,
    scan: &Scan,
) -> Result<Vec<LogView>, RpcError> {
    let mut found = Found { logs: Vec::new(), most: backend.config.methods.log_results };
    match criteria.blocks {
        Blocks::Hash(hash) => {
            let header = backend.chain.header(BlockRef::Hash(hash))?;
            let (_, header) = header.ok_or_else(|| RpcError::server("unknown block"))?;
            in_block(backend, criteria, &header, BlockRef::Hash(hash), &mut found)?;
        }
        Blocks::Range(from, to) => {
            let (from, to) = range(backend, from, to)?;
            for number in from..=to {
                scan.check()?;
                // A reorganisation may have shortened the chain meanwhile.
                let Some((hash, header)) = backend.chain.header(BlockRef::Number(number))? else {
                    break;
                };
                in_block(backend, criteria, &header, BlockRef::Hash(hash), &mut found)?;
            }
        }
    }
    Ok(found.logs)
}

/// Results so far, and how many there may be; zero is no limit.
struct Found {
    logs: Vec<LogView>,
    most: usize,
}

fn range(
    backend: &Backend,
    from: BlockNumberOrTag,
    to: BlockNumberOrTag,
) -> Result<(u64, u64), RpcError> {
    if from.is_pending() || to.is_pending() {
        return Err(RpcError::InvalidParams("pending logs are not supported".into()));
    }
    if let (Some(from), Some(to)) = (from.as_number(), to.as_number())
        && from > to
    {
        return Err(invalid_range());
    }
    let head = backend.chain.heads().unsafe_head.number;
    let resolve = |block: BlockNumberOrTag| match block {
        BlockNumberOrTag::Number(number) => Ok(number),
        tag => match backend.chain.resolve(block_ref(tag.into()))? {
            Some(at) => Ok(at.number),
            None => Err(RpcError::header_not_found()),
        },
    };
    let (first, last) = (resolve(from)?, resolve(to)?);
    if last > head || first > head {
        let text = "block range extends beyond current head block";
        return Err(RpcError::InvalidParams(text.into()));
    }
    if first > last {
        return Err(invalid_range());
    }
    let most = backend.config.methods.log_range;
    if most > 0 && last - first >= most {
        return Err(RpcError::InvalidParams(format!("exceed maximum block range: {most}")));
    }
    Ok((first, last))
}

fn in_block(
    backend: &Backend,
    criteria: &Criteria,
    header: &Header,
    at: BlockRef,
    found: &mut Found,
) -> Result<(), RpcError> {
    if !criteria.may_match(&header.logs_bloom) {
        return Ok(());
    }
    let (Some(block), Some(receipts)) = (backend.chain.block(at)?, backend.chain.receipts(at)?)
    else {
        return Err(RpcError::PrunedHistory);
    };
    let most = if found.most > 0 { found.most } else { usize::MAX };
    matching(criteria, &block, &receipts, false, most, &mut found.logs);
    if found.logs.len() > most {
        let text = format!("query returned more than {} results", found.most);
        return Err(RpcError::LimitExceeded(text));
    }
    Ok(())
}

/// Adds the matching logs of a block until `out` holds more than `most`. `removed` tells that the
/// block left the chain.
pub(super) fn matching(
    criteria: &Criteria,
    block: &RecoveredBlock,
    receipts: &[Receipt],
    removed: bool,
    most: usize,
    out: &mut Vec<LogView>,
) {
    let header = block.header();
    let mut position = 0;
    for (tx_index, (tx, receipt)) in block.transactions().iter().zip(receipts).enumerate() {
        let origin = LogOrigin {
            block_hash: block.hash(),
            block_number: header.number,
            block_timestamp: header.timestamp,
            tx_hash: *tx.hash(),
            tx_index,
        };
        for (i, log) in receipt.logs().iter().enumerate() {
            if criteria.matches(log) {
                out.push(LogView::new(log, origin, position + i, removed));
                if out.len() > most {
                    return;
                }
            }
        }
        position += receipt.logs().len();
    }
}

/// The matching logs of a block that joined or left the chain just now.
pub(super) fn live(criteria: &Criteria, block: &ExecutedBlock, removed: bool) -> Vec<LogView> {
    let mut out = Vec::new();
    add_live(criteria, block, removed, usize::MAX, &mut out);
    out
}

/// The matching logs of blocks that left and of blocks that joined the chain just now. Whoever
/// gets more than `most` has not got all.
pub(super) fn live_all(
    criteria: &Criteria,
    removed: &[ExecutedBlock],
    added: &[ExecutedBlock],
    most: usize,
) -> Vec<LogView> {
    let mut out = Vec::new();
    let gone = removed.iter().map(|block| (block, true));
    for (block, removed) in gone.chain(added.iter().map(|block| (block, false))) {
        add_live(criteria, block, removed, most, &mut out);
        if out.len() > most {
            break;
        }
    }
    out
}

fn add_live(
    criteria: &Criteria,
    block: &ExecutedBlock,
    removed: bool,
    most: usize,
    out: &mut Vec<LogView>,
) {
    let header = block.block.header();
    if criteria.covers(header.number) && criteria.may_match(&header.logs_bloom) {
        matching(criteria, &block.block, &block.receipts, removed, most, out);
    }
}
