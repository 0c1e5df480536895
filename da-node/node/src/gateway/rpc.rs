//! JSON-RPC `da_*` of the gateway.

use alloy_primitives::{Address, B256, Bytes};
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use cairn_primitives::da::OperatorIndex;
use jsonrpsee::RpcModule;
use jsonrpsee::types::ErrorObjectOwned;
use serde::Serialize;

use super::Gateway;
use super::rest::{Shared, read_body};

/// Two hexadecimal digits for each byte of the longest payload, and something around it.
const MAX_REQUEST_BYTES: usize = 63 << 20;
const INVALID_REQUEST: i32 = -32600;

type Answer<T> = Result<T, ErrorObjectOwned>;

/// The methods. Clones share them.
#[derive(Debug, Clone)]
pub(super) struct Module(RpcModule<Gateway>);

/// An operator of the current quorum.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct OperatorAnswer {
    address: Address,
    stake: String,
    public_key: Bytes,
    endpoint: String,
}

/// The quorum of the current epoch.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
struct QuorumAnswer {
    epoch: u64,
    seed: B256,
    certificates_end: u64,
    operators: Vec<OperatorAnswer>,
}

impl Module {
    pub(super) fn new(gateway: Gateway) -> Self {
        let mut module = RpcModule::new(gateway);
        register(&mut module).expect("the names of the methods differ");
        Self(module)
    }
}

fn register(module: &mut RpcModule<Gateway>) -> Result<(), jsonrpsee::core::RegisterMethodError> {
    module.register_method("da_submit", |params, gateway, _| {
        let payload: Bytes = params.one()?;
        Answer::Ok(gateway.submit(payload)?)
    })?;
    module.register_method("da_status", |params, gateway, _| {
        let submission: B256 = params.one()?;
        Answer::Ok(gateway.status(submission))
    })?;
    module.register_method("da_certificate", |params, gateway, _| {
        let hash: B256 = params.one()?;
        Answer::Ok(gateway.certificate(hash))
    })?;
    module.register_async_method("da_read", |params, gateway, _| async move {
        let (blob, offset, length): (Bytes, u32, u32) = params.parse()?;
        let bytes = gateway.read(&blob, offset, length).await?;
        Answer::Ok(Bytes::from(bytes))
    })?;
    module.register_async_method("da_proof", |params, gateway, _| async move {
        let (blob, element): (Bytes, u32) = params.parse()?;
        Answer::Ok(gateway.prove(&blob, element).await?)
    })?;
    module.register_async_method("da_quorum", |_, gateway, _| async move {
        let quorum = gateway.current_quorum().await?;
        let snapshot = &quorum.snapshot;
        let operators = snapshot.operators().iter().enumerate().map(|(at, operator)| {
            let index = OperatorIndex(at as u16);
            OperatorAnswer {
                address: operator.address,
                stake: operator.stake.to_string(),
                public_key: operator.key.to_bytes().into(),
                endpoint: quorum.endpoints.get(index.as_usize()).cloned().unwrap_or_default(),
            }
        });
        Answer::Ok(QuorumAnswer {
            epoch: snapshot.epoch().0,
            seed: snapshot.seed(),
            certificates_end: snapshot.certificates_end().0,
            operators: operators.collect(),
        })
    })?;
    Ok(())
}

pub(super) async fn call(State(shared): State<Shared>, request: Request) -> Response {
    let body = match read_body(&shared, request, MAX_REQUEST_BYTES).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    // What is not UTF-8 is not JSON either, and is refused as such.
    let text = String::from_utf8_lossy(&body.bytes);
    let answer = match shared.module.0.raw_json_request(&text, 1).await {
        Ok((answer, _)) => answer.get().to_string(),
        Err(error) => serde_json::json!({
            "jsonrpc": "2.0", "id": null,
            "error": {"code": INVALID_REQUEST, "message": format!("invalid request: {error}")},
        })
        .to_string(),
    };
    ([(CONTENT_TYPE, "application/json")], answer).into_response()
}
