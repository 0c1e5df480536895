//! One endpoint.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use alloy_primitives::{Bytes, hex};
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, StatusCode, Url};
use serde_json::value::RawValue;
use serde_json::{Value, json};

/// Why an endpoint gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// No connection, a broken one, or an HTTP status that says nothing more.
    #[error("{0}")]
    Transport(String),
    /// Nothing, or not all, within the time for an answer.
    #[error("no answer within {0:?}")]
    Stalled(Duration),
    /// HTTP 429, or 503 with a time: left alone for as long as it says.
    #[error("rate limited, retry after {0:?}")]
    RateLimited(Option<Duration>),
    /// More bytes than any answer has.
    #[error("an answer of more than {0} bytes")]
    TooLarge(usize),
    /// Not JSON, or not of the form that was asked for.
    #[error("malformed: {0}")]
    Malformed(String),
    /// HTTP 404 or 410, for what is addressed by a path.
    #[error("HTTP status {0}")]
    NotFound(u16),
    /// The node refused.
    #[error("error {code}: {message}")]
    Refused {
        /// JSON-RPC code.
        code: i64,
        /// What it says.
        message: String,
        /// Revert data, where the error has some.
        data: Option<Bytes>,
    },
}

impl CallError {
    /// Whether the node says that it has dropped the history (EIP-4444's code, and what geth, reth
    /// and others say).
    pub fn says_pruned(&self) -> bool {
        const PRUNED: i64 = 4444;
        let Self::Refused { code, message, .. } = self else { return false };
        let message = message.to_lowercase();
        let words = ["pruned", "missing trie node", "history is not available"];
        *code == PRUNED || words.iter().any(|word| message.contains(word))
    }
}

/// An HTTP endpoint: JSON-RPC by [`call`](Self::call), REST by [`get`](Self::get).
#[derive(Debug)]
pub struct Endpoint {
    http: Client,
    url: Url,
    name: String,
    answer_time: Duration,
    bytes_max: usize,
    next_id: AtomicU64,
}

impl Endpoint {
    /// An endpoint that is given `answer_time` for an answer of at most `bytes_max` bytes.
    pub fn new(http: Client, url: Url, answer_time: Duration, bytes_max: usize) -> Self {
        // Paths and queries of RPC URLs hold access keys, which belong in no log.
        let host = url.host_str().unwrap_or("?");
        let name = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Self { http, url, name, answer_time, bytes_max, next_id: AtomicU64::new(1) }
    }

    /// Host and port: the name for logs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Calls a method; gives the JSON of `result`.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call(&self, method: &str, params: &Value) -> Result<Box<RawValue>, CallError> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let body = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        let request = self.http.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        let (status, bytes) = self.exchange(request.body(body.to_string())).await?;
        let answer = serde_json::from_slice::<Answer>(&bytes);
        let answer = match answer {
            Ok(answer) => answer,
            Err(_) if !status.is_success() => {
                return Err(CallError::Transport(format!("HTTP status {}", status.as_u16())));
            }
            Err(error) => return Err(CallError::Malformed(error.to_string())),
        };
        if let Some(error) = answer.error {
            return Err(error.into());
        }
        if !status.is_success() {
            return Err(CallError::Transport(format!("HTTP status {}", status.as_u16())));
        }
        if answer.id != Some(id) {
            return Err(CallError::Malformed(format!("the answer to another call than {id}")));
        }
        answer.result.ok_or_else(|| CallError::Malformed("no result".to_owned()))
    }

    /// Gets what is below the endpoint's URL.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Vec<u8>, CallError> {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.url.path().trim_end_matches('/')));
        for (name, value) in query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let (status, bytes) = self.exchange(self.http.get(url)).await?;
        match status {
            StatusCode::NOT_FOUND | StatusCode::GONE => Err(CallError::NotFound(status.as_u16())),
            status if status.is_success() => Ok(bytes),
            status => Err(CallError::Transport(format!("HTTP status {}", status.as_u16()))),
        }
    }

    async fn exchange(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<(StatusCode, Vec<u8>), CallError> {
        let answer = tokio::time::timeout(self.answer_time, self.answer(request)).await;
        answer.unwrap_or(Err(CallError::Stalled(self.answer_time)))
    }

    async fn answer(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<(StatusCode, Vec<u8>), CallError> {
        let transport = |error: reqwest::Error| CallError::Transport(describe(error));
        let mut response = request.send().await.map_err(transport)?;
        let status = response.status();
        let pause = retry_after(response.headers());
        if status == StatusCode::TOO_MANY_REQUESTS
            || status == StatusCode::SERVICE_UNAVAILABLE && pause.is_some()
        {
            return Err(CallError::RateLimited(pause));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(transport)? {
            if bytes.len().saturating_add(chunk.len()) > self.bytes_max {
                return Err(CallError::TooLarge(self.bytes_max));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok((status, bytes))
    }
}

/// What the error says, without the URL and whatever key is in it.
fn describe(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// Seconds, or a date less the date of the answer or our own.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    Some(until.duration_since(SystemTime::now()).unwrap_or_default())
}

#[derive(serde::Deserialize)]
struct Answer {
    id: Option<u64>,
    #[serde(default, deserialize_with = "present")]
    result: Option<Box<RawValue>>,
    error: Option<Refusal>,
}

/// A `result` of `null` is an answer, no `result` is none.
fn present<'de, D: serde::Deserializer<'de>>(json: D) -> Result<Option<Box<RawValue>>, D::Error> {
    serde::Deserialize::deserialize(json).map(Some)
}

#[derive(serde::Deserialize)]
struct Refusal {
    code: i64,
    #[serde(default)]
    message: String,
    data: Option<Value>,
}

impl From<Refusal> for CallError {
    fn from(refusal: Refusal) -> Self {
        /// "Limit exceeded" of EIP-1474, and HTTP's number where nodes use it as a code.
        const LIMITED: [i64; 2] = [-32005, 429];
        let Refusal { code, message, data } = refusal;
        if LIMITED.contains(&code) {
            return Self::RateLimited(None);
        }
        let text = data.as_ref().and_then(|data| match data {
            Value::String(text) => Some(text.as_str()),
            other => other.get("data").and_then(Value::as_str),
        });
        let data = text.and_then(|text| hex::decode(text).ok()).map(Bytes::from);
        Self::Refused { code, message, data }
    }
}
