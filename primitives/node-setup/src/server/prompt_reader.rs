//! A connection whose peer has to take what it asked for.
//!
//! A peer that sends requests and never reads fills the buffers between, and would hold its connection for as
//! long as it likes. So the bytes of a connection must leave at a lowest rate all along, but for a grace: when
//! they wait, the time that they may wait for runs, and each byte that leaves gives back its part of it.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

/// A stream that fails with [`io::ErrorKind::TimedOut`] when its peer reads too slowly.
#[derive(Debug)]
pub(crate) struct PromptReader<S> {
    stream: S,
    grace: Duration,
    bytes_per_second: u64,
    /// Armed from the first write that had to wait until all is written.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<S> PromptReader<S> {
    pub(crate) const fn new(stream: S, grace: Duration, bytes_per_second: u64) -> Self {
        Self { stream, grace, bytes_per_second, deadline: None }
    }

    /// What a write came to; the time of those that wait runs.
    fn judge(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(Ok(bytes)) => {
                if let Some(deadline) = &mut self.deadline {
                    let rate = self.bytes_per_second.max(1);
                    let earned = (bytes as u64).saturating_mul(1_000_000) / rate;
                    let later = deadline.deadline() + Duration::from_micros(earned);
                    deadline.as_mut().reset(later.min(Instant::now() + self.grace));
                }
                Poll::Ready(Ok(bytes))
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => {
                let end = Instant::now() + self.grace;
                let deadline = self.deadline.get_or_insert_with(|| Box::pin(sleep_until(end)));
                ready!(deadline.as_mut().poll(context));
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for PromptReader<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for PromptReader<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.judge(written, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.judge(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// Called when nothing is left to be written.
    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(context))?;
        self.deadline = None;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const GRACE: Duration = Duration::from_millis(300);
    const RATE: u64 = 100_000;

    #[tokio::test]
    async fn a_peer_that_reads_nothing_is_given_up_after_the_grace() {
        let (stream, peer) = duplex(1000);
        let mut stream = PromptReader::new(stream, GRACE, RATE);
        let start = Instant::now();
        let error = stream.write_all(&[7; 5000]).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(start.elapsed() >= GRACE);
        drop(peer);
    }

    /// Writes to a peer that reads `step` bytes every ten milliseconds; how long that went well.
    async fn write_to_a_peer_of(step: usize) -> Result<(), Duration> {
        let (stream, mut peer) = duplex(1000);
        let mut stream = PromptReader::new(stream, GRACE, RATE);
        let reading = tokio::spawn(async move {
            let mut bytes = vec![0; step];
            while peer.read_exact(&mut bytes).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        let start = Instant::now();
        let written = stream.write_all(&vec![7; 400_000]).await;
        let elapsed = start.elapsed();
        drop(stream);
        reading.await.unwrap();
        written.map_err(|_| elapsed)
    }

    #[tokio::test]
    async fn the_lowest_rate_holds_all_along() {
        // Eight times the lowest rate, which takes longer than the grace, and a tenth of it.
        assert_eq!(write_to_a_peer_of(8000).await, Ok(()));
        let given_up = write_to_a_peer_of(100).await.unwrap_err();
        assert!(given_up > GRACE && given_up < 10 * GRACE, "{given_up:?}");
    }

    #[tokio::test]
    async fn time_in_which_nothing_waits_does_not_count() {
        let (stream, mut peer) = duplex(1000);
        let mut stream = PromptReader::new(stream, GRACE, RATE);
        let mut bytes = vec![0; 2000];
        for _ in 0..3 {
            let (written, read) =
                tokio::join!(stream.write_all(&[7; 2000]), peer.read_exact(&mut bytes));
            assert!(written.is_ok() && read.is_ok());
            stream.flush().await.unwrap();
            tokio::time::sleep(2 * GRACE).await;
        }
    }
}
