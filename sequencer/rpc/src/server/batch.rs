//! Batches, whose entries are worked on at the same time.
//!
//! Answers come in the order of the entries. So many `eth_sendRawTransaction` in one batch are
//! recovered on all cores, and slow entries do not hold up each other.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures::StreamExt;
use futures::stream::FuturesOrdered;
use jsonrpsee::MethodResponse;
use jsonrpsee::core::middleware::{Batch, BatchEntry, BatchEntryErr};
use jsonrpsee::core::server::BatchResponseBuilder;
use jsonrpsee::types::Id;
use jsonrpsee::types::error::reject_too_big_batch_response;

use super::account::Booking;
use super::calls::{Answering, CallService};
use super::send_batch::SendBatch;
use crate::RpcError;

/// Answers a batch. Those that hold nothing but raw transactions go to the pool as a whole.
///
/// Each answer is booked when it is finished; those that wait for a slow one before them count too.
pub(super) async fn run<S: Answering>(
    service: CallService<S>,
    batch: Batch<'_>,
    booking: &Booking,
) -> MethodResponse {
    match SendBatch::new(batch, &service.shared) {
        Ok(sends) => sends.run(&service.shared).await,
        Err(batch) => mixed(service, batch, booking).await,
    }
}

/// Answers a batch of any calls. Notifications have no answer; a batch of nothing else has none either.
async fn mixed<S: Answering>(
    service: CallService<S>,
    batch: Batch<'_>,
    booking: &Booking,
) -> MethodResponse {
    let limit = service.shared.response_bytes;
    let finished = AtomicUsize::new(0);
    let mut response = BatchResponseBuilder::new_with_limit(limit);
    let mut notified = false;
    let mut entries = batch.into_iter();
    let mut running = FuturesOrdered::new();
    loop {
        // Answers that wait for a slow one before them count already.
        if finished.load(Ordering::Relaxed) > limit {
            return MethodResponse::error(Id::Null, reject_too_big_batch_response(limit));
        }
        while running.len() < service.shared.batch_concurrency {
            let Some(entry) = entries.next() else { break };
            running.push_back(counted(one(service.clone(), entry), &finished, booking));
        }
        match running.next().await {
            None => break,
            Some(Err(busy)) => return MethodResponse::error(Id::Null, busy),
            Some(Ok(None)) => notified = true,
            Some(Ok(Some(answer))) => {
                if let Err(too_large) = response.append(answer) {
                    return too_large;
                }
            }
        }
    }
    if response.is_empty() && notified {
        return MethodResponse::notification();
    }
    MethodResponse::from_batch(response.finish())
}

/// Adds the bytes of an answer to `finished` and to what is kept; drops one that does not fit.
async fn counted(
    answer: impl Future<Output = Option<MethodResponse>>,
    finished: &AtomicUsize,
    booking: &Booking,
) -> Result<Option<MethodResponse>, RpcError> {
    let answer = answer.await;
    let bytes = answer.as_ref().map_or(0, |answer| answer.as_json().get().len());
    booking.add(bytes)?;
    finished.fetch_add(bytes, Ordering::Relaxed);
    Ok(answer)
}

async fn one<S: Answering>(
    service: CallService<S>,
    entry: Result<BatchEntry<'_>, BatchEntryErr<'_>>,
) -> Option<MethodResponse> {
    match entry {
        Ok(BatchEntry::Call(request)) => Some(service.one(request).await),
        Ok(BatchEntry::Notification(_)) => None,
        Err(error) => {
            let (error, id) = error.into_parts();
            Some(MethodResponse::error(id, error))
        }
    }
}
