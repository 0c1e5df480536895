//! An HTTP proxy that stands between two parts of the chain and can be told to break what passes.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use eyre::WrapErr;
use reqwest::Client;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Largest body in either direction: a block of L1 with its blobs in JSON is some megabytes.
const BODY_MAX: usize = 128 << 20;
/// Time for a fault to be met.
const PATIENCE: Duration = Duration::from_secs(60);

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

/// What the proxy does with a request.
#[derive(Debug)]
pub enum Act {
    /// Passes it on, and the answer back.
    Pass,
    /// Answers in the other's stead.
    Answer {
        /// Status of HTTP.
        status: u16,
        /// Seconds in `Retry-After`.
        retry_after: Option<u64>,
        /// Body.
        body: Bytes,
    },
    /// Says nothing until the rule is another one.
    Stall,
    /// Passes it on, and this back if the answer is changed by it.
    Alter(fn(&Passing, &[u8]) -> Option<Vec<u8>>),
}

/// Decides about every request.
pub type Rule = fn(&Passing) -> Act;

/// A running proxy. Ends when dropped.
#[derive(Debug)]
pub struct Proxy {
    url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
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
    pub async fn start(target: &str, port: u16) -> eyre::Result<Self> {
        cairn_node_setup::install_tls();
        let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await;
        let listener = listener.wrap_err_with(|| format!("port {port}"))?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::new(Shared {
            target: target.trim_end_matches('/').to_owned(),
            client: Client::builder().no_proxy().build()?,
            rule: Mutex::new(|_| Act::Pass),
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
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Goes over to another rule; faults are counted anew, and what stalled is let go.
    pub fn set(&self, rule: Rule) {
        *self.shared.rule.lock().unwrap_or_else(PoisonError::into_inner) = rule;
        self.shared.faults.send_replace(0);
        self.shared.changes.send_modify(|changes| *changes = changes.wrapping_add(1));
    }

    /// Passes everything on again.
    pub fn pass(&self) {
        self.set(|_| Act::Pass);
    }

    /// Faults under the present rule.
    #[must_use]
    pub fn faults(&self) -> u64 {
        *self.shared.faults.borrow()
    }

    /// Waits until so many requests have met the present rule's fault.
    ///
    /// # Errors
    /// When they do not.
    pub async fn wait_faults(&self, count: u64) -> eyre::Result<()> {
        let mut faults = self.shared.faults.subscribe();
        let met = tokio::time::timeout(PATIENCE, faults.wait_for(|faults| *faults >= count)).await;
        met.wrap_err_with(|| format!("{} faults of {count} in {PATIENCE:?}", self.faults()))??;
        Ok(())
    }
}

impl Shared {
    fn fault(&self) {
        self.faults.send_modify(|faults| *faults = faults.saturating_add(1));
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_MAX).await else {
        return respond(StatusCode::PAYLOAD_TOO_LARGE, None, Bytes::new());
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let passing = Passing { method: parts.method, path, body };
    let mut changes = shared.changes.subscribe();
    let rule = *shared.rule.lock().unwrap_or_else(PoisonError::into_inner);
    match rule(&passing) {
        Act::Pass => forward(&shared, &passing).await,
        Act::Answer { status, retry_after, body } => {
            shared.fault();
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            respond(status, retry_after, body)
        }
        Act::Stall => {
            shared.fault();
            // Whoever waits so long gets an error, and not what was asked for long ago.
            let _ = changes.changed().await;
            respond(StatusCode::GATEWAY_TIMEOUT, None, Bytes::new())
        }
        Act::Alter(alter) => {
            let true_answer = forward(&shared, &passing).await;
            let (parts, body) = true_answer.into_parts();
            let body = axum::body::to_bytes(body, BODY_MAX).await.unwrap_or_default();
            let altered = Some(&body).filter(|_| parts.status == StatusCode::OK);
            let Some(altered) = altered.and_then(|body| alter(&passing, body)) else {
                return respond(parts.status, None, body);
            };
            shared.fault();
            respond(StatusCode::OK, None, altered.into())
        }
    }
}

async fn forward(shared: &Shared, passing: &Passing) -> Response {
    let url = format!("{}{}", shared.target, passing.path);
    let request = shared.client.request(passing.method.clone(), url);
    let request = request.header(header::CONTENT_TYPE, "application/json");
    let Ok(response) = request.body(passing.body.clone()).send().await else {
        return respond(StatusCode::BAD_GATEWAY, None, Bytes::new());
    };
    let status = response.status();
    match read(response).await {
        Some(body) => respond(status, None, body),
        None => respond(StatusCode::BAD_GATEWAY, None, Bytes::new()),
    }
}

/// The body of an answer, if it is no longer than bodies are.
async fn read(mut response: reqwest::Response) -> Option<Bytes> {
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len().saturating_add(chunk.len()) > BODY_MAX {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    Some(body.freeze())
}

fn respond(status: StatusCode, retry_after: Option<u64>, body: Bytes) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
    if let Some(seconds) = retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn get(proxy: &Proxy) -> eyre::Result<(u16, String)> {
        let response = Client::new().get(format!("{}/a?b=c", proxy.url())).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }

    /// A server that answers with the path.
    async fn echo() -> eyre::Result<(Proxy, JoinHandle<()>)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let router = Router::new().fallback(|request: Request| async move {
            request.uri().path_and_query().map(ToString::to_string).unwrap_or_default()
        });
        let server = tokio::spawn(async move {
            let _ = axum::serve(listener, router).await;
        });
        Ok((Proxy::start(&url, 0).await?, server))
    }

    #[tokio::test]
    async fn passes_answers_alters_and_counts() -> eyre::Result<()> {
        let (proxy, server) = echo().await?;
        assert_eq!(get(&proxy).await?, (200, "/a?b=c".to_owned()));
        proxy.set(|passing| match passing.path.as_str() {
            "/a?b=c" => Act::Answer { status: 429, retry_after: Some(1), body: Bytes::new() },
            _ => Act::Pass,
        });
        assert_eq!(get(&proxy).await?.0, 429);
        assert_eq!(proxy.faults(), 1);
        proxy.set(|_| Act::Alter(|_, body| Some([body, b"!"].concat())));
        assert_eq!((get(&proxy).await?, proxy.faults()), ((200, "/a?b=c!".to_owned()), 1));
        proxy.set(|_| Act::Alter(|_, _| None));
        assert_eq!((get(&proxy).await?, proxy.faults()), ((200, "/a?b=c".to_owned()), 0));
        server.abort();
        Ok(())
    }

    #[tokio::test]
    async fn what_stalls_is_let_go_by_another_rule() -> eyre::Result<()> {
        let (proxy, server) = echo().await?;
        proxy.set(|_| Act::Stall);
        let release = async {
            proxy.wait_faults(1).await?;
            proxy.pass();
            eyre::Ok(())
        };
        let (stalled, released) = tokio::join!(get(&proxy), release);
        released?;
        assert_eq!(stalled?.0, 504);
        assert_eq!(get(&proxy).await?.0, 200);
        server.abort();
        Ok(())
    }
}
