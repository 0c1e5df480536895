//! `/health` and `/metrics`.

use std::net::SocketAddr;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use cairn_chain::{Chain, Sequencer, SequencerStatus};
use cairn_node_setup::{Server, ServerLimits, metrics_router};
use cairn_pool::SharedPool;
use eyre::WrapErr;
use metrics_exporter_prometheus::PrometheusHandle;
use serde::Serialize;

use crate::node::Node;

/// The server of `/health` and `/metrics`.
#[derive(Debug)]
pub(crate) struct Service {
    server: Server,
}

#[derive(Clone)]
struct Shared {
    chain: Chain,
    pool: SharedPool,
    sequencer: Option<Sequencer>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    status: &'static str,
    reason: Option<String>,
    unsafe_head: u64,
    safe_head: u64,
    finalized_head: u64,
    persisted: u64,
    pool_pending: usize,
    pool_queued: usize,
    disk_full: bool,
}

impl Service {
    pub(crate) async fn start(
        listen: SocketAddr,
        node: &Node,
        recorder: PrometheusHandle,
    ) -> eyre::Result<Self> {
        let shared = Shared {
            chain: node.chain.clone(),
            pool: node.pool.clone(),
            sequencer: node.sequencer.clone(),
        };
        let router = Router::new().route("/health", get(health)).with_state(shared);
        let router = router.merge(metrics_router(recorder));
        let server = Server::start(listen, router, ServerLimits::default())
            .await
            .wrap_err("metrics.addr, metrics.port")?;
        Ok(Self { server })
    }

    pub(crate) const fn local_addr(&self) -> SocketAddr {
        self.server.local_addr()
    }

    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }
}

/// 200 while the node does its work, 503 with a reason while it does not.
async fn health(State(shared): State<Shared>) -> (StatusCode, Json<Health>) {
    let heads = shared.chain.heads();
    let pool = shared.pool.status();
    let disk_full = shared.chain.is_disk_full();
    let (status, reason) = match shared.sequencer.map(|sequencer| sequencer.status()) {
        _ if disk_full => ("stalled", Some("disk full".to_string())),
        Some(SequencerStatus::Stalled(reason)) => ("stalled", Some(reason)),
        Some(SequencerStatus::Ended(reason)) => ("ended", Some(reason)),
        Some(SequencerStatus::Paused) => ("paused", None),
        Some(SequencerStatus::Active) | None => ("ok", None),
    };
    let code = if matches!(status, "ok" | "paused") {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    let health = Health {
        status,
        reason,
        unsafe_head: heads.unsafe_head.number,
        safe_head: heads.safe.number,
        finalized_head: heads.finalized.number,
        persisted: shared.chain.persisted_block(),
        pool_pending: pool.pending,
        pool_queued: pool.queued,
        disk_full,
    };
    (code, Json(health))
}
