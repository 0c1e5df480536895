//! The requests.

use std::time::Duration;

use cairn_primitives::da::bls::Signature;
use cairn_primitives::da::{HEADER_BYTES, Header, PayerSignature, Refusal, RefusalCode, RowIndex};
use reqwest::{Response, StatusCode};

use super::RowsBody;
use crate::collect::Answer;
use crate::error::ClientError;
use crate::retrieval::RowAnswer;

/// Longest refusal that is read.
const REFUSAL_BYTES: usize = 16 << 10;
const CONNECT_TIME: Duration = Duration::from_secs(5);
/// Idle connections kept for each node.
const IDLE_CONNECTIONS: usize = 8;

/// Talks to nodes. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Nodes(reqwest::Client);

/// A header with what belongs to it, as a node sent it: not checked, except that it is the header
/// of that hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderAnswer {
    /// The header.
    pub header: Header,
    /// The payer's signature.
    pub payer_signature: PayerSignature,
    /// The commitments.
    pub commitments: Vec<u8>,
}

impl Nodes {
    /// A client without proxies and redirects: a node answers itself, or not at all.
    ///
    /// # Errors
    /// [`ClientError::Http`] if TLS cannot be set up.
    pub fn new() -> Result<Self, ClientError> {
        // A provider that is installed already is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIME)
            .pool_max_idle_per_host(IDLE_CONNECTIONS)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .tcp_nodelay(true)
            .build();
        client.map(Self).map_err(|error| ClientError::Http(error.to_string()))
    }

    /// Hands a node its rows.
    pub(crate) async fn submit(&self, endpoint: &str, body: RowsBody, time: Duration) -> Answer {
        let request = self.0.post(url(endpoint, "v1/rows")).timeout(time);
        let response = match request.body(reqwest::Body::wrap(body)).send().await {
            Ok(response) => response,
            Err(error) => return Answer::Failed(text_of(&error)),
        };
        match answer_of(response, Signature::BYTES).await {
            Ok(Ok(bytes)) => Answer::Signature(bytes),
            Ok(Err(refusal)) => Answer::Refused(refusal),
            Err(text) => Answer::Failed(text),
        }
    }

    /// Asks a node for a row of a header. The answer has its `W × 32` bytes.
    pub(crate) async fn row(
        &self,
        endpoint: &str,
        header: &Header,
        row: RowIndex,
        time: Duration,
    ) -> RowAnswer {
        let (hash, shape) = (header.hash(), header.shape);
        let request = self.0.get(url(endpoint, &format!("v1/rows/{hash}/{row}"))).timeout(time);
        let Ok(response) = request.send().await else { return RowAnswer::Failed };
        match answer_of(response, shape.sent_row_bytes(row)).await {
            Ok(Ok(bytes)) => match shape.unpack_row(row, &bytes) {
                Some(row) => RowAnswer::Row(row.into_owned()),
                None => RowAnswer::Failed,
            },
            Ok(Err(refusal)) if is_missing(refusal.code) => RowAnswer::Missing,
            Ok(Err(_)) | Err(_) => RowAnswer::Failed,
        }
    }

    /// Asks a node for a header and its commitments. `None` if there is no answer, or one that is
    /// not of this header.
    pub(crate) async fn header(
        &self,
        endpoint: &str,
        header: &Header,
        time: Duration,
    ) -> Option<HeaderAnswer> {
        let length = HEADER_BYTES + PayerSignature::BYTES + header.shape.commitment_bytes();
        let hash = header.hash();
        let request = self.0.get(url(endpoint, &format!("v1/headers/{hash}"))).timeout(time);
        let bytes = answer_of(request.send().await.ok()?, length).await.ok()?.ok()?;
        let (found, rest) = bytes.split_at_checked(HEADER_BYTES)?;
        let (signature, commitments) = rest.split_first_chunk()?;
        let complete = found == header.encode() && bytes.len() == length;
        complete.then(|| HeaderAnswer {
            header: *header,
            payer_signature: PayerSignature(*signature),
            commitments: commitments.to_vec(),
        })
    }
}

const fn is_missing(code: RefusalCode) -> bool {
    matches!(code, RefusalCode::NotFound | RefusalCode::Gone)
}

fn url(endpoint: &str, path: &str) -> String {
    format!("{}/{path}", endpoint.trim_end_matches('/'))
}

/// An error with what caused it; reqwest's own text stops at the URL.
fn text_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// The body of a response of at most so many bytes, or the refusal that it is.
async fn answer_of(response: Response, limit: usize) -> Result<Result<Vec<u8>, Refusal>, String> {
    let status = response.status();
    if status == StatusCode::OK {
        return read_at_most(response, limit).await.map(Ok);
    }
    let body = read_at_most(response, REFUSAL_BYTES).await?;
    match serde_json::from_slice(&body) {
        Ok(refusal) => Ok(Err(refusal)),
        Err(_) => Err(format!("status {status} without a reason")),
    }
}

async fn read_at_most(mut response: Response, limit: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| text_of(&error))? {
        if bytes.len() + chunk.len() > limit {
            return Err(format!("the answer is longer than {limit} bytes"));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
