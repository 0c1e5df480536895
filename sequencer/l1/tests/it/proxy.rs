//! A proxy in front of anvil that injects faults.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::sync::watch;

const PATIENCE: Duration = Duration::from_secs(60);

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
    calls: watch::Sender<Vec<String>>,
    /// A method that is not passed on, and what it is answered with.
    held: Mutex<Option<(&'static str, Fault)>>,
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
            calls: watch::channel(Vec::new()).0,
            held: Mutex::default(),
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
        self.shared.calls.borrow().clone()
    }

    /// Neither passes a method on nor answers it.
    pub(crate) fn hold(&self, method: &'static str) {
        self.hold_with(method, Fault::Stall);
    }

    /// Answers a method without passing it on.
    pub(crate) fn hold_with(&self, method: &'static str, fault: Fault) {
        *self.shared.held.lock().unwrap() = Some((method, fault));
    }

    /// Passes everything on again.
    pub(crate) fn release(&self) {
        *self.shared.held.lock().unwrap() = None;
    }

    /// Waits until a method was called, and answered by anvil if it was passed on.
    pub(crate) async fn called(&self, method: &str) {
        let mut calls = self.shared.calls.subscribe();
        let called = calls.wait_for(|calls| calls.iter().any(|call| call == method));
        tokio::time::timeout(PATIENCE, called).await.expect("it is called").unwrap();
    }
}

async fn forward(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 64 << 20).await.unwrap();
    let path = parts.uri.to_string();
    let url = format!("{}{path}", shared.target);
    let call: Option<Value> = serde_json::from_slice(&body).ok();
    let name = call.as_ref().and_then(|call| call["method"].as_str());
    let name = name.map_or(path, str::to_owned);
    let held = shared.held.lock().unwrap().clone().filter(|(held, _)| *held == name);
    if let Some((_, fault)) = held {
        shared.calls.send_modify(|calls| calls.push(name));
        return answer(fault, &call.unwrap_or_default(), StatusCode::OK, Bytes::new()).await;
    }
    let request = shared.http.request(parts.method, url).body(body);
    let given = request.header("content-type", "application/json").send().await;
    let Ok(given) = given else { return StatusCode::BAD_GATEWAY.into_response() };
    let status = given.status();
    let bytes = given.bytes().await.unwrap();
    let json: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let result = if call.is_some() { json["result"].clone() } else { json };
    let call = call.unwrap_or_default();
    shared.calls.send_modify(|calls| calls.push(name.clone()));
    let fault = (shared.rule.lock().unwrap())(&name, &call["params"], &result);
    answer(fault, &call, status, bytes).await
}

async fn answer(fault: Fault, call: &Value, status: StatusCode, bytes: Bytes) -> Response {
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
        Fault::Replace(result) if call.is_object() => {
            let answer = serde_json::json!({"jsonrpc": "2.0", "id": call["id"], "result": result});
            answer.to_string().into_response()
        }
        Fault::Replace(value) => value.to_string().into_response(),
    }
}
