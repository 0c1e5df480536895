//! The measured side: payloads into a chain on disk.

use std::collections::VecDeque;
use std::time::Instant;

use alloy_eips::BlockNumHash;
use alloy_primitives::B256;
use cairn_chain::{Chain, HeadUpdate};
use eyre::ensure;

use super::Applied;
use super::blocks::{Blocks, Made, open};
use crate::bench::usage::own_cpu;

/// Applies all blocks to a new chain.
pub(super) fn run(blocks: &Blocks, ahead: u32) -> eyre::Result<Applied> {
    let folder = tempfile::Builder::new().prefix("cairn-bench-derive-").tempdir()?;
    let chain = open(folder.path(), &blocks.genesis)?;
    let ahead = usize::try_from(ahead)?;
    let tip = apply(&chain, chain.genesis().hash, &blocks.setup, ahead)?;
    chain.flush()?;
    let (start, cpu) = (Instant::now(), own_cpu()?);
    apply(&chain, tip, &blocks.measured, ahead)?;
    chain.flush()?;
    let applied = Applied { time: start.elapsed(), cpu: own_cpu()?.saturating_sub(cpu) };
    chain.close()?;
    Ok(applied)
}

fn apply(chain: &Chain, mut parent: B256, blocks: &[Made], ahead: usize) -> eyre::Result<B256> {
    let mut waiting = blocks.iter();
    let mut recovering = VecDeque::new();
    for (number, block) in (1..).zip(blocks) {
        while recovering.len() < ahead
            && let Some(block) = waiting.next()
        {
            recovering.push_back(block.payload.clone().recover_ahead());
        }
        let Some(next) = recovering.pop_front() else { break };
        let derived = chain.derive(parent, next.wait()??)?;
        ensure!(
            derived.block.hash == block.hash,
            "block {} has another hash",
            derived.block.number
        );
        parent = derived.block.hash;
        // As derivation does it with each block; every sixth is the first of an L1 block.
        let derived_from = BlockNumHash { number: number / 6, hash: B256::ZERO };
        let safe = Some(parent);
        chain.advance_heads(&HeadUpdate {
            safe,
            derived_from: Some(derived_from),
            finalized: None,
        })?;
    }
    Ok(parent)
}
