//! A connection whose writes have a time limit.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Sleep;

/// A TCP stream that fails when its peer takes nothing for too long. Holds the connection's place
/// among those of its port, over HTTP as after an upgrade to WebSocket.
#[derive(Debug)]
pub(super) struct TimedStream {
    stream: TcpStream,
    write_timeout: Duration,
    waiting: Option<Pin<Box<Sleep>>>,
    /// Whether a write has taken too long: then reading ends too.
    broken: bool,
    /// Who waits for something to read. Over WebSocket that is another task than the writer's, and
    /// would learn of the end only when its peer speaks.
    reader: Option<Waker>,
    _place: OwnedSemaphorePermit,
}

impl TimedStream {
    pub(super) fn new(
        stream: TcpStream,
        write_timeout: Duration,
        place: OwnedSemaphorePermit,
    ) -> Self {
        Self { stream, write_timeout, waiting: None, broken: false, reader: None, _place: place }
    }

    /// Passes a result on, or fails when there has been none for too long.
    fn timed<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if self.broken {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        if result.is_ready() {
            self.waiting = None;
            return result;
        }
        let timeout = self.write_timeout;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(tokio::time::sleep(timeout)));
        ready!(waiting.as_mut().poll(cx));
        self.broken = true;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for TimedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.broken {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let result = Pin::new(&mut this.stream).poll_read(cx, buf);
        if result.is_pending() {
            this.reader = Some(cx.waker().clone());
        }
        result
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
        let this = self.get_mut();
        let result = Pin::new(&mut this.stream).poll_flush(cx);
        this.timed(cx, result)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
