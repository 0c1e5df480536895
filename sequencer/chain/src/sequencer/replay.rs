//! Bringing journal, chain and pool together: at start, after a failure in the middle of a block,
//! and when the chain has got another head.
//!
//! The journal holds every block that was opened and that the store may not have. Each of them is
//! one of these, in this order:
//!
//! 1. canonical: its seal is the hash of the chain's block with that number. Nothing to do.
//! 2. next: it follows the head. It is executed again; with a seal it must come out with that hash
//!    and is announced, without one it is the open block, and the last.
//! 3. given up: all others. Their transactions were shown, so they return to the pool; the journal
//!    keeps them as orphans until they are executed again or refused.
//!
//! The transactions of blocks that the chain unwound go the same way. The store keeps those blocks
//! until the journal has their transactions, so a crash in between loses none.

use std::sync::Arc;

use alloy_consensus::transaction::Recovered;
use alloy_primitives::B256;
use alloy_primitives::map::B256Set;
use cairn_pool::{Origin, PoolTransaction, SharedPool, Timestamp};
use cairn_primitives::RecoveredBlock;

use super::attributes::PayloadAttributes;
use super::journal::{BlockJournal, BlockRecords};
use super::open_block::{OpenBlock, replayed};
use super::records::Record;
use super::run::announce;
use crate::Chain;
use crate::error::ChainError;

/// What [`settle`] leaves to do.
pub(super) struct Settled {
    /// The block that goes on.
    pub(super) open: Option<OpenBlock>,
    /// Transactions that went back to the pool; the journal keeps them until they are done with.
    pub(super) orphans: Vec<B256>,
}

/// A block of the journal, decoded.
struct Journaled {
    number: u64,
    opened_on: B256,
    attributes: PayloadAttributes,
    txs: Vec<Arc<PoolTransaction>>,
    seal: Option<B256>,
    records: u32,
}

/// Brings journal, chain and pool together. What the pool has handed out is taken back.
pub(super) fn settle(
    chain: &Chain,
    pool: &SharedPool,
    journal: &mut BlockJournal,
) -> Result<Settled, ChainError> {
    let mut lost = Vec::new();
    for bytes in journal.orphans()? {
        if let Record::Tx(signed, encoded) = Record::decode(&bytes).map_err(bad(u64::MAX, 0))? {
            lost.push(Arc::new(replayed(signed, encoded)));
        }
    }
    let mut shown = Vec::new();
    let mut open = None;
    let mut given_up = None;
    let mut count = 0u64;
    for records in journal.blocks()? {
        let block = decode(records)?;
        let number = block.number;
        if given_up.is_none() && open.is_none() {
            if block.seal.is_some() && chain.hash_of(number)? == block.seal {
                continue;
            }
            let head = chain.heads().unsafe_head;
            if block.opened_on == head.hash && number == head.number.saturating_add(1) {
                open = rebuild(chain, journal, block)?;
                count = count.saturating_add(1);
                continue;
            }
        }
        tracing::warn!(
            target: "chain::sequencer", number, txs = block.txs.len(),
            "block given up, its transactions return to the pool"
        );
        given_up.get_or_insert(number);
        shown.extend(block.txs);
    }
    if count > 0 {
        tracing::info!(target: "chain::sequencer", blocks = count, "journal replayed");
    }
    let unwound = std::mem::take(&mut *chain.inner.orphans.lock());
    lost.extend(orphaned(&unwound));
    lost.extend(shown);
    // A block can be among those that were unwound and in the journal too.
    let mut seen = B256Set::default();
    lost.retain(|tx| seen.insert(tx.hash()));
    let head = chain.heads().unsafe_head.number;
    let next = head.saturating_add(1 + u64::from(open.is_some()));
    if given_up.is_some() || !unwound.is_empty() {
        let kept: Vec<_> = lost.iter().map(|tx| Record::tx(tx.sender(), tx.encoded())).collect();
        let moved = journal.give_up(given_up.unwrap_or(next), &kept).and_then(|()| {
            let blocks = unwound.iter().map(RecoveredBlock::num_hash);
            Ok(chain.store().forget_orphans(blocks)?)
        });
        if let Err(error) = moved {
            // The journal may not have them, and the next attempt needs them.
            chain.inner.orphans.lock().splice(0..0, unwound);
            return Err(error);
        }
    }
    if open.is_none() {
        // What was open follows none of the blocks that there are now.
        drop(chain.inner.pending.close());
    }
    let orphans = lost.iter().map(|tx| tx.hash()).collect();
    let lowest = unwound.iter().map(RecoveredBlock::number).chain(given_up).min();
    let view = chain.pending_state()?;
    pool.with(|pool| {
        pool.take_back_all();
        if let Some(lowest) = lowest {
            pool.abandon_from(lowest, &view)?;
        }
        pool.reinject(lost, &view)
    })?;
    Ok(Settled { open, orphans })
}

