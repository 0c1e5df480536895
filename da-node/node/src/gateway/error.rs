//! Why the gateway did not do what it was asked.

use alloy_primitives::Bytes;
use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cairn_da_client::ClientError;
use cairn_primitives::da::{CertificateStatus, MAX_PAYLOAD_BYTES};
use jsonrpsee::types::ErrorObjectOwned;

/// Of JSON-RPC, for the gateway itself; the text says what.
const FAILED: i32 = -32000;

/// Why the gateway did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// Empty, or above 31 MiB.
    #[error("a payload of {0} bytes; 1 to {MAX_PAYLOAD_BYTES} are taken")]
    PayloadLength(usize),
    /// Too much is waiting.
    #[error("the gateway is busy")]
    Busy,
    /// The current epoch has no quorum with a seed.
    #[error("the current epoch has no quorum with a seed")]
    NoQuorum,
    /// No certificate of that header, or a certificate that is none.
    #[error("no certificate {0}")]
    UnknownBlob(Bytes),
    /// A payload could not be certified lately.
    #[error("lately {0}")]
    Trouble(String),
    /// The client failed.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl GatewayError {
    /// 503 tells a batcher to fail over; 404 and 410 a deriver that there is nothing to be had.
    const fn http_status(&self) -> StatusCode {
        match self {
            Self::PayloadLength(0)
            | Self::Client(ClientError::NoElement { .. } | ClientError::Range { .. }) => {
                StatusCode::BAD_REQUEST
            }
            Self::PayloadLength(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnknownBlob(_) => StatusCode::NOT_FOUND,
            Self::Client(ClientError::Certificate(CertificateStatus::Expired)) => StatusCode::GONE,
            Self::Client(
                ClientError::Certificate(_)
                | ClientError::UnknownEpoch(_)
                | ClientError::NotAPayload(_),
            ) => StatusCode::NOT_FOUND,
            Self::Busy | Self::NoQuorum | Self::Trouble(_) | Self::Client(_) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }
}

impl IntoResponse for GatewayError {
    fn into_response(self) -> Response {
        let body = serde_json::json!({"message": self.to_string()});
        (self.http_status(), Json(body)).into_response()
    }
}

impl From<GatewayError> for ErrorObjectOwned {
    fn from(error: GatewayError) -> Self {
        Self::owned(FAILED, error.to_string(), None::<()>)
    }
}
