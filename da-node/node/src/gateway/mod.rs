//! The gateway: payloads for users who speak HTTP and not to sixteen nodes.
//!
//! | request | answer |
//! |---|---|
//! | `POST /put`, a payload | alt-DA commitment `0x01 ‖ certificate`; 503 means fail over |
//! | `GET /get/0x…`, such a commitment | the payload |
//! | `GET /health` | 200 while payloads can be certified, 503 while not |
//! | `POST /` | JSON-RPC `da_submit`, `da_status`, `da_certificate`, `da_read`, `da_proof`, `da_quorum` |
//!
//! `/put` is the generic alt-DA interface of the OP stack: the batcher posts what it answers, and a
//! certificate begins with its version byte. Every payload of `/put` has a matrix of its own.
//! Payloads of `da_submit` that come within a second share one; each is a range of it.
//!
//! Who submitted what, and the certificates, are kept in memory, and with a data directory on disk too
//! (`records`), so that `da_status` and `da_certificate` answer after a restart. A certificate is all that a reader
//! needs: without a data directory nothing else is lost with the gateway.

mod assembler;
mod bodies;
mod collector;
mod error;
mod quorums;
mod reads;
mod records;
mod rest;
mod rpc;
mod service;
mod submissions;
mod verified;

pub use assembler::{Assembler, AssemblerLimits, Assembly, Part};
pub use error::GatewayError;
pub use service::{Gateway, GatewayConfig};
pub use submissions::{BlobRef, SubmissionState};

use axum::Router;
use axum::routing::{get, post};

use cairn_node_setup::ServerLimits;

/// The interface of a gateway. Bodies must arrive at the rate of the limits.
pub fn router(gateway: Gateway, limits: ServerLimits) -> Router {
    Router::new()
        .route("/put", post(rest::put))
        .route("/put/", post(rest::put))
        .route("/get/{commitment}", get(rest::get))
        .route("/health", get(rest::health))
        .route("/", post(rpc::call))
        .with_state(rest::Shared::new(gateway, limits))
}