/// Executes a block of the journal again. A sealed one is announced, an open one given back.
fn rebuild(
    chain: &Chain,
    journal: &mut BlockJournal,
    block: Journaled,
) -> Result<Option<OpenBlock>, ChainError> {
    let number = block.number;
    let (mut open, deposits) = OpenBlock::new(chain, block.opened_on, &block.attributes)?;
    let mut group: Vec<_> = deposits.into_iter().map(|done| done.tx).collect();
    for (index, tx) in (1..).zip(&block.txs) {
        let done = open.execute(tx).map_err(|error| match error {
            cairn_evm::TxError::Read(error) => ChainError::Read(error),
            error => bad(number, index)(error.to_string()),
        })?;
        group.push(done.tx);
    }
    if let Some(announced) = block.seal {
        let (sealed, _) = open.seal(chain.spec())?;
        let got = sealed.block.hash();
        if got != announced {
            return Err(ChainError::Replay { number, got, announced });
        }
        drop(announce(chain, sealed)?);
        chain.wait_for_room()?;
        return Ok(None);
    }
    let (state, _) = open.publish();
    chain.inner.pending.open(open.header(), state.clone());
    chain.inner.pending.publish(group, open.gas_used(), state);
    journal.continue_at(number, block.records);
    Ok(Some(open))
}

fn decode((number, records): BlockRecords) -> Result<Journaled, ChainError> {
    let count = records.len();
    let mut records = records.into_iter();
    let (first, bytes) = records.next().ok_or_else(|| bad(number, 0)("no records".into()))?;
    let Record::Open(opened_on, attributes) = Record::decode(&bytes).map_err(bad(number, first))?
    else {
        return Err(bad(number, first)("the first record opens no block".into()));
    };
    let (mut seal, mut txs) = (None, Vec::new());
    for (index, bytes) in records {
        match Record::decode(&bytes).map_err(bad(number, index))? {
            Record::Tx(signed, encoded) => txs.push(Arc::new(replayed(signed, encoded))),
            Record::Seal(hash) => seal = Some(hash),
            Record::Open(..) => return Err(bad(number, index)("a second open record".into())),
        }
    }
    let records = u32::try_from(count).unwrap_or(u32::MAX);
    Ok(Journaled { number, opened_on, attributes, txs, seal, records })
}

fn bad(number: u64, index: u32) -> impl Fn(String) -> ChainError {
    move |reason| ChainError::Journal { number, index, reason }
}

/// Transactions of unwound blocks, in their old order. Deposits follow from L1 again.
fn orphaned(blocks: &[RecoveredBlock]) -> Vec<Arc<PoolTransaction>> {
    let transactions = blocks.iter().flat_map(RecoveredBlock::transactions_with_sender);
    transactions
        .filter(|(tx, _)| !tx.is_deposit_tx())
        .map(|(tx, sender)| {
            let signed = Recovered::new_unchecked(tx.clone(), sender);
            Arc::new(PoolTransaction::from_recovered(
                signed,
                Origin::Restored,
                Timestamp::default(),
            ))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;
    use cairn_evm::EvmConfig;
    use cairn_genesis::{DEV_SYSTEM, DevOptions, dev_genesis};
    use cairn_pool::{BlockConditions, PoolConfig};
    use cairn_primitives::{ChainSpec, StateReader};

    use super::*;
    use crate::sequencer::{AttributesSource, DevAttributes};
    use crate::{BlockRef, ChainOptions, DerivedPayload, open_store};

    /// Nobody's, and in no cache.
    const UNREAD: Address = Address::repeat_byte(0x77);

    fn chain(folder: &std::path::Path) -> Chain {
        let genesis = dev_genesis(&DevOptions::default()).unwrap();
        let spec = Arc::new(ChainSpec::from_genesis(&genesis).unwrap());
        let options = cairn_state::Options { block_cache_bytes: 8 << 20, ..Default::default() };
        let store = open_store(&folder.join("state"), options, &spec, &genesis).unwrap();
        Chain::open(store, EvmConfig::new(spec), ChainOptions::default()).unwrap()
    }

    fn extend(chain: &Chain, source: &mut DevAttributes) {
        let (hash, head) = chain.header(BlockRef::Latest).unwrap().unwrap();
        let attributes = source.next(&head, head.timestamp + 1).unwrap();
        let payload = DerivedPayload { attributes, transactions: Vec::new() };
        chain.derive(hash, payload.recover().unwrap()).unwrap();
    }

    #[test]
    fn a_block_that_was_open_on_unwound_blocks_is_closed() {
        let folder = tempfile::tempdir().unwrap();
        let chain = chain(folder.path());
        let (_, genesis) = chain.header(BlockRef::Earliest).unwrap().unwrap();
        let mut source = DevAttributes::new(chain.spec().clone(), &genesis, DEV_SYSTEM);
        (0..2).for_each(|_| extend(&chain, &mut source));
        let conditions = BlockConditions::new(chain.spec(), 3, genesis.timestamp + 3, 1, 0, 1);
        let pool = SharedPool::new(PoolConfig::default(), Arc::new(chain.clone()), conditions);
        let mut journal = BlockJournal::open(&folder.path().join("journal")).unwrap();
        let (hash, head) = chain.header(BlockRef::Latest).unwrap().unwrap();
        let attributes = source.next(&head, head.timestamp + 1).unwrap();
        let (mut open, _) = OpenBlock::new(&chain, hash, &attributes).unwrap();
        journal.append(3, &[Record::open(hash, &attributes)]).unwrap();
        chain.inner.pending.open(open.header(), open.publish().0);

        chain.unwind_to(1).unwrap();
        assert!(chain.pending_state().unwrap().account(UNREAD).is_err());
        for _ in 0..2 {
            let settled = settle(&chain, &pool, &mut journal).unwrap();
            assert!(settled.open.is_none());
            assert!(chain.pending_header().is_none());
            chain.pending_state().unwrap().account(UNREAD).unwrap();
        }
        chain.close().unwrap();
    }
}
