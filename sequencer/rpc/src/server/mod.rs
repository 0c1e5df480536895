//! The server: ports, connections, limits.
//!
//! jsonrpsee answers requests; accepting connections is ours, because its own loop has no time
//! limits for slow bodies and for clients that do not read. What protects the node:
//!
//! | against | limit |
//! |---|---|
//! | many connections | closed at once beyond the limit of the port |
//! | idle and half-open ones | header time limit over HTTP, pings over WebSocket |
//! | slow bodies | one time limit for the whole body, 408 |
//! | clients that do not read | closed below a lowest rate; subscriptions end when their buffer is full |
//! | unread answers | counted for each connection and for all; refused beyond, and not listened to |
//! | large bodies, deep JSON, long batches | refused with a typed error before they are worked on |
//! | slow methods | time limits, bounded threads and bounded queues before them |

mod accept;
mod account;
mod batch;
mod calls;
mod cors;
mod depth;
mod hosts;
mod http_service;
mod origins;
mod push;
mod send_batch;
mod stream;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::map::HashSet;
use jsonrpsee::core::middleware::RpcServiceBuilder;
use jsonrpsee::server::{
    BatchRequestConfig, IdProvider, PingConfig, Server, ServerConfig, StopHandle, stop_channel,
};
use jsonrpsee::types::SubscriptionId;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower::util::BoxCloneSyncService;

use crate::logs::random_id;
use crate::{Backend, Limits, Methods, NAMESPACES, PortConfig};
use accept::Port;
use account::{Account, Budget};
use calls::{CallLayer, Shared};
use hosts::AllowedHosts;
use origins::AllowedOrigins;
pub(crate) use push::{Ended, Origin, Subscriber};

/// Starts servers.
#[derive(Debug)]
pub struct RpcServer;

/// A running server. Dropping it stops the server without waiting.
#[derive(Debug)]
pub struct RpcHandle {
    addresses: Vec<SocketAddr>,
    stop: jsonrpsee::server::ServerHandle,
    ports: Vec<JoinHandle<()>>,
    filters: JoinHandle<()>,
}

impl RpcServer {
    /// Listens on the ports of the backend's settings and serves until stopped.
    ///
    /// # Errors
    /// When an address cannot be listened on; nothing is served then.
    pub async fn start(backend: Backend) -> io::Result<RpcHandle> {
        let mut listeners = Vec::new();
        for port in &backend.config.ports {
            listeners.push((TcpListener::bind(port.address).await?, port.clone()));
        }
        let (stopped, stop) = stop_channel();
        let budget = Budget::new(&backend.config.limits);
        let mut addresses = Vec::new();
        let mut ports = Vec::new();
        for (listener, port) in listeners {
            let address = listener.local_addr()?;
            tracing::info!(target: "sequencer::rpc", %address, "serving HTTP and WebSocket");
            addresses.push(address);
            let port = build(&backend, &port, &budget, &stopped);
            ports.push(tokio::spawn(accept::run(listener, port)));
        }
        let filters = crate::logs::feed_filters(backend.chain.clone(), backend.filters.clone());
        Ok(RpcHandle { addresses, stop, ports, filters: tokio::spawn(filters) })
    }
}

impl RpcHandle {
    /// Addresses listened on, in the order of the settings.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Stops accepting, lets open requests end within the time of the settings, and returns when
    /// every connection is closed.
    pub async fn stop(mut self) {
        self.filters.abort();
        // An error means that it was stopped before.
        let _ = self.stop.stop();
        for port in std::mem::take(&mut self.ports) {
            if let Err(error) = port.await {
                tracing::error!(target: "sequencer::rpc", %error, "a port ended badly");
            }
        }
    }
}

impl Drop for RpcHandle {
    fn drop(&mut self) {
        self.filters.abort();
        let _ = self.stop.stop();
    }
}

fn build(backend: &Backend, port: &PortConfig, budget: &Arc<Budget>, stopped: &StopHandle) -> Port {
    let limits = &backend.config.limits;
    let methods: jsonrpsee::Methods = table(backend, port).into();
    let calls = Shared::new(methods.clone(), backend);
    let builder = Server::builder()
        .set_config(server_config(limits))
        .set_http_middleware(
            tower::ServiceBuilder::new().option_layer(cors::layer(&port.cors_origins)),
        )
        .to_service_builder();
    let stop = stopped.clone();
    // One service for each connection: it carries the connection's id and account.
    let service = move |account: &Arc<Account>| {
        let calls = CallLayer::new(&calls, account);
        let middleware = RpcServiceBuilder::new().layer(calls);
        let builder = builder.clone().set_rpc_middleware(middleware);
        BoxCloneSyncService::new(builder.build(methods.clone(), stop.clone()))
    };
    Port {
        service: Arc::new(service),
        hosts: Arc::new(AllowedHosts::new(&port.allowed_hosts)),
        origins: Arc::new(AllowedOrigins::new(&port.cors_origins)),
        limits: Arc::new(limits.clone()),
        budget: budget.clone(),
        stopped: stopped.clone(),
    }
}

/// All methods that a port serves.
fn table(backend: &Backend, port: &PortConfig) -> jsonrpsee::RpcModule<Backend> {
    let mut served: HashSet<String> = if port.namespaces.is_empty() {
        NAMESPACES.iter().map(|name| (*name).to_owned()).collect()
    } else {
        port.namespaces.iter().cloned().collect()
    };
    // Tests of Ethereum clients build blocks; only whoever names the namespace commits them too.
    let builds_only = port.namespaces.is_empty() && !backend.spec().is_optimism();
    if builds_only {
        served.insert("testing".into());
    }
    let mut methods = Methods::new(backend.clone(), Some(served));
    crate::eth::register(&mut methods);
    crate::logs::register(&mut methods);
    crate::execution::register(&mut methods);
    crate::txpool::register(&mut methods);
    crate::debug_raw::register(&mut methods);
    crate::testing::register(&mut methods, !builds_only);
    crate::feed::register(&mut methods, backend.config.feed_signer.clone());
    crate::rollup::register(&mut methods, backend, port.address.ip().is_loopback());
    // Last: it lists what is there.
    crate::node::register(&mut methods);
    methods.into_module()
}

fn server_config(limits: &Limits) -> ServerConfig {
    let ping = PingConfig::new()
        .ping_interval(limits.ping_interval)
        .inactive_limit(limits.ping_interval.saturating_mul(2).max(Duration::from_secs(1)))
        .max_failures(1);
    ServerConfig::builder()
        .max_request_body_size(limits.request_bytes)
        .max_response_body_size(limits.response_bytes)
        .max_connections(limits.connections)
        .max_subscriptions_per_connection(limits.subscriptions)
        .set_batch_request_config(BatchRequestConfig::Limit(limits.batch_entries))
        .set_message_buffer_capacity(limits.subscription_buffer)
        .enable_ws_ping(ping)
        .set_id_provider(Ids)
        .build()
}

/// Subscription ids as geth makes them.
#[derive(Debug)]
struct Ids;

impl IdProvider for Ids {
    fn next_id(&self) -> SubscriptionId<'static> {
        SubscriptionId::Str(random_id().into())
    }
}
