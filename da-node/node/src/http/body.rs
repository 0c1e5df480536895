//! Reading a body from a sender who may be slow, endless or gone.
//!
//! The lowest rate holds at any time, not for the whole alone: what came early gives no credit beyond the
//! grace. So what a body takes up in memory is held for the grace at most by a sender who sends no more.
//! Memory is claimed as bytes arrive, never by the length that a request announces.

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
/// Bytes for which room is claimed first; it doubles from there.
pub(crate) const FIRST_ROOM: usize = 64 << 10;

/// What remains of a body, and what was read beyond the bytes asked for.
pub(crate) struct BodyReader {
    stream: BodyDataStream,
    rest: Bytes,
    /// Bytes taken off the connection.
    received: usize,
    started: Instant,
    /// The lowest rate is reckoned from then on, with the bytes that came since.
    reckoned: (Instant, usize),
    limits: ServerLimits,
}

impl BodyReader {
    pub(crate) fn new(body: Body, limits: ServerLimits) -> Self {
        let (stream, started) = (body.into_data_stream(), Instant::now());
        let reckoned = (started, 0);
        Self { stream, rest: Bytes::new(), received: 0, started, reckoned, limits }
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

    /// Reads to the end; a body of more than `limit` bytes is [`RefusalCode::TooLarge`]. Before memory
    /// is taken, `claim` is asked for the bytes that the body will then take up in all.
    pub(crate) async fn read_all(
        &mut self,
        limit: usize,
        mut claim: impl FnMut(usize) -> Result<(), Refusal> + Send,
    ) -> Result<Vec<u8>, Refusal> {
        let mut buffer = Vec::new();
        while self.next().await? {
            let length = buffer.len().saturating_add(self.rest.len());
            if length > limit {
                let message = format!("the body has more than {limit} bytes");
                return Err(Refusal::new(RefusalCode::TooLarge, message));
            }
            if length > buffer.capacity() {
                let doubled = buffer.capacity().saturating_mul(2).max(FIRST_ROOM);
                let room = doubled.min(limit).max(length);
                claim(room)?;
                buffer.reserve_exact(room.saturating_sub(buffer.len()));
            }
            buffer.extend_from_slice(&std::mem::take(&mut self.rest));
        }
        Ok(buffer)
    }

    /// Takes some of what is left off the connection.
    pub(crate) async fn drain(self) {
        drain(self.stream).await;
    }

    /// Waits for the next bytes; `false` at the end. The sender may fall behind the lowest rate by
    /// [`ServerLimits::body_grace`] and get ahead of it by no more than that.
    async fn next(&mut self) -> Result<bool, Refusal> {
        let frame = timeout_at(self.deadline(), self.stream.next()).await.map_err(|_| {
            let (bytes, seconds) = (self.received, self.started.elapsed().as_secs());
            let message = format!("only {bytes} bytes of the body arrived within {seconds} s");
            Refusal::new(RefusalCode::Timeout, message)
        })?;
        match frame {
            Some(Ok(bytes)) => {
                self.received = self.received.saturating_add(bytes.len());
                self.reckoned.1 = self.reckoned.1.saturating_add(bytes.len());
                let now = Instant::now();
                if self.deadline() > now + self.limits.body_grace {
                    self.reckoned = (now, 0);
                }
                self.rest = bytes;
                Ok(true)
            }
            Some(Err(error)) => Err(malformed(format!("the body broke off: {error}"))),
            None => Ok(false),
        }
    }

    fn deadline(&self) -> Instant {
        let (since, bytes) = self.reckoned;
        since + self.limits.time_for_body(bytes)
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

    fn limits() -> ServerLimits {
        ServerLimits {
            body_grace: Duration::from_millis(200),
            body_bytes_per_second: 1000,
            ..ServerLimits::default()
        }
    }

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
        BodyReader::new(body, limits())
    }

    #[tokio::test]
    async fn a_body_is_read_whole_up_to_the_limit() {
        let free = |_| Ok(());
        assert_eq!(reader(&[3, 4], true).read_all(7, free).await.unwrap(), vec![7; 7]);
        assert_eq!(reader(&[], true).read_all(7, free).await.unwrap(), Vec::<u8>::new());
        let refusal = reader(&[3, 5], true).read_all(7, free).await.unwrap_err();
        assert_eq!(refusal.code, RefusalCode::TooLarge);
    }

    #[tokio::test]
    async fn room_is_claimed_as_bytes_arrive() {
        let mut claimed = Vec::new();
        let mut body = reader(&[1000, FIRST_ROOM, 3 * FIRST_ROOM, 10, FIRST_ROOM], true);
        let claim = |bytes| {
            claimed.push(bytes);
            Ok(())
        };
        let read = body.read_all(5 * FIRST_ROOM + 2000, claim).await.unwrap();
        assert_eq!(read.len(), 5 * FIRST_ROOM + 1010);
        // Doubled, or what arrives at once where that is more, or the limit where that is less.
        let (piece, limit) = (FIRST_ROOM, 5 * FIRST_ROOM + 2000);
        assert_eq!(claimed, [piece, 2 * piece, 4 * piece + 1000, limit]);
        let busy = |bytes| match bytes {
            FIRST_ROOM => Ok(()),
            _ => Err(Refusal::new(RefusalCode::Busy, "full")),
        };
        let refusal = reader(&[1000, FIRST_ROOM], false).read_all(1 << 30, busy).await;
        assert_eq!(refusal.unwrap_err().code, RefusalCode::Busy);
    }

    #[tokio::test]
    async fn what_came_early_gives_no_more_than_the_grace() {
        // At the lowest rate the last of them would have a quarter of an hour.
        for received in [0, 100, 1_000_000] {
            let start = Instant::now();
            let free = |_| Ok(());
            let refusal = reader(&[received], false).read_all(1 << 30, free).await.unwrap_err();
            assert_eq!(refusal.code, RefusalCode::Timeout);
            assert!(start.elapsed() >= Duration::from_millis(200), "{received}");
            assert!(start.elapsed() < Duration::from_secs(10), "{received}");
        }
    }

    #[tokio::test]
    async fn a_sender_above_the_lowest_rate_is_never_cut_off() {
        // Twice the lowest rate, for longer than the grace.
        let pieces = stream::unfold(0, |sent| async move {
            tokio::time::sleep(Duration::from_millis(130)).await;
            (sent < 10).then(|| (Ok::<_, std::io::Error>(Bytes::from(vec![7; 260])), sent + 1))
        });
        let limits = ServerLimits { body_grace: Duration::from_secs(1), ..limits() };
        let mut body = BodyReader::new(Body::from_stream(Box::pin(pieces)), limits);
        assert_eq!(body.read_all(1 << 20, |_| Ok(())).await.unwrap().len(), 2600);
    }
}
