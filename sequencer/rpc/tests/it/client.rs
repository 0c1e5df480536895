//! A client that shows exactly what came back.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long anything may take before a test gives up.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Status and body of an HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {:?}", self.body))
    }

    /// Code of the error object.
    pub(crate) fn code(&self) -> i64 {
        let json = self.json();
        json["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error in {json}"))
    }
}

/// Posts a body as it is.
pub(crate) async fn post(address: SocketAddr, body: impl Into<String>) -> Answer {
    try_post(address, body.into()).await.expect("an answer")
}

/// Posts a body; `None` if the connection is closed without an answer.
pub(crate) async fn try_post(address: SocketAddr, body: String) -> Option<Answer> {
    let mut raw = Raw(TcpStream::connect(address).await.ok()?);
    let head = head(body.len()).replace("\r\n\r\n", "\r\nconnection: close\r\n\r\n");
    // The server may answer and close before it has read everything.
    let _ = raw.0.write_all(head.as_bytes()).await;
    let _ = raw.0.write_all(body.as_bytes()).await;
    let answer = raw.read_to_end().await;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    Some(Answer { status, body: body.to_owned() })
}

/// Calls a method; gives the whole answer.
pub(crate) async fn call(address: SocketAddr, method: &str, params: Value) -> Value {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
    post(address, body.to_string()).await.json()
}

/// Calls a method that must succeed; gives its result.
pub(crate) async fn result(address: SocketAddr, method: &str, params: Value) -> Value {
    let answer = call(address, method, params).await;
    assert!(answer.get("error").is_none(), "{method}: {answer}");
    answer["result"].clone()
}

/// Code of the error that a method gives.
pub(crate) async fn error_code(address: SocketAddr, method: &str, params: Value) -> i64 {
    let answer = call(address, method, params).await;
    answer["error"]["code"].as_i64().unwrap_or_else(|| panic!("{method}: {answer}"))
}

/// Polls until something holds, or patience ends.
pub(crate) async fn until<F, T>(what: &str, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "never: {what}");
        tokio::task::yield_now().await;
    }
}

/// A bare connection.
pub(crate) struct Raw(pub(crate) TcpStream);

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.expect("a connection"))
    }

    pub(crate) async fn send(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).await.expect("a listening server");
    }

    /// What the server says first.
    pub(crate) async fn read_some(&mut self) -> String {
        let mut bytes = [0; 1024];
        let read = tokio::time::timeout(PATIENCE, self.0.read(&mut bytes)).await;
        let length = read.expect("the server answers").expect("a connection");
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    /// Everything until the server closes the connection.
    pub(crate) async fn read_to_end(&mut self) -> String {
        let mut bytes = Vec::new();
        let read = self.0.read_to_end(&mut bytes);
        // A reset is an end too.
        let _ = tokio::time::timeout(PATIENCE, read).await.expect("the server closes");
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

/// Head of a request with a body of that many bytes.
pub(crate) fn head(length: usize) -> String {
    format!(
        "POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {length}\r\n\r\n"
    )
}

/// A text message as a WebSocket client sends it, under a mask of zeros.
pub(crate) fn text_frame(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len()).expect("a short message");
    let mut frame = vec![0x81, 0x80 | 126];
    frame.extend(length.to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(text.as_bytes());
    frame
}
