//! Local transactions that wait in the pool, kept over a restart.
//!
//! A journal of its own: record `(place, 0)` holds one transaction in the pool's form
//! ([`JournalRecord`]); places only grow. What the pool takes in and gives away again within one
//! block time never reaches the disk. A crash may lose transactions that were accepted within the
//! last block time and not executed; it may bring back executed ones, whose nonces give them away.

use std::path::Path;
use std::sync::Arc;

use alloy_primitives::map::B256Map;
use alloy_primitives::{B256, keccak256};
use cairn_pool::{JournalOp, JournalRecord, SharedPool};
use cairn_state::{Journal, StateError};
use parking_lot::Mutex;

use crate::error::ChainError;

/// The journal of local transactions. Clones share it.
#[derive(Debug, Clone)]
pub struct LocalTransactions(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    journal: Journal,
    places: B256Map<u64>,
    next: u64,
    /// Operations that a full disk did not take.
    backlog: Vec<JournalOp>,
}

impl LocalTransactions {
    /// Opens the journal of a directory and reads what it holds. A damaged record is passed over
    /// with a warning: it must not keep the others from coming back.
    pub fn open(
        path: &Path,
        max_tx_bytes: usize,
    ) -> Result<(Self, Vec<JournalRecord>), ChainError> {
        let journal = Journal::open(path)?;
        let (mut places, mut found, mut next) = (B256Map::default(), Vec::new(), 0);
        for record in journal.records_from(0)? {
            next = record.block.saturating_add(1);
            match JournalRecord::decode(&record.bytes, max_tx_bytes) {
                Ok(decoded) => {
                    places.insert(keccak256(&decoded.encoded), record.block);
                    found.push(decoded);
                }
                Err(error) => {
                    tracing::warn!(target: "chain::local", place = record.block, %error, "record");
                    journal.remove([(record.block, 0)])?;
                }
            }
        }
        let inner = Inner { journal, places, next, backlog: Vec::new() };
        Ok((Self(Arc::new(Mutex::new(inner))), found))
    }

    /// Writes what has changed in the pool since the last call. While the disk is full the changes
    /// wait for the next call.
    pub fn save(&self, pool: &SharedPool) -> Result<(), ChainError> {
        let ops = pool.with(|pool| pool.drain_journal());
        let mut inner = self.0.lock();
        inner.backlog.extend(ops);
        if inner.backlog.is_empty() {
            return Ok(());
        }
        let ops = std::mem::take(&mut inner.backlog);
        match inner.write(&ops) {
            Ok(()) => Ok(()),
            Err(StateError::NoSpace(_)) => {
                inner.backlog = ops;
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Forgets transactions that the pool refused after a restart.
    pub fn forget(&self, hashes: impl IntoIterator<Item = B256>) -> Result<(), ChainError> {
        let ops: Vec<_> = hashes.into_iter().map(|hash| JournalOp::Delete { hash }).collect();
        Ok(self.0.lock().write(&ops)?)
    }
}

impl Inner {
    fn write(&mut self, ops: &[JournalOp]) -> Result<(), StateError> {
        let mut puts = Vec::new();
        let mut deletes = Vec::new();
        for op in ops {
            match op {
                JournalOp::Put { hash, record } if !self.places.contains_key(hash) => {
                    puts.push((*hash, record.encode()));
                }
                JournalOp::Put { .. } => {}
                JournalOp::Delete { hash } => {
                    deletes.extend(self.places.get(hash).map(|place| (*hash, *place)));
                }
            }
        }
        if !puts.is_empty() {
            let records =
                (self.next..).zip(&puts).map(|(place, (_, bytes))| (place, 0, &bytes[..]));
            self.journal.append(records)?;
            for (hash, _) in puts {
                self.places.insert(hash, self.next);
                self.next = self.next.saturating_add(1);
            }
        }
        self.journal.remove(deletes.iter().map(|(_, place)| (*place, 0)))?;
        for (hash, _) in deletes {
            self.places.remove(&hash);
        }
        Ok(())
    }
}
