//! The node's HTTP interface.
//!
//! | request | answer |
//! |---|---|
//! | `POST /v1/rows` | a [`Submission`](cairn_primitives::da::Submission); 96 bytes of signature |
//! | `GET /v1/rows/{header hash}/{row}` | the row as it was sent, `W × 31` or `W × 32` bytes |
//! | `GET /v1/headers/{header hash}` | header, payer signature, commitments |
//! | `POST /` | JSON-RPC `da_*` |
//! | `GET /health` | 200 while the node signs, 503 with the reason while it does not |
//! | `GET /metrics` | Prometheus, on the port of metrics |
//!
//! Whatever is not granted is answered with a [`Refusal`](cairn_primitives::da::Refusal) as JSON, under
//! the status of its code. Connections, headers, bodies and their time are bounded; see
//! [`ServerLimits`].

mod body;
mod health;
mod inject;
mod read;
mod refuse;
mod rpc;
mod submit;

use axum::Router;
use axum::routing::{get, post};
pub(crate) use body::{BodyReader, FIRST_ROOM, drain};
pub use health::Health;
pub use inject::{Injection, inject};

use cairn_node_setup::ServerLimits;

use crate::Node;

/// What the handlers share.
#[derive(Debug, Clone)]
struct Shared {
    node: Node,
    limits: ServerLimits,
    rpc: rpc::Module,
}

/// The public interface of a node.
pub fn router(node: Node, limits: ServerLimits) -> Router {
    let shared = Shared { rpc: rpc::Module::new(node.clone()), node, limits };
    Router::new()
        .route("/v1/rows", post(submit::submit))
        .route("/v1/rows/{hash}/{row}", get(read::row))
        .route("/v1/headers/{hash}", get(read::header))
        .route("/", post(rpc::call))
        .route("/health", get(health::health))
        .fallback(refuse::no_such_path)
        .with_state(shared)
}
