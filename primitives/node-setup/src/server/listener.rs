//! The listener.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ConnectInfo;
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinHandle;

use super::ServerLimits;
use super::peers::Peers;
use super::prompt_reader::PromptReader;
use crate::SetupError;

/// Bytes of a connection that are buffered; request line and headers must fit.
const BUFFER_BYTES: usize = 64 << 10;
/// How long requests in progress may take to end when the node stops.
const STOP_TIME: Duration = Duration::from_secs(10);
/// Pause after an accept that failed, mostly for want of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A running server.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl Server {
    /// Listens and serves.
    ///
    /// # Errors
    /// [`SetupError::Listen`].
    pub async fn start(
        listen: SocketAddr,
        router: Router,
        limits: ServerLimits,
    ) -> Result<Self, SetupError> {
        let failed = |source| SetupError::Listen { address: listen, source };
        let listener = TcpListener::bind(listen).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(serve(listener, router, limits, stopped));
        Ok(Self { address, stop, task })
    }

    /// Where it listens.
    pub const fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Accepts nothing more and waits for the requests in progress, up to ten seconds.
    pub async fn stop(self) {
        // A server that has ended on its own needs no telling.
        let _ = self.stop.send(());
        if let Err(error) = self.task.await {
            tracing::warn!(target: "node::http", %error, "server");
        }
    }
}

async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ServerLimits,
    mut stopped: oneshot::Receiver<()>,
) {
    let graceful = GracefulShutdown::new();
    let permits = Arc::new(Semaphore::new(limits.connections));
    let peers = Peers::new(limits.connections_per_peer);
    loop {
        let accepted = async {
            let permit = permits.clone().acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            accepted = accepted => accepted,
            _ = &mut stopped => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Dropped, and thereby closed: an answer would cost more than the connection.
                let Some(admitted) = peers.admit(peer.ip()) else {
                    tracing::debug!(target: "node::http", %peer, "too many connections");
                    continue;
                };
                // Handlers that share out memory by address find it in the request.
                let router = router.clone().layer(Extension(ConnectInfo(peer)));
                let connection = graceful.watch(connection(stream, router, &limits));
                tokio::spawn(async move {
                    // Most errors here are senders who went away or ran into a limit.
                    if let Err(error) = connection.await {
                        tracing::debug!(target: "node::http", %error, "connection");
                    }
                    drop((admitted, permit));
                });
            }
            Err(error) => {
                tracing::warn!(target: "node::http", %error, "accept");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(STOP_TIME, graceful.shutdown()).await.is_err() {
        tracing::warn!(target: "node::http", "requests were still in progress when the node stopped");
    }
}

fn connection(
    stream: TcpStream,
    router: Router,
    limits: &ServerLimits,
) -> http1::Connection<TokioIo<PromptReader<TcpStream>>, TowerToHyperService<Router>> {
    // Small answers should not wait for more; a socket that cannot do that works all the same.
    let _ = stream.set_nodelay(true);
    let stream = PromptReader::new(stream, limits.answer_grace, limits.answer_bytes_per_second);
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
