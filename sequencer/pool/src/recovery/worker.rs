//! What a worker does for as long as the stage runs.
//!
//! A panic while a batch is handled is a defect of this program, but no reason to lose the worker:
//! the submitters of the batch are told, and the next batch is handled as if nothing had been.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use alloy_primitives::B256;

use super::queue::Queue;
use super::reply::Recipient;
use super::stage::{Raw, Stage};
use crate::metrics::RecoveryMetrics;
use crate::{PoolError, SharedPool};

/// How far recovery steps back behind the other threads of the node.
const NICENESS: i32 = 5;

/// Handles batches until the queue stops.
pub(super) fn work(
    queue: &Queue,
    pool: SharedPool,
    batch: usize,
    workers: usize,
    metrics: &RecoveryMetrics,
) {
    // Recovery can fill every core. What is recovered already must not wait for it: a sequencer that
    // falls behind would be left to work alone, on one core, when the others are done. Linux keeps
    // the niceness of each thread apart; elsewhere this may be refused, which costs only speed.
    if let Err(error) = rustix::process::nice(NICENESS) {
        tracing::debug!(target: "sequencer::pool", %error, "recovery keeps its priority");
    }
    let stage = Stage::new(pool);
    let (mut raws, mut recipients) = (Vec::with_capacity(batch), Vec::with_capacity(batch));
    while let Some(left) = queue.pop(batch, workers, &mut raws, &mut recipients) {
        let start = Instant::now();
        #[allow(clippy::cast_precision_loss)]
        {
            metrics.waiting.set(left as f64);
            metrics.batch_size.record(raws.len() as f64);
        }
        for (recipient, result) in recipients.drain(..).zip(handle(&stage, &raws)) {
            answer(recipient, result);
        }
        raws.clear();
        metrics.batch_seconds.record(start.elapsed().as_secs_f64());
    }
}

/// Recovers and inserts a batch. The pool's lock does not poison, so other threads go on as well.
fn handle(stage: &Stage, raws: &[Raw]) -> Vec<Result<B256, PoolError>> {
    catch_unwind(AssertUnwindSafe(|| stage.insert(stage.recover(raws)))).unwrap_or_else(|cause| {
        let (cause, count) = (message(cause.as_ref()), raws.len());
        tracing::error!(target: "sequencer::pool", cause, count, "a batch of transactions crashed");
        let results: Vec<_> = raws.iter().map(|_| Err(PoolError::Crashed)).collect();
        stage.count(&results);
        results
    })
}

/// Answers one submitter, whose callback must not take the others' answers with it.
fn answer(recipient: Recipient, result: Result<B256, PoolError>) {
    if let Err(cause) = catch_unwind(AssertUnwindSafe(|| recipient.answer(result))) {
        let cause = message(cause.as_ref());
        tracing::error!(target: "sequencer::pool", cause, "the callback of a submitter crashed");
    }
}

/// What a panic says, where it says something.
fn message(cause: &(dyn Any + Send)) -> &str {
    let owned = cause.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| cause.downcast_ref::<&str>().copied()).unwrap_or("unknown")
}
