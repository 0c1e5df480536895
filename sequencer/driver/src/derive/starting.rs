//! Finding the starting point: the node's own store, and L1 where it is asked about.

use alloy_eips::BlockNumberOrTag;
use cairn_l1::{FetchedBlock, L1Error};
use cairn_rollup::start::{KnownL1, Start, StartError, find_start};

use super::Shared;
use crate::DriverError;

/// Finds where to go on, and brings the chain there. Gives the first L1 block to read, too.
pub(super) async fn start(shared: &Shared) -> Result<(Start, FetchedBlock), DriverError> {
    let start = find(shared).await?;
    let first = match shared.l1.block_by_number(start.l1.number).await? {
        Some(block) if block.hash == start.l1.hash => block,
        found => {
            let found = found.map_or(start.l1, |block| block.id());
            return Err(L1Error::Reorg { cursor: start.l1, found }.into());
        }
    };
    let heads = shared.chain.heads();
    if start.safe.hash != heads.safe.hash || start.unsafe_head.number < heads.safe.number {
        shared.chain.reset_heads(start.safe.hash, start.processed.number)?;
    }
    if start.unsafe_head.number < heads.unsafe_head.number {
        tracing::warn!(
            target: "driver::derive",
            from = heads.unsafe_head.number,
            to = start.unsafe_head.number,
            "unsafe blocks lost their L1 origin"
        );
        shared.chain.unwind_to(start.unsafe_head.number)?;
    }
    tracing::info!(
        target: "driver::derive",
        l1 = start.l1.number,
        safe = start.safe.number,
        unsafe_head = start.unsafe_head.number,
        "derivation starts"
    );
    Ok((start, first))
}

async fn find(shared: &Shared) -> Result<Start, DriverError> {
    let mut known = KnownL1::new();
    loop {
        let heads = shared.chain.heads();
        let (head, finalized) = (heads.unsafe_head.number, heads.finalized.number);
        match find_start(&shared.rollup, head, finalized, &shared.reader, &known) {
            Err(StartError::NeedL1(number)) => {
                let block = shared.l1.block_ref(BlockNumberOrTag::Number(number)).await?;
                known.insert(number, block.map(|block| block.hash));
            }
            Err(
                error @ (StartError::WrongL1 { actual: None, .. }
                | StartError::BelowFinalized { .. }),
            ) if known.values().any(Option::is_none) => return Err(DriverError::L1Behind(error)),
            found => return Ok(found?),
        }
    }
}
