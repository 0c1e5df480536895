//! Blocks that an unwind removed. Their transactions were shown, so they must outlive a crash until
//! somebody has put them back into a pool or into other blocks.
//!
//! A step of an unwind writes them in the batch that removes them; they stay until
//! [`Store::forget_orphans`]. Of very long unwinds the newest [`ORPHANS_KEPT`] blocks stay.

use alloy_eips::BlockNumHash;
use alloy_primitives::{Address, B256};
use alloy_rlp::Decodable;
use cairn_primitives::{Block, BlockBody, Header, RecoveredBlock};

use super::Store;
use crate::error::{Result, StateError};
use crate::schema::{Batch, Column, keys};

/// Most removed blocks that are kept.
pub const ORPHANS_KEPT: usize = 128;

impl Store {
    /// Blocks that unwinds removed and that nobody has asked to forget, in order of their numbers.
    /// Blocks that held nothing but deposits are not among them: those follow from L1 again.
    pub fn orphans(&self) -> Result<Vec<RecoveredBlock>> {
        let mut blocks = Vec::new();
        self.db().reader().scan(Column::Orphan, &[], |key, value| {
            let corrupt =
                || StateError::corrupt(format!("removed block {:?}", keys::block_of(key)));
            let hash = key.get(8..).and_then(|hash| B256::try_from(hash).ok());
            let block = decode(value).ok_or_else(corrupt)?;
            blocks.push(RecoveredBlock::with_hash(block.0, block.1, hash.ok_or_else(corrupt)?));
            Ok(())
        })?;
        Ok(blocks)
    }

    /// Forgets removed blocks, synced. Those that are not kept are passed over.
    pub fn forget_orphans(&self, blocks: impl IntoIterator<Item = BlockNumHash>) -> Result<()> {
        let mut batch = self.db().batch();
        for block in blocks {
            batch.delete(Column::Orphan, key(block));
        }
        batch.write_synced()
    }

    /// Keeps the newest of the blocks `first..=last` that a batch is about to remove. What was kept
    /// of higher blocks stays, what was kept of lower ones makes room.
    pub(super) fn keep_orphans(&self, batch: &mut Batch<'_>, first: u64, last: u64) -> Result<()> {
        let (mut higher, mut lower) = (0usize, Vec::new());
        self.db().reader().scan(Column::Orphan, &[], |key, _| {
            match keys::block_of(key) {
                Some(number) if number > last => higher = higher.saturating_add(1),
                _ => lower.push(key.to_vec()),
            }
            Ok(())
        })?;
        let room = ORPHANS_KEPT.saturating_sub(higher);
        let mut added = 0usize;
        for number in (first..=last).rev() {
            if added == room {
                break;
            }
            let Some(block) = self.block(number)? else { continue };
            if block.transactions().iter().all(|tx| tx.is_deposit_tx()) {
                continue;
            }
            batch.put(Column::Orphan, key(block.num_hash()), encode(&block));
            added = added.saturating_add(1);
        }
        let excess = lower.len().saturating_add(added).saturating_sub(room);
        for key in lower.iter().take(excess) {
            batch.delete(Column::Orphan, key);
        }
        Ok(())
    }
}

fn key(block: BlockNumHash) -> impl AsRef<[u8]> {
    keys::change(block.number, block.hash.as_slice())
}

/// `rlp(header) ‖ rlp(body) ‖ senders`.
fn encode(block: &RecoveredBlock) -> Vec<u8> {
    let mut out = alloy_rlp::encode(block.header());
    alloy_rlp::Encodable::encode(block.body(), &mut out);
    out.extend(block.senders().iter().flatten());
    out
}

fn decode(mut value: &[u8]) -> Option<(Block, Vec<Address>)> {
    let header = Header::decode(&mut value).ok()?;
    let body = BlockBody::decode(&mut value).ok()?;
    let (senders, []) = value.as_chunks::<20>() else { return None };
    let senders: Vec<_> = senders.iter().copied().map(Address::new).collect();
    (senders.len() == body.transactions.len()).then_some((Block { header, body }, senders))
}
