//! The endpoints as a transport of `alloy`, for questions about contracts.
//!
//! What a provider asks cannot be checked as blocks can; it has the same order of endpoints, the same
//! pauses and the same bounds. A call that reverts has its answer. Any other refusal sends the call to
//! the next endpoint, and does not pause the one that refused: a node that gives no logs of long
//! ranges has blocks all the same.

use std::sync::Arc;
use std::task::{Context, Poll};

use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::rpc::client::RpcClient;
use alloy::rpc::json_rpc::{
    ErrorPayload, RequestPacket, Response, ResponsePacket, ResponsePayload, SerializedRequest,
};
use alloy::transports::{TransportError, TransportErrorKind, TransportFut};
use alloy_primitives::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tower::Service;

use super::{Attempt, CallError, Endpoint, Endpoints};

/// Calls of one provider, each to one endpoint after the other until one answers.
#[derive(Debug, Clone)]
pub struct EndpointsTransport(Arc<Endpoints>);

impl EndpointsTransport {
    /// A transport over endpoints, which others may use as well.
    pub const fn new(endpoints: Arc<Endpoints>) -> Self {
        Self(endpoints)
    }

    /// A provider over it.
    pub fn provider(self) -> DynProvider {
        ProviderBuilder::new().connect_client(RpcClient::new(self, false)).erased()
    }
}

impl Service<RequestPacket> for EndpointsTransport {
    type Response = ResponsePacket;
    type Error = TransportError;
    type Future = TransportFut<'static>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), TransportError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, packet: RequestPacket) -> Self::Future {
        let endpoints = self.0.clone();
        Box::pin(async move {
            let answers = packet.requests().iter().map(|request| answer(&endpoints, request));
            let mut answers = futures::future::try_join_all(answers).await?;
            Ok(match (&packet, answers.len()) {
                (RequestPacket::Single(_), 1) => ResponsePacket::Single(answers.remove(0)),
                _ => ResponsePacket::Batch(answers),
            })
        })
    }
}

async fn answer(
    endpoints: &Endpoints,
    request: &SerializedRequest,
) -> Result<Response, TransportError> {
    #[derive(Deserialize)]
    struct Params {
        params: Option<Value>,
    }
    let text = request.serialized().get();
    let Params { params } = serde_json::from_str(text).map_err(TransportError::ser_err)?;
    let params = &params.unwrap_or_else(|| json!([]));
    let ask = move |endpoint| ask(endpoint, request.method(), params);
    let payload = endpoints.attempt(request.method(), ask).await;
    let payload = payload.map_err(TransportErrorKind::custom)?;
    Ok(Response { id: request.id().clone(), payload })
}

async fn ask(
    endpoint: &Endpoint,
    method: &str,
    params: &Value,
) -> Result<ResponsePayload, Attempt> {
    match endpoint.call(method, params).await {
        Ok(result) => Ok(ResponsePayload::Success(result)),
        Err(CallError::Refused { code, message, data }) if is_revert(code, &message) => {
            let data = data.as_ref().map(quoted).transpose()?;
            Ok(ResponsePayload::Failure(ErrorPayload { code, message: message.into(), data }))
        }
        Err(error @ CallError::Refused { .. }) => Err(Attempt::Refused(error)),
        Err(error) => Err(error.into()),
    }
}

/// Whether a refusal is that the call reverts: geth's code, or what all nodes say.
fn is_revert(code: i64, message: &str) -> bool {
    const REVERTED: i64 = 3;
    code == REVERTED || message.to_lowercase().contains("revert")
}

/// Revert data as it stands in JSON.
fn quoted(data: &Bytes) -> Result<Box<RawValue>, CallError> {
    let text = serde_json::value::to_raw_value(data);
    text.map_err(|error| CallError::Malformed(error.to_string()))
}
