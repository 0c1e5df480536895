//! The alt-DA interface.

use alloy_primitives::{Bytes, hex};
use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use cairn_node_setup::ServerLimits;
use cairn_primitives::da::{MAX_PAYLOAD_BYTES, RefusalCode};

use super::bodies::{Room, sender};
use super::rpc::Module;
use super::{Gateway, GatewayError};
use crate::http::{BodyReader, drain};

/// Type byte of a generic commitment in the OP stack.
const GENERIC: u8 = 1;
/// What the handlers share.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    gateway: Gateway,
    pub(super) module: Module,
    limits: ServerLimits,
}

impl Shared {
    pub(super) fn new(gateway: Gateway, limits: ServerLimits) -> Self {
        let module = Module::new(gateway.clone());
        Self { gateway, module, limits }
    }
}

/// A body with the room that it takes, given back when it is dropped.
pub(super) struct Body {
    pub(super) bytes: Bytes,
    _room: Room,
}

fn binary(bytes: Vec<u8>) -> Response {
    ([(CONTENT_TYPE, "application/octet-stream")], bytes).into_response()
}

/// Reads a body, for which room is taken as it arrives.
pub(super) async fn read_body(
    shared: &Shared,
    request: Request,
    limit: usize,
) -> Result<Body, Response> {
    let announced = request.headers().get(CONTENT_LENGTH);
    let announced = announced.and_then(|text| text.to_str().ok()?.parse::<usize>().ok());
    let mut room = shared.gateway.0.bodies.room(sender(&request));
    if let Some(length) = announced.filter(|length| *length > limit) {
        drain(request.into_body().into_data_stream()).await;
        return Err(GatewayError::PayloadLength(length).into_response());
    }
    let mut body = BodyReader::new(request.into_body(), shared.limits);
    let refusal = match body.read_all(announced.unwrap_or(limit), |bytes| room.grow(bytes)).await {
        Ok(bytes) => return Ok(Body { bytes: bytes.into(), _room: room }),
        Err(refusal) => refusal,
    };
    // Others need not wait until the sender has understood.
    drop(room);
    body.drain().await;
    let status = match refusal.code {
        RefusalCode::Busy => return Err(GatewayError::Busy.into_response()),
        RefusalCode::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RefusalCode::Timeout => StatusCode::REQUEST_TIMEOUT,
        _ => StatusCode::BAD_REQUEST,
    };
    Err((status, refusal.message).into_response())
}

pub(super) async fn put(State(shared): State<Shared>, request: Request) -> Response {
    let body = match read_body(&shared, request, MAX_PAYLOAD_BYTES as usize).await {
        Ok(body) => body,
        Err(response) => return response,
    };
    match shared.gateway.put(body.bytes.clone()).await {
        Ok(certificate) => binary([&[GENERIC][..], &certificate.encode()].concat()),
        Err(error) => error.into_response(),
    }
}

pub(super) async fn get(
    State(shared): State<Shared>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, GatewayError> {
    // What is not UTF-8 is not hexadecimal either.
    let commitment = path.map(|Path(commitment)| commitment).unwrap_or_default();
    let unknown = |_| GatewayError::UnknownBlob(Bytes::from(commitment.clone().into_bytes()));
    let bytes = hex::decode(&commitment).map_err(unknown)?;
    match bytes.split_first() {
        Some((&GENERIC, certificate)) => {
            Ok(binary(shared.gateway.get(&certificate.to_vec().into()).await?))
        }
        _ => Err(GatewayError::UnknownBlob(bytes.into())),
    }
}

/// Whether payloads can be certified, as far as is known.
pub(super) async fn health(State(shared): State<Shared>) -> Response {
    match shared.gateway.health().await {
        Ok(quorum) => {
            let operators = quorum.snapshot.operators().len();
            let epoch = quorum.snapshot.epoch();
            Json(serde_json::json!({"status": "ok", "epoch": epoch, "operators": operators}))
                .into_response()
        }
        Err(error) => error.into_response(),
    }
}
