//! A client's side of the WebSocket protocol (RFC 6455), as far as JSON-RPC needs
//! it: whole text messages out, whole messages in, pings answered.
//!
//! Messages go out with a masking key of zeros, which the protocol allows and
//! which leaves prepared bytes as they are.

use std::io::{Error, ErrorKind, Result};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use super::Endpoint;

/// A message longer than this is refused instead of buffered.
const MAX_MESSAGE: usize = 1 << 28;
const MAX_HEAD: usize = 64 * 1024;
const READ_CHUNK: usize = 64 * 1024;
const FIN: u8 = 0x80;
const MASKED: u8 = 0x80;

const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
const PONG: u8 = 0xa;

/// The receiving half of a connection.
#[derive(Debug)]
pub struct WsReader {
    stream: OwnedReadHalf,
    received: Vec<u8>,
    /// Where the frame behind the last one handed out starts.
    consumed: usize,
}

/// The sending half of a connection.
#[derive(Debug)]
pub struct WsWriter {
    stream: OwnedWriteHalf,
}

/// What a server sends.
#[derive(Debug, PartialEq, Eq)]
pub enum WsMessage<'a> {
    /// A whole message.
    Data(&'a [u8]),
    /// To be answered with [`pong_frame`] of the same bytes.
    Ping(&'a [u8]),
}

/// The bytes of a whole text message.
#[must_use]
pub fn text_frame(body: &[u8]) -> Vec<u8> {
    frame(TEXT, body)
}

/// The answer to a ping.
#[must_use]
pub fn pong_frame(body: &[u8]) -> Vec<u8> {
    frame(PONG, body)
}

fn frame(kind: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len() + 14);
    bytes.push(FIN | kind);
    match u16::try_from(body.len()) {
        Ok(short @ 0..=125) => bytes.push(MASKED | short as u8),
        Ok(medium) => {
            bytes.push(MASKED | 126);
            bytes.extend_from_slice(&medium.to_be_bytes());
        }
        Err(_) => {
            bytes.push(MASKED | 127);
            bytes.extend_from_slice(&(body.len() as u64).to_be_bytes());
        }
    }
    bytes.extend_from_slice(&[0; 4]);
    bytes.extend_from_slice(body);
    bytes
}

/// Connects and shakes hands.
///
/// # Errors
/// When nobody listens there or the server does not speak WebSocket.
pub async fn connect(endpoint: &Endpoint) -> Result<(WsReader, WsWriter)> {
    let stream = TcpStream::connect(endpoint.authority()).await?;
    stream.set_nodelay(true)?;
    let (mut reading, mut writing) = stream.into_split();
    // The key only guards against caches that replay; any 16 bytes do.
    let request = format!(
        "GET {} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: Y2Fpcm4tYmVuY2gtMDAwMA==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        endpoint.path(),
        endpoint.authority()
    );
    writing.write_all(request.as_bytes()).await?;
    let mut received = Vec::with_capacity(READ_CHUNK);
    let end = loop {
        if let Some(end) = memchr::memmem::find(&received, b"\r\n\r\n") {
            break end + 4;
        }
        if received.len() > MAX_HEAD || reading.read_buf(&mut received).await? == 0 {
            return Err(malformed("no answer to the handshake"));
        }
    };
    if !received.starts_with(b"HTTP/1.1 101") {
        return Err(malformed("the server refuses WebSocket"));
    }
    let reader = WsReader { stream: reading, received, consumed: end };
    Ok((reader, WsWriter { stream: writing }))
}

impl WsWriter {
    /// Sends whole frames made by [`text_frame`] or [`pong_frame`].
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn send(&mut self, frames: &[u8]) -> Result<()> {
        self.stream.write_all(frames).await
    }
}

