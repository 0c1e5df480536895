//! `GET /v1/rows/…` and `GET /v1/headers/…`.

use alloy_primitives::B256;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use cairn_primitives::da::{Refusal, RefusalCode, RowIndex};

use super::Shared;
use super::refuse::{Refused, internal, malformed};
use crate::store::{Held, HeldHeader, Result as StoreResult};

pub(super) async fn row(
    State(shared): State<Shared>,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, Refused> {
    let (hash, row) = segments(path)?;
    let hash = parse_hash(&hash)?;
    let row = row.parse().map(RowIndex);
    let row = row.map_err(|error| malformed(format!("row number: {error}")))?;
    let store = shared.node.store().clone();
    let bytes = read(move || store.row(hash, row), || format!("row {row} of {hash}")).await?;
    metrics::counter!("da_rows_served_total").increment(1);
    Ok(binary(bytes))
}

pub(super) async fn header(
    State(shared): State<Shared>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Refused> {
    let hash = segments(path)?;
    let hash = parse_hash(&hash)?;
    let store = shared.node.store().clone();
    let held = read(move || store.header(hash), || format!("header {hash}")).await?;
    let HeldHeader { header, payer_signature, commitments } = held;
    Ok(binary([&header.encode()[..], &payer_signature.0, &commitments].concat()))
}

/// The parts of a path; what is percent-encoded in it need not be UTF-8.
fn segments<T>(path: Result<Path<T>, PathRejection>) -> Result<T, Refusal> {
    path.map(|Path(segments)| segments).map_err(|error| malformed(error.body_text()))
}

fn parse_hash(text: &str) -> Result<B256, Refusal> {
    text.parse().map_err(|error| malformed(format!("header hash: {error}")))
}

/// Reads on a thread that may block. Nothing that is gone comes back, and what is here does not
/// change.
async fn read<T: Send + 'static>(
    held: impl FnOnce() -> StoreResult<Held<T>> + Send + 'static,
    what: impl FnOnce() -> String,
) -> Result<T, Refusal> {
    let held = tokio::task::spawn_blocking(held).await;
    let held = held.map_err(|_| Refusal::new(RefusalCode::Internal, "the node is stopping"))?;
    match held.map_err(|error| internal(&error))? {
        Held::Here(value) => Ok(value),
        Held::Gone => Err(Refusal::new(RefusalCode::Gone, format!("{} has expired", what()))),
        Held::Unknown => {
            Err(Refusal::new(RefusalCode::NotFound, format!("{} is not here", what())))
        }
    }
}

fn binary(bytes: Vec<u8>) -> Response {
    let headers =
        [(CONTENT_TYPE, "application/octet-stream"), (CACHE_CONTROL, "public, immutable")];
    (headers, bytes).into_response()
}
