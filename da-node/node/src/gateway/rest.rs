//! The alt-DA interface.

use std::time::Duration;

use alloy_primitives::{Bytes, hex};
use axum::Json;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use cairn_da_client::ClientError;
use cairn_primitives::da::{CertificateStatus, MAX_PAYLOAD_BYTES};

use super::rpc::Module;
use super::{Gateway, GatewayError};

/// Type byte of a generic commitment in the OP stack.
const GENERIC: u8 = 1;
/// Time for a body of 31 MiB at 1 MiB/s.
const BODY_TIME: Duration = Duration::from_secs(40);

/// What the handlers share.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    pub(super) gateway: Gateway,
    pub(super) module: Module,
}

impl GatewayError {
    /// 503 tells a batcher to fail over; 404 and 410 a deriver that there is nothing to be had.
    const fn http_status(&self) -> StatusCode {
        match self {
            Self::PayloadLength(0)
            | Self::Range { .. }
            | Self::Client(ClientError::NoElement { .. }) => StatusCode::BAD_REQUEST,
            Self::PayloadLength(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnknownBlob(_) => StatusCode::NOT_FOUND,
            Self::Client(ClientError::Certificate(CertificateStatus::Expired)) => StatusCode::GONE,
            Self::Client(
                ClientError::Certificate(_)
                | ClientError::UnknownEpoch(_)
                | ClientError::NotAPayload(_),
            ) => StatusCode::NOT_FOUND,
            Self::Busy | Self::NoQuorum | Self::Client(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for GatewayError {
    fn into_response(self) -> Response {
        let body = serde_json::json!({"message": self.to_string()});
        (self.http_status(), Json(body)).into_response()
    }
}

fn binary(bytes: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, "application/octet-stream")], bytes).into_response()
}

pub(super) async fn read_body(request: Request, limit: usize) -> Result<Bytes, Response> {
    let body = axum::body::to_bytes(request.into_body(), limit);
    match tokio::time::timeout(BODY_TIME, body).await {
        Ok(Ok(bytes)) => Ok(bytes.into()),
        Ok(Err(error)) => Err((StatusCode::PAYLOAD_TOO_LARGE, error.to_string()).into_response()),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT.into_response()),
    }
}

pub(super) async fn put(State(shared): State<Shared>, request: Request) -> Response {
    let payload = match read_body(request, MAX_PAYLOAD_BYTES as usize).await {
        Ok(payload) => payload,
        Err(response) => return response,
    };
    match shared.gateway.put(payload).await {
        Ok(certificate) => binary([&[GENERIC][..], &certificate.encode()].concat()),
        Err(error) => error.into_response(),
    }
}

pub(super) async fn get(
    State(shared): State<Shared>,
    Path(commitment): Path<String>,
) -> Result<Response, GatewayError> {
    let unknown = |_| GatewayError::UnknownBlob(Bytes::from(commitment.clone().into_bytes()));
    let bytes = hex::decode(&commitment).map_err(unknown)?;
    match bytes.split_first() {
        Some((&GENERIC, certificate)) => {
            Ok(binary(shared.gateway.get(&certificate.to_vec().into()).await?))
        }
        _ => Err(GatewayError::UnknownBlob(bytes.into())),
    }
}

/// Whether the current epoch has a quorum.
pub(super) async fn health(State(shared): State<Shared>) -> Response {
    match shared.gateway.current_quorum().await {
        Ok(quorum) => {
            let operators = quorum.snapshot.operators().len();
            let epoch = quorum.snapshot.epoch();
            Json(serde_json::json!({"status": "ok", "epoch": epoch, "operators": operators}))
                .into_response()
        }
        Err(error) => error.into_response(),
    }
}
