//! Journal of local transactions, which survives a restart.
//!
//! The pool does not write it: it leaves operations in a bounded outbox, and the chain's store
//! applies them ([`crate::Pool::drain_journal`]), keyed by transaction hash. Format of a record:
//!
//! ```text
//! version 0x01 ‖ received, milliseconds since the epoch, u64 big-endian ‖ EIP-2718 transaction
//! ```
//! Recovery: all records are decoded, their senders recovered, and inserted in the order of
//! arrival; what no longer can be admitted is reported for deletion. A crash may lose what was
//! accepted but not drained yet, and bring back what was executed but whose deletion was not
//! applied (its nonce tells). A transaction leaves the journal when it is executed: from there on
//! the chain's own journal of the open block answers for it.

use std::num::NonZeroUsize;
use std::sync::Arc;

use alloy_primitives::map::HashMap;
use alloy_primitives::{B256, Bytes};

use crate::{PoolTransaction, Timestamp};

const VERSION: u8 = 1;
const HEADER_LENGTH: usize = 9;

/// A local transaction as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRecord {
    /// When the transaction was submitted.
    pub received: Timestamp,
    /// Its EIP-2718 encoding.
    pub encoded: Bytes,
}

/// A record that was not written by this version, or is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// Shorter than a header and one byte.
    #[error("journal record of {0} bytes is too short")]
    Short(usize),
    /// Longer than a record can be.
    #[error("journal record of {size} bytes is longer than {limit}")]
    Long {
        /// Bytes of the record.
        size: usize,
        /// Most bytes allowed.
        limit: usize,
    },
    /// Written by another version.
    #[error("journal record of unknown version {0}")]
    Version(u8),
}

impl JournalRecord {
    /// Encodes the record.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_LENGTH + self.encoded.len());
        out.push(VERSION);
        out.extend_from_slice(&self.received.0.to_be_bytes());
        out.extend_from_slice(&self.encoded);
        out
    }

    /// Decodes a record whose transaction has `max_tx_bytes` at most. The transaction itself is
    /// not looked at.
    pub fn decode(bytes: &[u8], max_tx_bytes: usize) -> Result<Self, JournalError> {
        let limit = max_tx_bytes.saturating_add(HEADER_LENGTH);
        if bytes.len() > limit {
            return Err(JournalError::Long { size: bytes.len(), limit });
        }
        let Some((header, encoded)) = bytes.split_first_chunk::<HEADER_LENGTH>() else {
            return Err(JournalError::Short(bytes.len()));
        };
        let [version, received @ ..] = *header;
        if version != VERSION {
            return Err(JournalError::Version(version));
        }
        if encoded.is_empty() {
            return Err(JournalError::Short(bytes.len()));
        }
        let received = Timestamp(u64::from_be_bytes(received));
        Ok(Self { received, encoded: Bytes::copy_from_slice(encoded) })
    }
}

/// What the store has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JournalOp {
    /// Keep a transaction.
    Put {
        /// Its hash, the key.
        hash: B256,
        /// The record.
        record: JournalRecord,
    },
    /// Forget a transaction.
    Delete {
        /// Its hash, the key.
        hash: B256,
    },
}

/// Outcome of reading the journal back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RestoreReport {
    /// Transactions that are pooled again.
    pub restored: usize,
    /// Keys of records that cannot be admitted any more; to be deleted from the store.
    pub rejected: Vec<B256>,
}

/// Operations that wait for the store. A transaction that comes and goes between two drains, as
/// most do, leaves no trace.
#[derive(Debug)]
pub(crate) struct Outbox {
    capacity: Option<NonZeroUsize>,
    waiting: HashMap<B256, Waiting>,
}

#[derive(Debug)]
enum Waiting {
    /// `stored`: the store may hold the transaction from before.
    Put {
        tx: Arc<PoolTransaction>,
        stored: bool,
    },
    Delete,
}

impl Outbox {
    pub(crate) fn new(capacity: Option<NonZeroUsize>) -> Self {
        Self { capacity, waiting: HashMap::default() }
    }

    /// Whether a local transaction has to wait. Deletions always find room: there cannot be more
    /// of them than transactions that were put before.
    pub(crate) fn is_full(&self) -> bool {
        self.capacity.is_some_and(|capacity| self.waiting.len() >= capacity.get())
    }

    /// Keeps a transaction that the store does not have, or no longer.
    pub(crate) fn put(&mut self, tx: &Arc<PoolTransaction>) {
        if self.capacity.is_some() {
            let stored = matches!(self.waiting.get(&tx.hash()), Some(Waiting::Delete));
            self.waiting.insert(tx.hash(), Waiting::Put { tx: tx.clone(), stored });
        }
    }

    /// Forgets a transaction.
    pub(crate) fn delete(&mut self, hash: B256) {
        if self.capacity.is_none() {
            return;
        }
        if !matches!(self.waiting.remove(&hash), Some(Waiting::Put { stored: false, .. })) {
            self.waiting.insert(hash, Waiting::Delete);
        }
    }

    pub(crate) fn drain(&mut self) -> Vec<JournalOp> {
        let ops = self.waiting.drain().map(|(hash, waiting)| match waiting {
            Waiting::Delete => JournalOp::Delete { hash },
            Waiting::Put { tx, .. } => JournalOp::Put {
                hash,
                record: JournalRecord { received: tx.received(), encoded: tx.encoded().clone() },
            },
        });
        ops.collect()
    }
}
