//! From raw bytes to pooled transactions, on threads of its own.
//!
//! ```text
//! submit ─► bounded queue ─► workers: hash, known?, decode, check, recover ─► pool ─► reply
//! ```
//! Recovering a sender alone costs about 40 µs, eight of them together little more; whatever else
//! happens to a transaction is kept small beside that: workers take batches, hold the pool's lock
//! twice for each, and are woken only when they sleep.

mod queue;
mod reply;
mod stage;
mod worker;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread::JoinHandle;

use alloy_primitives::{B256, Bytes};
use tokio::sync::oneshot;

pub use reply::Reply;

use crate::metrics::RecoveryMetrics;
use crate::{JournalRecord, Origin, PoolError, RecoveryConfig, RestoreReport, SharedPool};
use queue::{Job, Queue};
use reply::{Batch, Recipient};
use stage::{Raw, Stage};
use worker::work;

/// The recovery stage. Dropping it answers what still waits as [`PoolError::Stopped`] and joins
/// the workers.
#[derive(Debug)]
pub struct Recovery {
    queue: Arc<Queue>,
    pool: SharedPool,
    workers: Vec<JoinHandle<()>>,
    worker_count: usize,
    metrics: RecoveryMetrics,
}

impl Recovery {
    /// Starts the workers.
    pub fn spawn(pool: SharedPool, config: &RecoveryConfig) -> std::io::Result<Self> {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let count = if config.workers == 0 { cores } else { config.workers };
        let queue = Arc::new(Queue::new(config.queue_txs, config.queue_bytes));
        let metrics = RecoveryMetrics::new();
        let mut recovery = Self { queue, pool, workers: Vec::new(), worker_count: count, metrics };
        for index in 0..count {
            let (queue, pool) = (recovery.queue.clone(), recovery.pool.clone());
            let (metrics, batch) = (recovery.metrics.clone(), config.batch.max(1));
            let worker = std::thread::Builder::new()
                .name(format!("recovery-{index}"))
                .spawn(move || work(&queue, pool, batch, count, &metrics))?;
            recovery.workers.push(worker);
        }
        Ok(recovery)
    }

    /// Submits a raw transaction. The reply is given on a worker's thread. Returns
    /// [`PoolError::Busy`] at once, without a reply, when the queue is full.
    pub fn submit(&self, raw: Bytes, origin: Origin, reply: Reply) -> Result<(), PoolError> {
        let received = self.pool.now();
        let jobs = std::iter::once(Job {
            raw: Raw { bytes: raw, origin, received },
            recipient: Recipient::One(reply),
        });
        match self.queue.push(jobs).pop() {
            None => Ok(()),
            Some(_) => {
                self.metrics.busy.increment(1);
                Err(PoolError::Busy)
            }
        }
    }

    /// Submits a raw transaction and waits until it is pooled or refused.
    pub async fn add(&self, raw: Bytes, origin: Origin) -> Result<B256, PoolError> {
        let (sender, receiver) = oneshot::channel();
        self.submit(raw, origin, Reply::Oneshot(sender))?;
        receiver.await.unwrap_or(Err(PoolError::Stopped))
    }

    /// Submits several raw transactions and waits for all, with one wake-up. What does not fit into
    /// the queue is busy.
    pub async fn add_many(&self, raws: Vec<Bytes>, origin: Origin) -> Vec<Result<B256, PoolError>> {
        if raws.is_empty() {
            return Vec::new();
        }
        let (received, count) = (self.pool.now(), raws.len());
        let (batch, receiver) = Batch::new(count);
        let jobs = raws.into_iter().enumerate().map(|(index, bytes)| Job {
            raw: Raw { bytes, origin, received },
            recipient: Recipient::Batch { index, batch: batch.clone() },
        });
        for refused in self.queue.push(jobs) {
            self.metrics.busy.increment(1);
            refused.recipient.answer(Err(PoolError::Busy));
        }
        let stopped = || (0..count).map(|_| Err(PoolError::Stopped)).collect();
        receiver.await.unwrap_or_else(|_| stopped())
    }

    /// Puts journaled transactions back into the pool, senders recovered in parallel, in the order
    /// of their arrival. Blocks the calling thread.
    pub fn restore(&self, mut records: Vec<JournalRecord>) -> RestoreReport {
        records.sort_by_key(|record| record.received);
        let raws: Vec<Raw> = records
            .into_iter()
            .map(|record| Raw {
                bytes: record.encoded,
                origin: Origin::Restored,
                received: record.received,
            })
            .collect();
        let stage = Stage::new(self.pool.clone());
        let share = raws.len().div_ceil(self.worker_count).max(1);
        let recovered: Vec<_> = std::thread::scope(|scope| {
            let stage = &stage;
            let threads: Vec<_> =
                raws.chunks(share).map(|part| scope.spawn(|| stage.recover(part))).collect();
            let joined = threads.into_iter().map(|thread| thread.join());
            joined.flat_map(|part| part.expect("recovery does not panic")).collect()
        });
        let results = stage.insert(recovered);
        let mut report = RestoreReport::default();
        for (raw, result) in raws.iter().zip(results) {
            match result {
                Ok(_) | Err(PoolError::AlreadyKnown) => report.restored += 1,
                Err(error) => {
                    tracing::debug!(target: "sequencer::pool", %error, "journaled transaction refused");
                    report.rejected.push(alloy_primitives::keccak256(&raw.bytes));
                }
            }
        }
        report
    }

    /// Transactions that wait for a worker.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }
}

impl Drop for Recovery {
    fn drop(&mut self) {
        for job in self.queue.stop() {
            job.recipient.answer(Err(PoolError::Stopped));
        }
        for worker in self.workers.drain(..) {
            if worker.join().is_err() {
                tracing::error!(target: "sequencer::pool", "a recovery worker panicked");
            }
        }
    }
}
