//! Requests to a whole node, with its admission and its store.
//!
//! An input is a request as text: line, headers, empty line, body. It goes to the node's router; what stands
//! in front of that, the HTTP parser, is not ours.

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{HeaderName, HeaderValue, Method, Request, StatusCode, Uri};
use cairn_da_node::http::router;
use cairn_da_node::{Clock, Node};
use cairn_node_setup::ServerLimits;
use cairn_primitives::da::{Epoch, OperatorIndex, Refusal, Snapshot, Timestamp};
use serde_json::json;
use tokio::runtime::Runtime;
use tower::ServiceExt;

use crate::da::{Parcel, open_node, snapshot, tell};
use crate::fuzz::{Outcome, Target};

/// The node's place in its quorum.
const NUMBER: usize = 1;
/// L1 is told again after so many requests, since a node does not sign by an old block.
const TELL_PERIOD: u64 = 1000;
/// Longest answer that is read.
const ANSWER_BYTES: usize = 1 << 20;

/// A node without a listener. It keeps one payload for those who read, and forgets others as soon as it has
/// signed for them, so that it reads and checks their rows each time.
struct Subject {
    kept: Vec<u8>,
    kept_until: Timestamp,
    node: Node,
    router: Router,
    quorum: Snapshot,
    runtime: Runtime,
    requests: u64,
    _folder: tempfile::TempDir,
}

pub(super) fn target() -> eyre::Result<Target> {
    let quorum = snapshot(Epoch(5), &[1; 4])?;
    let operator = OperatorIndex(NUMBER as u16);
    let expiry = Timestamp(Clock::default().now().as_secs() + 86_400);
    let kept = Parcel::new(&quorum, 700, expiry)?;
    let posted = request("POST /v1/rows", "", &kept.body(operator)?);
    // What expires before the one that is kept is forgotten.
    let others = Timestamp(expiry.0 - 1000);
    let mut subject = Subject::start(quorum.clone(), posted, expiry)?;
    let mut seeds = vec![subject.kept.clone()];
    for length in [40, 1000] {
        let parcel = Parcel::new(&quorum, length, others)?;
        let body = parcel.body(operator)?;
        seeds.push(request("POST /v1/rows", &format!("content-length: {}\r\n", body.len()), &body));
        seeds.push(request("POST /v1/rows", "", &body));
    }
    let hash = kept.header.hash();
    seeds.push(request(&format!("GET /v1/headers/{hash}"), "", b""));
    for row in quorum.rows_of(operator, &kept.header) {
        seeds.push(request(&format!("GET /v1/rows/{hash}/{row}"), "", b""));
    }
    for (method, params) in [
        ("da_nodeRows", json!([hash])),
        ("da_nodeIdentity", json!([])),
        ("da_nodeStatus", json!([])),
    ] {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        seeds.push(request("POST /", "", call.to_string().as_bytes()));
    }
    seeds.push(request("GET /health", "", b""));
    let words = [
        "/v1/rows/",
        "/v1/headers/",
        "GET",
        "POST",
        "content-length: ",
        "\r\n\r\n",
        "0x",
        "[",
        "{",
        "null",
    ];
    let tokens = words.map(|word| word.as_bytes().to_vec()).to_vec();
    let execute = move |bytes: &[u8]| subject.execute(bytes);
    Ok(Target { name: "rest", seeds, tokens, max_bytes: 8192, execute: Box::new(execute) })
}

fn request(line: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    [format!("{line} HTTP/1.1\r\nhost: x\r\n{headers}\r\n").as_bytes(), body].concat()
}

/// Takes a request apart; `None` for what no HTTP parser lets through.
fn parse(bytes: &[u8]) -> Option<Request<Body>> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    let text = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = text.split("\r\n");
    let mut words = lines.next()?.split(' ');
    let mut request = Request::new(Body::from(bytes[end + 4..].to_vec()));
    *request.method_mut() = Method::from_bytes(words.next()?.as_bytes()).ok()?;
    *request.uri_mut() = words.next()?.parse::<Uri>().ok()?;
    for line in lines {
        let (name, value) = line.split_once(':')?;
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        request.headers_mut().append(name, HeaderValue::from_str(value.trim()).ok()?);
    }
    Some(request)
}

impl Subject {
    fn start(quorum: Snapshot, kept: Vec<u8>, kept_until: Timestamp) -> eyre::Result<Self> {
        let folder = tempfile::tempdir()?;
        let node = open_node(folder.path(), NUMBER, &quorum)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let router = router(node.clone(), ServerLimits::default());
        Ok(Self { kept, kept_until, node, router, quorum, runtime, requests: 0, _folder: folder })
    }

    /// Forgets what expires before the payload that is kept does.
    fn forget(&self) {
        let store = self.node.store();
        store.prune(self.kept_until, 100).expect("pruned");
        store.forget(Timestamp(u64::MAX), Epoch(u64::MAX), 100).expect("forgotten");
    }

    fn execute(&mut self, bytes: &[u8]) -> Outcome {
        if self.requests.is_multiple_of(TELL_PERIOD) {
            tell(&self.node, &self.quorum);
        }
        self.requests += 1;
        let Some(request) = parse(bytes) else { return Outcome::refused("no HTTP") };
        let submits = request.method() == Method::POST && request.uri().path() == "/v1/rows";
        let router = self.router.clone();
        let (status, body) = self.runtime.block_on(async {
            let response = router.oneshot(request).await.expect("a router always answers");
            let status = response.status();
            (status, to_bytes(response.into_body(), ANSWER_BYTES).await.expect("a bounded answer"))
        });
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR, "{}", String::from_utf8_lossy(&body));
        let in_flight = self.node.with_admission(|admission| admission.in_flight());
        assert_eq!(in_flight, (0, 0), "something is still in flight");
        if status == StatusCode::OK && submits {
            if bytes != self.kept {
                self.forget();
            }
            return Outcome::accepted("signature");
        }
        if status == StatusCode::OK {
            return answer(&body);
        }
        match serde_json::from_slice::<Refusal>(&body) {
            Ok(refusal) => Outcome::refused(format!("{} {:?}", status.as_u16(), refusal.code)),
            Err(error) => {
                assert!(body.is_empty(), "a refusal that cannot be read: {error}");
                Outcome::refused(status.as_u16().to_string())
            }
        }
    }
}

/// JSON-RPC fails with 200.
fn answer(body: &[u8]) -> Outcome {
    match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(value) if value.get("error").is_some() => {
            Outcome::refused(format!("JSON-RPC {}", value["error"]["code"]))
        }
        Ok(_) => Outcome::accepted("JSON"),
        Err(_) => Outcome::accepted("bytes"),
    }
}
