//! `/health`.

use alloy_primitives::Address;
use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::Shared;
use crate::Node;
use crate::admission::Disk;

/// The state of a node, for people and load balancers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// `ok` or `refusing`.
    pub status: String,
    /// Why it signs nothing.
    pub reason: Option<String>,
    /// Address of the operator.
    pub operator: Address,
    /// Whether the operator is in the current epoch.
    pub active: bool,
    /// Current epoch.
    pub epoch: Option<u64>,
    /// Epochs whose headers are signed.
    pub epochs: Vec<u64>,
    /// L1 block that this is as of.
    pub l1_block: Option<u64>,
    /// Seconds that the node's clock is ahead of that block's timestamp.
    pub ahead_of_l1_seconds: Option<i64>,
    /// Submissions being worked on.
    pub in_flight: usize,
}

impl Health {
    /// The state of a node as of now.
    pub fn of(node: &Node) -> Self {
        let time = node.clock().now();
        let now = time.as_secs();
        node.with_admission(|admission| {
            let operator = admission.operator();
            let quorums = admission.quorums();
            let reason = match (admission.disk(), admission.fresh_quorums(time)) {
                (Disk::Low { free, wanted }, _) => {
                    Some(format!("disk: {free} bytes free, {wanted} are kept free"))
                }
                (Disk::Full(text), _) => Some(format!("disk full: {text}")),
                (_, Err(refusal)) => Some(refusal.message),
                (_, Ok(quorums)) if quorums.snapshots.is_empty() => {
                    Some(format!("no quorum with a seed near epoch {}", quorums.current))
                }
                _ => None,
            };
            let current = quorums.and_then(|it| it.snapshots.get(&it.current));
            let index = current.and_then(|snapshot| snapshot.index_of(operator.address));
            Self {
                status: if reason.is_none() { "ok" } else { "refusing" }.to_string(),
                reason,
                operator: operator.address,
                active: index.is_some(),
                epoch: quorums.map(|quorums| quorums.current.0),
                epochs: quorums
                    .map(|quorums| quorums.snapshots.keys().map(|epoch| epoch.0).collect())
                    .unwrap_or_default(),
                l1_block: quorums.map(|quorums| quorums.head.number),
                ahead_of_l1_seconds: quorums
                    .and_then(|quorums| now.checked_signed_diff(quorums.head.time.0)),
                in_flight: admission.in_flight().0,
            }
        })
    }
}

pub(super) async fn health(State(shared): State<Shared>) -> (StatusCode, Json<Health>) {
    let health = Health::of(&shared.node);
    let code =
        if health.reason.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (code, Json(health))
}
