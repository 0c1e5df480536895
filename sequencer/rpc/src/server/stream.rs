//! A connection whose client must read.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, Sleep};

use super::account::Account;
use crate::Limits;

/// A TCP stream that fails when its peer takes too little of what is written. Holds the
/// connection's place among those of its port, over HTTP as after an upgrade to WebSocket.
///
/// The time that writes wait for the peer adds up, and every byte that it takes pays for some: a
/// peer that takes fewer than [`Limits::write_rate`] bytes a second is cut off once
/// [`Limits::write_timeout`] has gathered, and one that takes none as soon. Time in which nothing
/// waits to be written does not count.
#[derive(Debug)]
pub(super) struct TimedStream {
    stream: TcpStream,
    patience: Patience,
    /// Runs while a write waits.
    waiting: Option<Pin<Box<Sleep>>>,
    /// Whether the peer was too slow: then reading ends too. Over WebSocket another task than the
    /// writer's reads, and would learn of the end only when its peer speaks.
    broken: bool,
    account: Arc<Account>,
    _place: OwnedSemaphorePermit,
}

/// How long a peer has kept writes waiting.
#[derive(Debug)]
struct Patience {
    most: Duration,
    /// Bytes that pay for a second; zero if none are asked for.
    rate: u64,
    spent: Duration,
    /// When the write that waits began to.
    since: Option<Instant>,
}

impl Patience {
    const fn new(most: Duration, rate: u64) -> Self {
        Self { most, rate, spent: Duration::ZERO, since: None }
    }

    /// A write waits. Gives when it has for too long; `None` if that is known already.
    fn wait(&mut self, now: Instant) -> Option<Instant> {
        match self.since {
            Some(_) => None,
            None => {
                self.since = Some(now);
                Some(now + self.most.saturating_sub(self.spent))
            }
        }
    }

    /// The peer has taken bytes.
    fn progress(&mut self, now: Instant, bytes: usize) {
        if let Some(since) = self.since.take() {
            self.spent = self.spent.saturating_add(now.saturating_duration_since(since));
        }
        let nanos = u128::from(bytes as u64) * 1_000_000_000;
        let paid = nanos.checked_div(u128::from(self.rate)).unwrap_or(u128::MAX);
        let paid = Duration::from_nanos(u64::try_from(paid).unwrap_or(u64::MAX));
        self.spent = self.spent.saturating_sub(paid);
    }
}

impl TimedStream {
    pub(super) fn new(
        stream: TcpStream,
        limits: &Limits,
        account: Arc<Account>,
        place: OwnedSemaphorePermit,
    ) -> Self {
        let patience = Patience::new(limits.write_timeout, limits.write_rate);
        Self { stream, patience, waiting: None, broken: false, account, _place: place }
    }

    /// Passes the result of a write on, or fails when the peer has taken too little for too long.
    fn timed(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        if self.broken {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if let Poll::Ready(result) = result {
            let bytes = result.as_ref().map_or(0, |bytes| *bytes);
            self.patience.progress(Instant::now(), bytes);
            if self.waiting.take().is_some() {
                self.account.wake();
            }
            self.account.sent(bytes);
            return Poll::Ready(result);
        }
        if let Some(end) = self.patience.wait(Instant::now()) {
            self.waiting = Some(Box::pin(tokio::time::sleep_until(end)));
        }
        let Some(waiting) = &mut self.waiting else { return Poll::Pending };
        std::task::ready!(waiting.as_mut().poll(cx));
        self.broken = true;
        self.account.wake();
        metrics::counter!("sequencer_rpc_slow_readers_total").increment(1);
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    /// Whether nothing more is to be read for now: the peer must read first.
    fn is_deaf(&self) -> bool {
        !self.broken && (self.waiting.is_some() || self.account.is_deep())
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // Before looking, so that no change goes unseen.
        this.account.register(cx.waker());
        if this.broken {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if this.is_deaf() {
            return Poll::Pending;
        }
        Pin::new(&mut this.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for TimedStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write(cx, buf);
        this.timed(cx, result)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_write_vectored(cx, bufs);
        this.timed(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// When a peer that takes `bytes` after every `pause` is cut off, if it is within a day.
    fn cut_off(bytes: usize, pause: Duration) -> Option<Duration> {
        let mut patience = Patience::new(60 * SECOND, 8_192);
        let start = Instant::now();
        let mut now = start;
        while now < start + 86_400 * SECOND {
            let end = patience.wait(now).expect("nothing waits yet");
            if end <= now + pause {
                return Some(end - start);
            }
            now += pause;
            patience.progress(now, bytes);
        }
        None
    }

    #[test]
    fn a_peer_that_takes_too_little_is_cut_off_and_one_that_takes_enough_is_not() {
        assert_eq!(cut_off(0, 61 * SECOND), Some(60 * SECOND));
        let trickle = cut_off(1, SECOND).unwrap();
        assert!(trickle < 61 * SECOND, "{trickle:?}");
        let half = cut_off(4_096, SECOND).unwrap();
        assert!((118 * SECOND..122 * SECOND).contains(&half), "{half:?}");
        assert_eq!(cut_off(8_192, SECOND), None);
        assert_eq!(cut_off(400_000, 45 * SECOND), None, "in large pieces");
    }

    #[test]
    fn time_in_which_nothing_waits_does_not_count() {
        let mut patience = Patience::new(60 * SECOND, 8_192);
        let mut now = Instant::now();
        for _ in 0..1_000 {
            patience.wait(now);
            now += SECOND / 100;
            patience.progress(now, 100);
            now += 3_600 * SECOND;
            patience.progress(now, 1_000);
        }
        assert_eq!(patience.spent, Duration::ZERO);
    }
}
