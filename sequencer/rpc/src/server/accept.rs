//! Accepting connections, and ending them.

use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use jsonrpsee::server::StopHandle;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::account::{Account, Budget};
use super::hosts::AllowedHosts;
use super::http_service::{NewService, respond};
use super::origins::AllowedOrigins;
use super::stream::TimedStream;
use crate::Limits;

/// Largest head of a request, and read buffer of a connection.
const HEAD_BYTES: usize = 64 << 10;
/// How long to wait after accepting failed, as when file descriptors have run out.
const ACCEPT_RETRY: Duration = Duration::from_millis(100);

/// Everything that a port's connections share.
#[derive(Clone)]
pub(super) struct Port {
    pub(super) service: NewService,
    pub(super) hosts: Arc<AllowedHosts>,
    pub(super) origins: Arc<AllowedOrigins>,
    pub(super) limits: Arc<Limits>,
    pub(super) budget: Arc<Budget>,
    pub(super) stopped: StopHandle,
}

/// Accepts connections until stopped, then waits for them.
pub(super) async fn run(listener: TcpListener, port: Port) {
    let places = usize::try_from(port.limits.connections).unwrap_or(usize::MAX);
    let places = Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
    let mut open = JoinSet::new();
    let stopped = port.stopped.clone().shutdown();
    tokio::pin!(stopped);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stopped => break,
            Some(_) = open.join_next() => continue,
        };
        match accepted {
            Ok((stream, _)) => {
                let Ok(place) = places.clone().try_acquire_owned() else {
                    metrics::counter!("sequencer_rpc_connections_refused_total").increment(1);
                    continue;
                };
                let account = Account::new(&port.budget);
                let stream = prepare(stream);
                let stream = TimedStream::new(stream, &port.limits, account.clone(), place);
                open.spawn(serve(stream, account, port.clone()));
            }
            Err(error) => {
                tracing::warn!(target: "sequencer::rpc", %error, "accepting a connection failed");
                tokio::time::sleep(ACCEPT_RETRY).await;
            }
        }
    }
    drop(listener);
    let ended = async { while open.join_next().await.is_some() {} };
    if tokio::time::timeout(port.limits.stop_timeout, ended).await.is_err() {
        tracing::info!(target: "sequencer::rpc", left = open.len(), "closing busy connections");
    }
    open.shutdown().await;
}

/// Small answers leave at once instead of waiting for more.
fn prepare(stream: TcpStream) -> TcpStream {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(target: "sequencer::rpc", %error, "TCP_NODELAY cannot be set");
    }
    stream
}

async fn serve(stream: TimedStream, account: Arc<Account>, port: Port) {
    let connections = metrics::gauge!("sequencer_rpc_connections");
    connections.increment(1.0);
    let stopped = port.stopped.clone().shutdown();
    let service = (port.service)(&account);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(port.limits.header_timeout)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(
            TokioIo::new(stream),
            service_fn(|request| respond(request, service.clone(), &port, &account)),
        )
        .with_upgrades();
    tokio::pin!(connection, stopped);
    let result = tokio::select! {
        result = &mut connection => result,
        () = &mut stopped => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = result {
        tracing::trace!(target: "sequencer::rpc", %error, "connection ended");
    }
    connections.decrement(1.0);
}
