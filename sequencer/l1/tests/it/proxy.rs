//! A proxy in front of anvil that injects faults.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

/// What the proxy does with a call.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// Passes the answer on.
    None,
    /// Answers with an HTTP status and `Retry-After`.
    Status(u16, Option<String>),
    /// Answers with a JSON-RPC error.
    Error(i64, &'static str),
    /// Never answers.
    Stall,
    /// Breaks off in the middle of the answer.
    Truncate,
    /// Announces an answer of that many bytes and sends them.
    Long(usize),
    /// Answers with something else.
    Replace(Value),
}

type Rule = Box<dyn FnMut(&str, &Value, &Value) -> Fault + Send>;

struct Shared {
    target: String,
    http: reqwest::Client,
    rule: Mutex<Rule>,
    calls: Mutex<Vec<String>>,
}

/// A running proxy.
pub(crate) struct Proxy {
    pub(crate) url: String,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Proxy {
    pub(crate) async fn start(target: &str) -> Self {
        let shared = Arc::new(Shared {
            target: target.to_owned(),
            http: reqwest::Client::new(),
            rule: Mutex::new(Box::new(|_, _, _| Fault::None)),
            calls: Mutex::default(),
        });
        let router = Router::new().fallback(forward).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, shared, task }
    }

    /// Decides from method (or path), parameters and the true result.
    pub(crate) fn rule(&self, rule: impl FnMut(&str, &Value, &Value) -> Fault + Send + 'static) {
        *self.shared.rule.lock().unwrap() = Box::new(rule);
    }

    /// Methods and paths called so far.
    pub(crate) fn calls(&self) -> Vec<String> {
        self.shared.calls.lock().unwrap().clone()
    }
}

async fn forward(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 64 << 20).await.unwrap();
    let path = parts.uri.to_string();
    let url = format!("{}{path}", shared.target);
    let call: Option<Value> = serde_json::from_slice(&body).ok();
    let request = shared.http.request(parts.method, url).body(body);
    let answer = request.header("content-type", "application/json").send().await;
    let Ok(answer) = answer else { return StatusCode::BAD_GATEWAY.into_response() };
    let status = answer.status();
    let bytes = answer.bytes().await.unwrap();
    let mut json: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let rpc = call.is_some();
    let call = call.unwrap_or_default();
    let name = call["method"].as_str().map_or(path, str::to_owned);
    shared.calls.lock().unwrap().push(name.clone());
    let result = if rpc { json["result"].clone() } else { json.clone() };
    let fault = (shared.rule.lock().unwrap())(&name, &call["params"], &result);
    match fault {
        Fault::None => (status, bytes).into_response(),
        Fault::Status(status, retry) => {
            let mut response = StatusCode::from_u16(status).unwrap().into_response();
            if let Some(retry) = retry {
                response.headers_mut().insert("retry-after", retry.parse().unwrap());
            }
            response
        }
        Fault::Error(code, message) => {
            let error = serde_json::json!({"code": code, "message": message});
            let answer = serde_json::json!({"jsonrpc": "2.0", "id": call["id"], "error": error});
            answer.to_string().into_response()
        }
        Fault::Stall => std::future::pending().await,
        Fault::Truncate => {
            let half = bytes.slice(..bytes.len() / 2);
            let broken = std::io::Error::other("broken off");
            let parts = futures::stream::iter([Ok(half), Err::<Bytes, _>(broken)]);
            Response::new(Body::from_stream(parts))
        }
        Fault::Long(length) => vec![b' '; length].into_response(),
        Fault::Replace(value) if rpc => {
            json["result"] = value;
            json.to_string().into_response()
        }
        Fault::Replace(value) => value.to_string().into_response(),
    }
}
