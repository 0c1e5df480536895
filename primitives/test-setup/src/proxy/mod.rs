//! An HTTP proxy that can be told to break what passes.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header;
use axum::response::Response;
use reqwest::Client;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::install_tls;

mod act;
#[cfg(test)]
mod tests;

pub use act::{Act, Answer, Passing};

/// Largest body of a request: the rows of a large payload are some megabytes.
const BODY_MAX: usize = 128 << 20;
/// Time for a fault to be met.
const PATIENCE: Duration = Duration::from_secs(60);

type Rule = Box<dyn FnMut(&Passing) -> Act + Send>;

/// A running proxy. Ends when dropped.
#[allow(missing_debug_implementations)]
pub struct Proxy {
    url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    target: String,
    client: Client,
    rule: Mutex<Rule>,
    /// How often the rule was changed: what stalls waits for it.
    changes: watch::Sender<u64>,
    /// Requests under the present rule that were not passed on and back as they were.
    faults: watch::Sender<u64>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Proxy {
    /// A proxy in front of `target`, on that loopback port or, with 0, on a free one. Passes everything on.
    ///
    /// # Errors
    /// When the port is taken.
    pub async fn start(target: &str, port: u16) -> std::io::Result<Self> {
        install_tls();
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared {
            target: target.trim_end_matches('/').to_owned(),
            client: Client::builder().no_proxy().build().expect("a client"),
            rule: Mutex::new(Box::new(|_| Act::Pass)),
            changes: watch::channel(0).0,
            faults: watch::channel(0).0,
        });
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let server = tokio::spawn(async move {
            // Ends with the task alone.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, shared, server })
    }

    /// Where it listens.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Goes over to another rule; faults are counted anew, and what stalled is let go.
    pub fn set(&self, rule: impl FnMut(&Passing) -> Act + Send + 'static) {
        *self.shared.rule.lock().unwrap_or_else(PoisonError::into_inner) = Box::new(rule);
        self.shared.faults.send_replace(0);
        self.shared.changes.send_modify(|changes| *changes += 1);
    }

    /// Passes everything on again.
    pub fn pass(&self) {
        self.set(|_| Act::Pass);
    }

    /// Faults under the present rule.
    pub fn faults(&self) -> u64 {
        *self.shared.faults.borrow()
    }

    /// Waits until so many requests have met the present rule's fault.
    ///
    /// # Panics
    /// When they do not.
    pub async fn wait_faults(&self, count: u64) {
        let mut faults = self.shared.faults.subscribe();
        let met = tokio::time::timeout(PATIENCE, faults.wait_for(|faults| *faults >= count)).await;
        assert!(met.is_ok(), "{} faults of {count} in {PATIENCE:?}", self.faults());
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_MAX).await else {
        return Answer::status(413).respond(Body::empty());
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let passing = Passing { method: parts.method, path, body };
    let mut changes = shared.changes.subscribe();
    let mut act = (shared.rule.lock().unwrap_or_else(PoisonError::into_inner))(&passing);
    let mut given = None;
    if matches!(act, Act::Pass | Act::Truncate | Act::After(_)) {
        given = Some(shared.forward(&passing).await);
    }
    let given = given.unwrap_or_default();
    while let Act::After(decide) = act {
        act = decide(&passing, &given);
    }
    if !matches!(act, Act::Pass) {
        shared.faults.send_modify(|faults| *faults += 1);
    }
    match act {
        Act::Pass | Act::After(_) => {
            let body = given.body.clone().into();
            given.respond(body)
        }
        Act::Answer(answer) => {
            let body = answer.body.clone().into();
            answer.respond(body)
        }
        Act::Stall => {
            // Whoever waits so long gets an error, and not what was asked for long ago.
            let _ = changes.changed().await;
            Answer::status(504).respond(Body::empty())
        }
        Act::Truncate => {
            let half = given.body.slice(..given.body.len() / 2);
            let broken = std::io::Error::other("broken off");
            let parts = futures::stream::iter([Ok(half), Err::<Bytes, _>(broken)]);
            given.respond(Body::from_stream(parts))
        }
    }
}

impl Shared {
    async fn forward(&self, passing: &Passing) -> Answer {
        let url = format!("{}{}", self.target, passing.path);
        let request = self.client.request(passing.method.clone(), url);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let Ok(response) = request.body(passing.body.clone()).send().await else {
            return Answer::status(502);
        };
        let status = response.status().as_u16();
        let body = response.bytes().await;
        body.map_or(Answer::status(502), |body| Answer { status, ..Answer::ok(body) })
    }
}
