//! `eth_subscribe`.
//!
//! A client that reads slowly is waited for as long as any write may take: meanwhile the buffer of
//! its connection fills, then that of the chain or pool, and then its subscription ends.

use std::sync::Arc;

use cairn_chain::{ChainEvent, ExecutedBlock};
use cairn_pool::{PoolEvent, PoolTransaction};
use jsonrpsee::types::ErrorObjectOwned;
use jsonrpsee::{Extensions, PendingSubscriptionSink};
use serde::Serialize;
use serde_json::value::to_raw_value;
use tokio::sync::broadcast::error::RecvError;

use super::criteria::{Criteria, CriteriaParam};
use super::filters::pooled_json;
use super::query;
use crate::server::{Ended, Origin, Subscriber};
use crate::view::HeaderView;
use crate::{Args, Backend, Methods, RpcError};

/// What a client subscribes to.
enum Kind {
    NewHeads,
    Logs(Criteria),
    PendingTransactions { full: bool },
    Syncing,
}

/// The way to a subscriber.
struct Out(Subscriber);

pub(super) fn register(methods: &mut Methods) {
    if !methods.serves("eth_subscribe") {
        return;
    }
    let registered = methods.module_mut().register_subscription_raw(
        "eth_subscribe",
        "eth_subscription",
        "eth_unsubscribe",
        |params, pending, backend: Arc<Backend>, extensions: &Extensions| {
            let kind = Args::parse(params.as_str(), 2).and_then(|args| kind(&backend, &args));
            tokio::spawn(serve(kind, pending, backend, Origin::of(extensions)));
        },
    );
    registered.expect("each method is registered once");
}

fn kind(backend: &Backend, args: &Args) -> Result<Kind, RpcError> {
    let name: String = args.required(0)?;
    match name.as_str() {
        "newHeads" => Ok(Kind::NewHeads),
        "logs" => {
            let param = args.optional::<CriteriaParam>(1)?;
            let param = match param {
                Some(param) => param,
                None => serde_json::from_str("{}").map_err(RpcError::internal)?,
            };
            let criteria = param.check(backend.config.methods.log_alternatives)?;
            criteria.check_live()?;
            Ok(Kind::Logs(criteria))
        }
        "newPendingTransactions" => Ok(Kind::PendingTransactions { full: args.or_default(1)? }),
        "syncing" => Ok(Kind::Syncing),
        other => {
            let text = format!("no \"{other}\" subscription in eth namespace");
            Err(RpcError::coded(crate::error::METHOD_NOT_FOUND, text))
        }
    }
}

async fn serve(
    kind: Result<Kind, RpcError>,
    pending: PendingSubscriptionSink,
    backend: Arc<Backend>,
    origin: Origin,
) {
    let kind = match kind {
        Ok(kind) => kind,
        Err(error) => return pending.reject(ErrorObjectOwned::from(error)).await,
    };
    // Listening starts before the client is told, so that it misses nothing after the answer.
    let chain = backend.chain.subscribe();
    let pool = match kind {
        Kind::PendingTransactions { .. } => Some(backend.pool.subscribe()),
        _ => None,
    };
    // An error means that the client has gone.
    let Ok(sink) = pending.accept().await else { return };
    let out = Out(Subscriber::new(sink, origin, backend.config.limits.write_timeout));
    let open = metrics::gauge!("sequencer_rpc_subscriptions");
    open.increment(1.0);
    match (kind, pool) {
        (Kind::PendingTransactions { full }, Some(pool)) => transactions(out, pool, full).await,
        (kind, _) => blocks(out, chain, &kind).await,
    }
    open.decrement(1.0);
}

async fn blocks(out: Out, mut chain: tokio::sync::broadcast::Receiver<ChainEvent>, kind: &Kind) {
    loop {
        let event = tokio::select! {
            () = out.0.closed() => return,
            event = chain.recv() => event,
        };
        // Whoever lags has lost blocks; an end is honest, a gap is not.
        let Ok(event) = event else { return };
        let (removed, added) = match &event {
            ChainEvent::Extended(added) => (&[][..], &added[..]),
            ChainEvent::Reorged { removed, added } => (&removed[..], &added[..]),
        };
        let gone = removed.iter().map(|block| (block, true));
        for (block, removed) in gone.chain(added.iter().map(|block| (block, false))) {
            if block_event(&out, kind, block, removed).await.is_err() {
                return;
            }
        }
    }
}

async fn block_event(
    out: &Out,
    kind: &Kind,
    block: &ExecutedBlock,
    removed: bool,
) -> Result<(), Ended> {
    match kind {
        Kind::NewHeads if !removed => {
            out.send(&HeaderView::sealed(block.block.header(), block.block.hash())).await
        }
        Kind::Logs(criteria) => {
            for log in query::live(criteria, block, removed) {
                out.send(&log).await?;
            }
            Ok(())
        }
        // A sequencer is in sync by definition: nothing is ever told.
        Kind::NewHeads | Kind::PendingTransactions { .. } | Kind::Syncing => Ok(()),
    }
}

/// The next transactions of the pool, `None` when it is closed. Who lags misses some and goes on:
/// unlike blocks they do not follow from each other.
async fn next_pooled(
    pool: &mut tokio::sync::broadcast::Receiver<PoolEvent>,
) -> Option<Arc<[Arc<PoolTransaction>]>> {
    loop {
        match pool.recv().await {
            Ok(PoolEvent::Pending(txs)) => return Some(txs),
            Ok(PoolEvent::Dropped(_)) => {}
            Err(RecvError::Lagged(lost)) => {
                tracing::debug!(target: "sequencer::rpc", lost, "a subscriber fell behind the pool");
            }
            Err(RecvError::Closed) => return None,
        }
    }
}

async fn transactions(out: Out, mut pool: tokio::sync::broadcast::Receiver<PoolEvent>, full: bool) {
    loop {
        let txs = tokio::select! {
            () = out.0.closed() => return,
            txs = next_pooled(&mut pool) => txs,
        };
        let Some(txs) = txs else { return };
        for tx in txs.iter() {
            let sent = match full.then(|| pooled_json(tx)) {
                Some(Ok(json)) => out.send(&json).await,
                Some(Err(_)) => Err(Ended),
                None => out.send(&tx.hash()).await,
            };
            if sent.is_err() {
                return;
            }
        }
    }
}

impl Out {
    async fn send<T: Serialize>(&self, value: &T) -> Result<(), Ended> {
        let json = to_raw_value(value).map_err(|_| Ended)?;
        self.0.send(json).await.inspect_err(|Ended| {
            metrics::counter!("sequencer_rpc_subscriptions_ended_total").increment(1);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_lags_behind_the_pool_goes_on_with_what_is_left() {
        let (events, mut pool) = tokio::sync::broadcast::channel(1);
        for _ in 0..3 {
            events.send(PoolEvent::Pending(Vec::new().into())).expect("somebody listens");
        }
        assert!(next_pooled(&mut pool).await.is_some());
        drop(events);
        assert!(next_pooled(&mut pool).await.is_none());
    }
}
