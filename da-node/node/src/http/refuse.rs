//! Refusals as responses.

use axum::Json;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use cairn_primitives::da::{Refusal, RefusalCode};

use crate::store::StoreError;

/// A refusal on its way out.
#[derive(Debug)]
pub(super) struct Refused(pub(super) Refusal);

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self(refusal)
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(refusal) = self;
        let status = StatusCode::from_u16(refusal.code.http_status());
        let retry_after = refusal.retry_after_seconds;
        let mut response =
            (status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), Json(refusal)).into_response();
        if let Some(seconds) = retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

pub(super) async fn no_such_path() -> Refused {
    Refused(Refusal::new(RefusalCode::NotFound, "there is no such path here"))
}

pub(super) fn malformed(what: impl Into<String>) -> Refusal {
    Refusal::new(RefusalCode::Malformed, what)
}

/// A read that the store could not answer. The text goes to the log, not to the caller.
pub(super) fn internal(error: &StoreError) -> Refusal {
    tracing::error!(target: "da::store", %error, "read failed");
    Refusal::new(RefusalCode::Internal, "the store failed")
}
