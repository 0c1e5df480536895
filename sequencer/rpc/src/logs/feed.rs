//! Tasks that bring changes of chain and pool to the installed filters.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cairn_chain::{Chain, ChainEvent};
use cairn_pool::PoolEvent;
use tokio::sync::broadcast::error::RecvError;
use tokio::task::JoinHandle;

use super::Filters;
use crate::Backend;

/// How often expired filters are looked for.
const SWEEP: Duration = Duration::from_secs(10);

/// Brings new blocks to the filters, and removes expired ones, for ever.
pub(crate) async fn feed_filters(chain: Chain, filters: Arc<Filters>) {
    let mut events = chain.subscribe();
    let mut sweep = tokio::time::interval(SWEEP);
    loop {
        tokio::select! {
            event = events.recv() => match event {
                Ok(event) => {
                    if !filters.is_empty() {
                        add(filters.clone(), event).await;
                    }
                }
                Err(RecvError::Lagged(lost)) => {
                    tracing::warn!(target: "sequencer::rpc", lost, "filters fell behind the chain");
                    filters.lose_chain();
                }
                Err(RecvError::Closed) => return,
            },
            _ = sweep.tick() => filters.expire(Instant::now()),
        }
    }
}

/// Many filters and a full block make work that the reactor has no time for.
async fn add(filters: Arc<Filters>, event: ChainEvent) {
    fed(tokio::task::spawn_blocking(move || filters.add_chain_event(&event))).await;
}

async fn fed(work: JoinHandle<()>) {
    if let Err(error) = work.await {
        tracing::error!(target: "sequencer::rpc", %error, "filters could not be fed");
    }
}

/// Brings pooled transactions to the filters for as long as one of them wants them. The pool makes
/// events only while somebody listens, so nobody should without need.
pub(super) fn feed_pool(backend: &Backend) {
    let mut events = backend.pool.subscribe();
    let filters = backend.filters.clone();
    tokio::spawn(async move {
        let mut sweep = tokio::time::interval(SWEEP);
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Ok(PoolEvent::Pending(txs)) => {
                        let filters = filters.clone();
                        fed(tokio::task::spawn_blocking(move || filters.add_pooled(&txs))).await;
                    }
                    // Transaction feeds have always been best effort.
                    Ok(PoolEvent::Dropped(_)) | Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                },
                _ = sweep.tick() => {
                    if !filters.wants_pool() {
                        return;
                    }
                }
            }
        }
    });
}
