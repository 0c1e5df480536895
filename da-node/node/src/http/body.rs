//! Reading a body from a sender who may be slow, endless or gone.
//!
//! The lowest rate holds at any time, not for the whole alone: what a body takes up in memory is
//! held for the grace at most by a sender who sends its first bytes and no more.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use cairn_node_setup::ServerLimits;
use cairn_primitives::da::{Refusal, RefusalCode};
use futures::StreamExt;
use tokio::time::{Instant, timeout_at};

use super::refuse::malformed;

/// Bytes of a refused body that are still taken off the connection, so that the sender gets to
/// read why; beyond them the connection is closed.
const DRAINED_BYTES: usize = 64 << 20;
const DRAINED_FOR: Duration = Duration::from_secs(5);

/// What remains of a body, and what was read beyond the bytes asked for.
pub(crate) struct BodyReader {
    stream: BodyDataStream,
    rest: Bytes,
    /// Bytes taken off the connection.
    received: usize,
    started: Instant,
    limits: ServerLimits,
}

impl BodyReader {
    pub(crate) fn new(body: Body, limits: ServerLimits) -> Self {
        let (stream, started) = (body.into_data_stream(), Instant::now());
        Self { stream, rest: Bytes::new(), received: 0, started, limits }
    }

    /// Reads on until `buffer` has `length` bytes.
    pub(super) async fn read_to(
        &mut self,
        buffer: &mut Vec<u8>,
        length: usize,
    ) -> Result<(), Refusal> {
        while buffer.len() < length {
            let wanted = length - buffer.len();
            if self.rest.is_empty() && !self.next().await? {
                let message = format!("the body ended after {} of {length} bytes", buffer.len());
                return Err(malformed(message));
            }
            let taken = self.rest.split_to(wanted.min(self.rest.len()));
            buffer.extend_from_slice(&taken);
        }
        Ok(())
    }

    /// Checks that the body has ended.
    pub(super) async fn expect_end(&mut self, length: usize) -> Result<(), Refusal> {
        while self.rest.is_empty() {
            if !self.next().await? {
                return Ok(());
            }
        }
        Err(malformed(format!("the body goes on after {length} bytes")))
    }

    /// Reads to the end; a body of more than `limit` bytes is [`RefusalCode::TooLarge`].
    pub(crate) async fn read_all(&mut self, limit: usize) -> Result<Vec<u8>, Refusal> {
        let mut buffer = Vec::new();
        while self.next().await? {
            if buffer.len().saturating_add(self.rest.len()) > limit {
                let message = format!("the body has more than {limit} bytes");
                return Err(Refusal::new(RefusalCode::TooLarge, message));
            }
            buffer.extend_from_slice(&std::mem::take(&mut self.rest));
        }
        Ok(buffer)
    }

    /// Takes some of what is left off the connection.
    pub(super) async fn drain(self) {
        drain(self.stream).await;
    }

    /// Waits for the next bytes; `false` at the end. They must be here by the time that those
    /// before them take at the lowest rate, and [`ServerLimits::body_grace`].
    async fn next(&mut self) -> Result<bool, Refusal> {
        let deadline = self.started + self.limits.time_for_body(self.received);
        let frame = timeout_at(deadline, self.stream.next()).await.map_err(|_| {
            let (bytes, seconds) = (self.received, self.started.elapsed().as_secs());
            let message = format!("only {bytes} bytes of the body arrived within {seconds} s");
            Refusal::new(RefusalCode::Timeout, message)
        })?;
        match frame {
            Some(Ok(bytes)) => {
                self.received = self.received.saturating_add(bytes.len());
                self.rest = bytes;
                Ok(true)
            }
            Some(Err(error)) => Err(malformed(format!("the body broke off: {error}"))),
            None => Ok(false),
        }
    }
}

/// Takes some of a body off its connection.
pub(crate) async fn drain(mut stream: BodyDataStream) {
    let taking = async {
        let mut drained = 0;
        while drained < DRAINED_BYTES {
            match stream.next().await {
                Some(Ok(bytes)) => drained += bytes.len(),
                Some(Err(_)) | None => return,
            }
        }
    };
    // Who is slower than that does not get to read the answer.
    let _ = tokio::time::timeout(DRAINED_FOR, taking).await;
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    fn reader(pieces: &[usize], ends: bool) -> BodyReader {
        let pieces: Vec<_> = pieces
            .iter()
            .map(|length| Ok::<_, std::io::Error>(Bytes::from(vec![7; *length])))
            .collect();
        let pieces = stream::iter(pieces);
        let body = if ends {
            Body::from_stream(pieces)
        } else {
            Body::from_stream(pieces.chain(stream::pending()))
        };
        let limits = ServerLimits {
            body_grace: Duration::from_millis(200),
            body_bytes_per_second: 1000,
            ..ServerLimits::default()
        };
        BodyReader::new(body, limits)
    }

    #[tokio::test]
    async fn a_body_is_read_whole_up_to_the_limit() {
        assert_eq!(reader(&[3, 4], true).read_all(7).await.unwrap(), vec![7; 7]);
        assert_eq!(reader(&[], true).read_all(7).await.unwrap(), Vec::<u8>::new());
        let refusal = reader(&[3, 5], true).read_all(7).await.unwrap_err();
        assert_eq!(refusal.code, RefusalCode::TooLarge);
    }

    #[tokio::test]
    async fn what_came_gives_the_time_for_what_comes() {
        for (received, millis) in [(0, 200), (100, 300), (400, 600)] {
            let start = Instant::now();
            let refusal = reader(&[received], false).read_all(1 << 30).await.unwrap_err();
            assert_eq!(refusal.code, RefusalCode::Timeout);
            assert!(start.elapsed() >= Duration::from_millis(millis), "{received}");
            assert!(start.elapsed() < Duration::from_millis(millis + 2000), "{received}");
        }
    }
}
