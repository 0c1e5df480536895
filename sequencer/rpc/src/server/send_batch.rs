//! Batches of raw transactions alone, as wallets, relays and load generators send them.
//!
//! They go to the pool's recovery stage as a whole: the stage is woken once, and so is the task that
//! waits. Entry by entry, the wake-ups cost more than everything else on the reactor.

use std::time::Instant;

use alloy_primitives::{B256, Bytes};
use jsonrpsee::MethodResponse;
use jsonrpsee::core::middleware::{Batch, BatchEntry};
use jsonrpsee::core::server::{BatchResponseBuilder, ResponsePayload};
use jsonrpsee::types::Id;

use super::calls::Shared;
use crate::eth::{check_disk, is_plain, origin};
use crate::params::BytesParam;
use crate::{Args, Backend, RpcError};

const METHOD: &str = "eth_sendRawTransaction";

/// A batch of raw transactions.
pub(super) struct SendBatch<'a> {
    ids: Vec<Id<'a>>,
    raws: Vec<Bytes>,
}

impl<'a> SendBatch<'a> {
    /// Takes a batch that holds several well-formed submissions and nothing else; gives any other
    /// back.
    pub(super) fn new(batch: Batch<'a>, shared: &Shared) -> Result<Self, Batch<'a>> {
        let Some(raws) = transactions(&batch, shared) else { return Err(batch) };
        let ids = batch.into_iter().filter_map(|entry| match entry {
            Ok(BatchEntry::Call(request)) => Some(request.id),
            _ => None,
        });
        Ok(Self { ids: ids.collect(), raws })
    }

    /// Submits all and answers in their order.
    pub(super) async fn run(self, shared: &Shared) -> MethodResponse {
        let Some(method) = shared.method(METHOD) else {
            return MethodResponse::error(Id::Null, RpcError::MethodNotFound(METHOD.into()));
        };
        let _in_flight = shared.begin(self.raws.len());
        let started = Instant::now();
        let outcomes = submit(&shared.backend, self.raws).await;
        let mut response = BatchResponseBuilder::new_with_limit(shared.response_bytes);
        for (id, outcome) in self.ids.into_iter().zip(outcomes) {
            let answer = match outcome {
                Ok(hash) => {
                    let payload = ResponsePayload::success(hash);
                    MethodResponse::response(id, payload, shared.response_bytes)
                }
                Err(error) => MethodResponse::error(id, error),
            };
            method.book(&answer, started);
            if let Err(too_large) = response.append(answer) {
                return too_large;
            }
        }
        MethodResponse::from_batch(response.finish())
    }
}

async fn submit(backend: &Backend, raws: Vec<Bytes>) -> Vec<Result<B256, RpcError>> {
    if let Err(refused) = check_disk(backend) {
        return vec![Err(refused); raws.len()];
    }
    let outcomes = backend.recovery.add_many(raws, origin(backend)).await;
    outcomes.into_iter().map(|outcome| outcome.map_err(RpcError::from)).collect()
}

/// The raw transactions of a batch that holds nothing else.
fn transactions(batch: &Batch<'_>, shared: &Shared) -> Option<Vec<Bytes>> {
    // What the sequencer is to include goes to it entry by entry.
    if batch.len() < 2 || shared.backend.upstream.is_some() {
        return None;
    }
    let raw = |entry: &Result<BatchEntry<'_>, _>| {
        let Ok(BatchEntry::Call(request)) = entry else { return None };
        if request.method_name() != METHOD || shared.check(request).is_err() {
            return None;
        }
        let params = request.params.as_ref().map(|params| params.get());
        let raw = Args::parse(params, 1).ok()?.required::<BytesParam>(0).ok()?.0;
        is_plain(&shared.backend, &raw).then_some(raw)
    };
    batch.iter().map(raw).collect()
}
