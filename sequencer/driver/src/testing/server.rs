//! A JSON-RPC endpoint that answers, fails or is silent.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use cairn_l1::rpc::Backoff;
use cairn_l1::{L1Client, L1Config};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::CHAIN_ID;

/// What a call is answered with.
#[derive(Debug)]
pub(crate) enum Reply {
    Result(Value),
    /// A JSON-RPC error.
    Error(i64, &'static str),
    /// An HTTP status without a body.
    Status(u16),
    /// Never anything.
    Silence,
}

type Answer = Box<dyn FnMut(&str, &Value) -> Reply + Send>;

struct Shared {
    answer: Mutex<Answer>,
    calls: watch::Sender<Vec<(String, Value)>>,
}

/// A running endpoint.
pub(crate) struct L1Server {
    pub(crate) url: String,
    shared: Arc<Shared>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for L1Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl L1Server {
    pub(crate) async fn start(answer: impl FnMut(&str, &Value) -> Reply + Send + 'static) -> Self {
        // One that is installed already is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let shared = Arc::new(Shared {
            answer: Mutex::new(Box::new(answer)),
            calls: watch::channel(Vec::new()).0,
        });
        let router = Router::new().fallback(reply).with_state(Arc::clone(&shared));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let task = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, shared, task }
    }

    /// Answers differently from now on.
    pub(crate) fn answer(&self, answer: impl FnMut(&str, &Value) -> Reply + Send + 'static) {
        *self.shared.answer.lock().unwrap() = Box::new(answer);
    }

    /// Parameters of all calls of a method so far.
    pub(crate) fn calls(&self, method: &str) -> Vec<Value> {
        let calls = self.shared.calls.borrow();
        calls.iter().filter(|(name, _)| name == method).map(|(_, params)| params.clone()).collect()
    }

    /// Waits until a method was called so often.
    pub(crate) async fn called(&self, method: &str, times: usize) {
        let mut calls = self.shared.calls.subscribe();
        let enough = calls
            .wait_for(|calls| calls.iter().filter(|(name, _)| name == method).count() >= times);
        tokio::time::timeout(Duration::from_secs(60), enough).await.expect("it is called").unwrap();
    }

    /// A client of this endpoint alone.
    pub(crate) fn client(&self) -> Arc<L1Client> {
        let backoff = Backoff { first: Duration::from_millis(5), ..Backoff::default() };
        let config =
            L1Config { backoff, ..L1Config::new(vec![self.url.parse().unwrap()], CHAIN_ID) };
        Arc::new(L1Client::new(config).unwrap())
    }
}

async fn reply(State(shared): State<Arc<Shared>>, body: Bytes) -> Response {
    let call: Value = serde_json::from_slice(&body).unwrap();
    let method = call["method"].as_str().unwrap().to_owned();
    let reply = (shared.answer.lock().unwrap())(&method, &call["params"]);
    shared.calls.send_modify(|calls| calls.push((method, call["params"].clone())));
    let id = &call["id"];
    match reply {
        Reply::Result(result) => {
            json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string().into_response()
        }
        Reply::Error(code, message) => {
            let error = json!({"code": code, "message": message});
            json!({"jsonrpc": "2.0", "id": id, "error": error}).to_string().into_response()
        }
        Reply::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Reply::Silence => std::future::pending().await,
    }
}
