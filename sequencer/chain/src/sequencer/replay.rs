//! Rebuilding what the journal holds above the store's tip.

use std::sync::Arc;

use alloy_primitives::B256;
use cairn_pool::{PoolTransaction, SharedPool};

use super::journal::BlockJournal;
use super::open_block::{OpenBlock, replayed};
use super::records::Record;
use super::run::announce;
use crate::Chain;
use crate::error::ChainError;

/// Replays the journal. Gives back the block that was open when the node ended.
pub(super) fn replay(
    chain: &Chain,
    pool: &SharedPool,
    journal: &mut BlockJournal,
) -> Result<Option<OpenBlock>, ChainError> {
    let head = chain.heads().unsafe_head;
    journal.remove_through(head.number)?;
    let mut blocks = journal.blocks_from(head.number + 1)?.into_iter();
    let mut orphans = Vec::new();
    let mut open = None;
    let mut count = 0u64;
    for (number, records) in blocks.by_ref() {
        let Replayed { block, seal, opened_on, txs } = rebuild(chain, number, records)?;
        let Some(block) = block else {
            // The chain was unwound below this block and the node ended before the journal
            // followed. The transactions were shown, so they go back to the pool.
            tracing::warn!(
                target: "chain::sequencer", number, parent = %opened_on,
                "journal belongs to another fork, its transactions return to the pool"
            );
            orphans.extend(txs);
            continue;
        };
        count += 1;
        match seal {
            Some(announced) => {
                let sealed = block.seal(chain.spec())?;
                let got = sealed.block.hash();
                if got != announced {
                    return Err(ChainError::Replay { number, got, announced });
                }
                announce(chain, sealed);
                chain.wait_for_room()?;
            }
            None => {
                open = Some(block);
                break;
            }
        }
    }
    if count > 0 {
        tracing::info!(target: "chain::sequencer", blocks = count, "journal replayed");
    }
    if open.is_none() {
        journal.remove_from(chain.heads().unsafe_head.number + 1)?;
    }
    if !orphans.is_empty() {
        let view = chain.latest_state()?;
        pool.with(|pool| pool.reinject(orphans, &view))?;
    }
    Ok(open)
}

struct Replayed {
    /// The rebuilt block, `None` where its parent is not the head.
    block: Option<OpenBlock>,
    seal: Option<B256>,
    opened_on: B256,
    txs: Vec<Arc<PoolTransaction>>,
}

fn rebuild(
    chain: &Chain,
    number: u64,
    records: Vec<(u32, Vec<u8>)>,
) -> Result<Replayed, ChainError> {
    let bad = |index: u32, reason: String| ChainError::Journal { number, index, reason };
    let mut records = records.into_iter();
    let (first, bytes) = records.next().ok_or_else(|| bad(0, "no records".into()))?;
    let Record::Open(opened_on, attributes) = Record::decode(&bytes).map_err(|e| bad(first, e))?
    else {
        return Err(bad(first, "the first record opens no block".into()));
    };
    let mut open = if opened_on == chain.heads().unsafe_head.hash {
        let (mut open, deposits) = OpenBlock::new(chain, opened_on, &attributes)?;
        chain.inner.pending.open(open.header(), open.publish());
        let group = deposits.into_iter().map(|done| done.tx).collect();
        chain.inner.pending.publish(group, open.gas_used(), open.publish());
        Some(open)
    } else {
        None
    };
    let (mut seal, mut txs, mut group) = (None, Vec::new(), Vec::new());
    for (index, bytes) in records {
        match Record::decode(&bytes).map_err(|e| bad(index, e))? {
            Record::Tx(signed, encoded) => {
                let tx = Arc::new(replayed(signed, encoded));
                if let Some(open) = &mut open {
                    let done = open.execute(&tx).map_err(|e| bad(index, e.to_string()))?;
                    group.push(done.tx);
                } else {
                    txs.push(tx);
                }
            }
            Record::Seal(hash) => seal = Some(hash),
            Record::Open(..) => return Err(bad(index, "a second open record".into())),
        }
    }
    if let Some(open) = &mut open {
        chain.inner.pending.publish(group, open.gas_used(), open.publish());
    }
    Ok(Replayed { block: open, seal, opened_on, txs })
}