impl WsReader {
    /// Waits for the next message.
    ///
    /// # Errors
    /// When the server closes, breaks off, or sends what is not a whole message.
    pub async fn next(&mut self) -> Result<WsMessage<'_>> {
        loop {
            let rest = &self.received[self.consumed..];
            if let Some(frame) = parse_frame(rest)? {
                let start = self.consumed + frame.start;
                let end = start + frame.length;
                self.consumed = end;
                let body = start..end;
                match frame.kind {
                    TEXT | BINARY => return Ok(WsMessage::Data(&self.received[body])),
                    PING => return Ok(WsMessage::Ping(&self.received[body])),
                    PONG => continue,
                    CLOSE => return Err(ErrorKind::ConnectionAborted.into()),
                    _ => return Err(malformed("unknown or fragmented frame")),
                }
            }
            self.received.drain(..self.consumed);
            self.consumed = 0;
            self.received.reserve(READ_CHUNK);
            if self.stream.read_buf(&mut self.received).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

/// A frame at the front of what was received.
#[derive(Debug, PartialEq, Eq)]
struct Frame {
    kind: u8,
    start: usize,
    length: usize,
}

/// `None` while the frame is incomplete. A fragment has a kind of its own here,
/// 0, because nothing that is asked for comes in fragments.
fn parse_frame(bytes: &[u8]) -> Result<Option<Frame>> {
    let [first, second, rest @ ..] = bytes else { return Ok(None) };
    if second & MASKED != 0 {
        return Err(malformed("masked by the server"));
    }
    let (start, length) = match (second, rest) {
        (126, [a, b, ..]) => (4, usize::from(u16::from_be_bytes([*a, *b]))),
        (127, [a, b, c, d, e, f, g, h, ..]) => {
            let length = u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
            (10, usize::try_from(length).map_err(|_| malformed("message too long"))?)
        }
        (126 | 127, _) => return Ok(None),
        (short, _) => (2, usize::from(*short)),
    };
    if length > MAX_MESSAGE {
        return Err(malformed("message too long"));
    }
    let kind = if first & FIN == 0 { 0 } else { first & 0x0f };
    Ok((bytes.len() - start >= length).then_some(Frame { kind, start, length }))
}

fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("WebSocket: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server's frame is a client's without the masking key and its bit.
    fn from_server(kind: u8, body: &[u8]) -> Vec<u8> {
        let mut bytes = frame(kind, body);
        let key = match bytes[1] & 0x7f {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        bytes[1] &= 0x7f;
        bytes.drain(key..key + 4);
        bytes
    }

    #[test]
    fn reads_lengths_of_all_three_forms_and_waits_for_the_rest() {
        for length in [0, 1, 125, 126, 65_535, 65_536] {
            let body = vec![b'x'; length];
            let bytes = from_server(TEXT, &body);
            let frame = parse_frame(&bytes).expect("a frame").expect("whole");
            assert_eq!((frame.kind, frame.length), (TEXT, length));
            assert_eq!(frame.start + length, bytes.len());
            assert_eq!(parse_frame(&bytes[..bytes.len() - 1]).expect("a part"), None);
        }
    }

    #[test]
    fn refuses_masked_and_endless_frames() {
        assert!(parse_frame(&text_frame(b"x")).is_err());
        let endless = [FIN | TEXT, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert!(parse_frame(&endless).is_err());
    }

    #[tokio::test]
    async fn messages_arrive_whole_and_pings_are_shown() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let server = tokio::spawn(async move {
            let (mut socket, _) = listener.accept().await?;
            let mut request = [0u8; 4096];
            let _ = socket.read(&mut request).await?;
            let mut answer = b"HTTP/1.1 101 Switching Protocols\r\n\r\n".to_vec();
            answer.extend(from_server(TEXT, b"one"));
            answer.extend(from_server(PING, b"p"));
            answer.extend(from_server(TEXT, &[b'y'; 300]));
            answer.extend(from_server(CLOSE, b""));
            for piece in answer.chunks(11) {
                socket.write_all(piece).await?;
                tokio::task::yield_now().await;
            }
            Ok::<_, Error>(())
        });
        let endpoint = format!("http://{address}").parse().expect("an address");
        let (mut reader, _writer) = connect(&endpoint).await.expect("a handshake");
        assert_eq!(reader.next().await.expect("a message"), WsMessage::Data(b"one"));
        assert_eq!(reader.next().await.expect("a ping"), WsMessage::Ping(b"p"));
        assert_eq!(reader.next().await.expect("a message"), WsMessage::Data(&[b'y'; 300]));
        let end = reader.next().await.expect_err("closed");
        assert_eq!(end.kind(), ErrorKind::ConnectionAborted);
        server.await.expect("the server ends").expect("it wrote everything");
    }
}
