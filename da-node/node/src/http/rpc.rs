//! JSON-RPC `da_*` of a node, for status; rows go over REST.

use alloy_primitives::{Address, B256, Bytes};
use axum::body::Bytes as Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use cairn_primitives::da::RowIndex;
use jsonrpsee::RpcModule;
use jsonrpsee::types::ErrorObjectOwned;
use serde::Serialize;

use super::refuse::Refused;
use super::{Health, Shared};
use crate::Node;

/// Longest request; hashes and numbers are all that is ever in one.
const MAX_REQUEST_BYTES: usize = 64 << 10;
const INVALID_PARAMS: i32 = -32602;
const INTERNAL: i32 = -32603;

/// The methods. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Module(RpcModule<Node>);

type Answer<T> = Result<T, ErrorObjectOwned>;

/// Who a node is.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity {
    version: &'static str,
    chain_id: u64,
    registry: Address,
    operator: Address,
    public_key: Bytes,
}

impl Module {
    pub(super) fn new(node: Node) -> Self {
        let mut module = RpcModule::new(node);
        register(&mut module).expect("the names of the methods differ");
        Self(module)
    }
}

fn register(module: &mut RpcModule<Node>) -> Result<(), jsonrpsee::core::RegisterMethodError> {
    module.register_method("da_nodeIdentity", |_, node, _| {
        node.with_admission(|admission| {
            let operator = admission.operator();
            Answer::Ok(Identity {
                version: env!("CARGO_PKG_VERSION"),
                chain_id: operator.domain.chain_id,
                registry: operator.domain.registry,
                operator: operator.address,
                public_key: operator.key.to_bytes().into(),
            })
        })
    })?;
    module.register_method("da_nodeStatus", |_, node, _| Answer::Ok(Health::of(node)))?;
    module.register_blocking_method("da_nodeRows", |params, node, _| {
        let hash: B256 = params.one().map_err(|error: ErrorObjectOwned| {
            ErrorObjectOwned::owned(INVALID_PARAMS, error.message().to_string(), None::<()>)
        })?;
        let rows = node.store().rows_of(hash).map_err(|error| {
            let refusal = super::refuse::internal(&error);
            ErrorObjectOwned::owned(INTERNAL, refusal.message, None::<()>)
        })?;
        Answer::<Vec<RowIndex>>::Ok(rows)
    })?;
    Ok(())
}

pub(super) async fn call(
    State(shared): State<Shared>,
    request: axum::extract::Request,
) -> Result<Response, Refused> {
    let body = axum::body::to_bytes(request.into_body(), MAX_REQUEST_BYTES);
    let body = tokio::time::timeout(shared.limits.body_grace, body).await;
    let body: Body = body
        .map_err(|_| super::refuse::malformed("the request did not arrive in time"))?
        .map_err(|error| super::refuse::malformed(error.to_string()))?;
    let text =
        std::str::from_utf8(&body).map_err(|error| super::refuse::malformed(error.to_string()))?;
    let answer = match shared.rpc.0.raw_json_request(text, 1).await {
        Ok((answer, _)) => answer.get().to_string(),
        // Batches are not served: there is nothing here that anyone asks a hundred times.
        Err(error) => serde_json::json!({
            "jsonrpc": "2.0", "id": null,
            "error": {"code": -32600, "message": format!("invalid request: {error}")},
        })
        .to_string(),
    };
    Ok(([(CONTENT_TYPE, "application/json")], answer).into_response())
}
