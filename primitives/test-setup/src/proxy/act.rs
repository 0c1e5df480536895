//! What passes, and what becomes of it.

use axum::body::{Body, Bytes};
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use serde_json::Value;

/// A request on its way.
#[derive(Debug)]
pub struct Passing {
    /// Method of HTTP.
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// Body.
    pub body: Bytes,
}

impl Passing {
    /// The single JSON-RPC call that it is.
    pub fn call(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok().filter(Value::is_object)
    }
}

/// An answer on its way.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Status of HTTP.
    pub status: u16,
    /// `Retry-After`.
    pub retry_after: Option<String>,
    /// Body.
    pub body: Bytes,
}

impl Answer {
    /// An answer without a body.
    pub fn status(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    /// A good answer.
    pub fn ok(body: impl Into<Bytes>) -> Self {
        Self { status: 200, body: body.into(), ..Self::default() }
    }

    /// A JSON-RPC error.
    pub fn error(call: &Value, code: i64, message: &str) -> Self {
        let error = serde_json::json!({"code": code, "message": message});
        let answer = serde_json::json!({"jsonrpc": "2.0", "id": call["id"], "error": error});
        Self::ok(answer.to_string())
    }

    pub(super) fn respond(self, body: Body) -> Response {
        let mut response = Response::new(body);
        let status = StatusCode::from_u16(self.status);
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
        if let Some(retry) = self.retry_after {
            headers.insert(header::RETRY_AFTER, retry.parse().expect("a header"));
        }
        response
    }
}

/// Decides by the answer to a request.
type Decision = Box<dyn FnOnce(&Passing, &Answer) -> Act + Send>;

/// What the proxy does with a request.
#[allow(missing_debug_implementations)]
pub enum Act {
    /// Passes it on, and the answer back.
    Pass,
    /// Answers in the other's stead.
    Answer(Answer),
    /// Says nothing until the rule is another one.
    Stall,
    /// Passes it on, and breaks off in the middle of the answer.
    Truncate,
    /// Passes it on, and decides by the answer.
    After(Decision),
}

impl Act {
    /// Passes it on, and this back if a good answer is changed by it.
    pub fn alter(alter: impl FnOnce(&Passing, &[u8]) -> Option<Vec<u8>> + Send + 'static) -> Self {
        Self::After(Box::new(|passing, given| {
            let good = Some(&given.body).filter(|_| given.status == 200);
            let altered = good.and_then(|body| alter(passing, body));
            altered.map_or(Self::Pass, |altered| Self::Answer(Answer::ok(altered)))
        }))
    }
}
