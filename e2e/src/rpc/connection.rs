//! One keep-alive HTTP/1.1 connection that carries prepared POST requests.

use std::io::{Error, ErrorKind, Result};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Endpoint;

/// An answer longer than this is refused instead of buffered.
const MAX_BODY: usize = 1 << 30;
const MAX_HEAD: usize = 64 * 1024;
const READ_CHUNK: usize = 64 * 1024;

/// The bytes of a whole POST request with a JSON body.
#[must_use]
pub fn post_request(endpoint: &Endpoint, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n",
        endpoint.path(),
        endpoint.authority(),
        body.len()
    );
    let mut request = Vec::with_capacity(head.len() + body.len());
    request.extend_from_slice(head.as_bytes());
    request.extend_from_slice(body);
    request
}

/// An open connection. One request is under way at a time.
#[derive(Debug)]
pub struct HttpConnection {
    stream: TcpStream,
    /// Bytes received; the current answer is at the front.
    received: Vec<u8>,
    /// Length of the answer handed out last, dropped before the next one.
    consumed: usize,
    /// Body of a chunked answer, put together.
    joined: Vec<u8>,
}

/// What the head of an answer says about its body.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    length: usize,
    body: BodyLength,
}

#[derive(Debug, PartialEq, Eq)]
enum BodyLength {
    Known(usize),
    Chunked,
}

impl HttpConnection {
    /// Connects with Nagle's delay off.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn connect(endpoint: &Endpoint) -> Result<Self> {
        let stream = TcpStream::connect(endpoint.authority()).await?;
        stream.set_nodelay(true)?;
        let received = Vec::with_capacity(READ_CHUNK);
        Ok(Self { stream, received, consumed: 0, joined: Vec::new() })
    }

    /// Sends a request made by [`post_request`] and returns the body of its answer.
    ///
    /// # Errors
    /// When the connection breaks, or the answer is not HTTP or has another
    /// status than 200; the connection is of no more use then.
    pub async fn round_trip(&mut self, request: &[u8]) -> Result<&[u8]> {
        self.stream.write_all(request).await?;
        self.receive().await
    }

    async fn receive(&mut self) -> Result<&[u8]> {
        self.received.drain(..self.consumed);
        self.consumed = 0;
        let head = loop {
            if let Some(head) = parse_head(&self.received)? {
                break head;
            }
            if self.received.len() > MAX_HEAD {
                return Err(malformed("endless head"));
            }
            self.fill(READ_CHUNK).await?;
        };
        let body = match head.body {
            BodyLength::Known(length) => self.known_body(head.length, length).await?,
            BodyLength::Chunked => self.chunked_body(head.length).await?,
        };
        if head.status == 200 {
            return Ok(body);
        }
        let text = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
        Err(Error::other(format!("HTTP status {}: {text}", head.status)))
    }

    async fn known_body(&mut self, start: usize, length: usize) -> Result<&[u8]> {
        if length > MAX_BODY {
            return Err(malformed("body too long"));
        }
        let end = start + length;
        while self.received.len() < end {
            self.fill(end - self.received.len()).await?;
        }
        self.consumed = end;
        Ok(&self.received[start..end])
    }

    async fn chunked_body(&mut self, start: usize) -> Result<&[u8]> {
        self.joined.clear();
        let mut at = start;
        loop {
            let line_end = self.find_line_end(at).await?;
            let size = chunk_size(&self.received[at..line_end])?;
            let data = line_end + 2;
            let end = data.checked_add(size).filter(|end| *end <= MAX_BODY);
            let end = end.ok_or_else(|| malformed("body too long"))?;
            while self.received.len() < end + 2 {
                self.fill(READ_CHUNK).await?;
            }
            self.joined.extend_from_slice(&self.received[data..end]);
            at = end + 2;
            if size == 0 {
                self.consumed = at;
                return Ok(&self.joined);
            }
        }
    }

    async fn find_line_end(&mut self, from: usize) -> Result<usize> {
        loop {
            if let Some(found) = memchr::memmem::find(&self.received[from..], b"\r\n") {
                return Ok(from + found);
            }
            if self.received.len() - from > MAX_HEAD {
                return Err(malformed("endless chunk size"));
            }
            self.fill(READ_CHUNK).await?;
        }
    }

    async fn fill(&mut self, wanted: usize) -> Result<()> {
        self.received.reserve(wanted.min(MAX_BODY));
        match self.stream.read_buf(&mut self.received).await? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}

fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("malformed HTTP answer: {what}"))
}

/// The head of the answer at the front of `received`, or `None` while it is
/// incomplete. Header names are compared without regard to case.
fn parse_head(received: &[u8]) -> Result<Option<Head>> {
    let Some(end) = memchr::memmem::find(received, b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = std::str::from_utf8(&received[..end]).map_err(|_| malformed("not text"))?;
    let mut lines = text.split("\r\n");
    let status_line = lines.next().unwrap_or_default();
    let status = status_line.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5));
    let status = status.and_then(|code| code.parse().ok()).ok_or_else(|| malformed("status"))?;
    let mut body = BodyLength::Known(0);
    for line in lines {
        let (name, value) = line.split_once(':').ok_or_else(|| malformed("header"))?;
        if name.eq_ignore_ascii_case("content-length") {
            let length = value.trim().parse().map_err(|_| malformed("content length"))?;
            body = BodyLength::Known(length);
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            if !value.trim().eq_ignore_ascii_case("chunked") {
                return Err(malformed("transfer encoding"));
            }
            body = BodyLength::Chunked;
        }
    }
    Ok(Some(Head { status, length: end + 4, body }))
}

fn chunk_size(line: &[u8]) -> Result<usize> {
    let text = std::str::from_utf8(line).map_err(|_| malformed("chunk size"))?;
    let digits = text.split(';').next().unwrap_or_default().trim();
    usize::from_str_radix(digits, 16).map_err(|_| malformed("chunk size"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers every connection's first bytes with `answer`, in small pieces.
    async fn answered_with(answer: &'static [u8]) -> Result<Vec<u8>> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let endpoint: Endpoint =
            format!("http://{}", listener.local_addr()?).parse().expect("an address");
        let server = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await?;
            let mut request = [0u8; 4096];
            let _ = socket.read(&mut request).await?;
            for piece in answer.chunks(7) {
                socket.write_all(piece).await?;
                tokio::task::yield_now().await;
            }
            Ok::<_, Error>(())
        });
        let mut connection = HttpConnection::connect(&endpoint).await?;
        let body = connection.round_trip(&post_request(&endpoint, b"{}")).await?.to_vec();
        server.await.expect("the server ends")?;
        Ok(body)
    }

    #[tokio::test]
    async fn reads_a_body_of_known_length() {
        let body = answered_with(b"HTTP/1.1 200 OK\r\ncontent-LENGTH: 11\r\n\r\nhello world").await;
        assert_eq!(body.expect("an answer"), b"hello world");
    }

    #[tokio::test]
    async fn joins_a_chunked_body() {
        let answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\
                       5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n";
        assert_eq!(answered_with(answer).await.expect("an answer"), b"hello world");
    }

    #[tokio::test]
    async fn reports_an_http_error_with_its_text() {
        let answer = b"HTTP/1.1 413 Too Large\r\nContent-Length: 7\r\n\r\ntoo big";
        let error = answered_with(answer).await.expect_err("a refusal").to_string();
        assert!(error.contains("413") && error.contains("too big"), "{error}");
    }

    #[tokio::test]
    async fn a_connection_closed_half_way_is_an_error() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort";
        let error = answered_with(answer).await.expect_err("cut off");
        assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    }

    #[test]
    fn refuses_heads_that_are_not_http() {
        for head in ["SSH-2.0\r\n\r\n", "HTTP/1.1 abc\r\n\r\n", "HTTP/1.1 200\r\nnonsense\r\n\r\n"]
        {
            assert!(parse_head(head.as_bytes()).is_err(), "{head:?}");
        }
        assert_eq!(parse_head(b"HTTP/1.1 200 OK\r\n").expect("incomplete"), None);
    }
}
