//! Reading a body of known length from a sender who may be slow, endless or gone.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use bytes::Bytes;
use cairn_primitives::da::{Refusal, RefusalCode};
use futures::StreamExt;
use tokio::time::{Instant, timeout_at};

use super::ServerLimits;
use super::refuse::malformed;

/// Bytes of a refused body that are still taken off the connection, so that the sender gets to
/// read why; beyond them the connection is closed.
const DRAINED_BYTES: usize = 64 << 20;
const DRAINED_FOR: Duration = Duration::from_secs(5);

/// What remains of a body, and what was read beyond the bytes asked for.
pub(super) struct BodyReader {
    stream: BodyDataStream,
    rest: Bytes,
    started: Instant,
    limits: ServerLimits,
}

impl BodyReader {
    pub(super) fn new(body: Body, limits: ServerLimits) -> Self {
        let started = Instant::now();
        Self { stream: body.into_data_stream(), rest: Bytes::new(), started, limits }
    }

    /// Reads on until `buffer` has `length` bytes.
    ///
    /// The whole body has as long as [`ServerLimits::body_grace`] and the lowest rate give it.
    pub(super) async fn read_to(
        &mut self,
        buffer: &mut Vec<u8>,
        length: usize,
    ) -> Result<(), Refusal> {
        let deadline = self.started + self.limits.time_for_body(length);
        while buffer.len() < length {
            let wanted = length - buffer.len();
            if self.rest.is_empty() && !self.next(deadline).await? {
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
        let deadline = self.started + self.limits.time_for_body(length);
        while self.rest.is_empty() {
            if !self.next(deadline).await? {
                return Ok(());
            }
        }
        Err(malformed(format!("the body goes on after {length} bytes")))
    }

    /// Takes some of what is left off the connection.
    pub(super) async fn drain(self) {
        drain(self.stream).await;
    }

    /// Waits for the next bytes; `false` at the end.
    async fn next(&mut self, deadline: Instant) -> Result<bool, Refusal> {
        let frame = timeout_at(deadline, self.stream.next()).await.map_err(|_| {
            let seconds = self.started.elapsed().as_secs();
            let message = format!("the body did not arrive within {seconds} s");
            Refusal::new(RefusalCode::Timeout, message)
        })?;
        match frame {
            Some(Ok(bytes)) => {
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
