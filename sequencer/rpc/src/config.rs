//! What an operator can set.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use alloy_signer_local::PrivateKeySigner;

/// Settings of the RPC server. Sizes are bytes.
#[derive(Debug, Clone)]
pub struct RpcConfig {
    /// Ports. Each serves HTTP and WebSocket.
    pub ports: Vec<PortConfig>,
    /// Limits of connections, requests and responses.
    pub limits: Limits,
    /// Limits of single methods.
    pub methods: MethodLimits,
    /// What `web3_clientVersion` says.
    pub client_version: String,
    /// Whether submitted transactions count as the node's own, which are journaled and not evicted.
    /// For private nodes only: it takes the pool's limits away.
    pub local_transactions: bool,
    /// Signs the blocks of the feed. Without it there is none.
    pub feed_signer: Option<Arc<PrivateKeySigner>>,
}

/// One port.
#[derive(Debug, Clone)]
pub struct PortConfig {
    /// Address to listen on; port 0 takes any free one.
    pub address: SocketAddr,
    /// Namespaces served, such as `eth`; empty serves all of [`NAMESPACES`], and under Ethereum
    /// rules `testing_buildBlockV1`.
    pub namespaces: Vec<String>,
    /// Origins that browsers may call from: `*`, or a list. Empty sends no CORS headers, and lets
    /// only pages of `http://localhost` open a WebSocket.
    pub cors_origins: Vec<String>,
    /// Values of the Host header that are served, against DNS rebinding: `*` or a list, where
    /// requests to an IP address always pass. Empty serves all.
    pub allowed_hosts: Vec<String>,
}

/// Namespaces that a port serves when it names none; `optimism` has methods on a rollup alone, `cairn`
/// on a sequencer that signs a feed. `admin` must be named, and so must `testing` but for building blocks under Ethereum rules.
pub const NAMESPACES: [&str; 9] =
    ["eth", "net", "web3", "txpool", "debug", "trace", "rpc", "optimism", "cairn"];

/// Limits that keep memory bounded whatever clients do.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Largest request body or WebSocket message.
    pub request_bytes: u32,
    /// Largest response, of a whole batch too.
    pub response_bytes: u32,
    /// Most entries of a batch.
    pub batch_entries: u32,
    /// Entries of one batch that are worked on at once.
    pub batch_concurrency: usize,
    /// Deepest nesting of arrays and objects in a request.
    pub json_depth: usize,
    /// Most open connections of a port; further ones are closed at once.
    pub connections: u32,
    /// Most subscriptions of one connection.
    pub subscriptions: u32,
    /// Messages that wait for a slow WebSocket client before its subscriptions wait too.
    pub subscription_buffer: u32,
    /// How long a client may take for the headers of a request, idle time between two requests
    /// included.
    pub header_timeout: Duration,
    /// How long a client may take for a request body.
    pub body_timeout: Duration,
    /// How long writes may wait for a client, all together, less what it has paid for by reading.
    pub write_timeout: Duration,
    /// Bytes by which a client that reads pays for a second of waiting: one that keeps data waiting
    /// and takes less a second is closed in the end. Zero closes only clients that take nothing.
    pub write_rate: u64,
    /// Bytes of requests in progress and of unread answers that all clients keep together. What
    /// does not fit is refused; beside it stand the answers being made, one for each thread.
    pub kept_bytes: usize,
    /// The same for one connection. Less than `response_bytes` refuses the largest answers.
    pub connection_kept_bytes: usize,
    /// Interval of WebSocket pings; a connection that answers none of two is closed.
    pub ping_interval: Duration,
    /// Threads for methods that read.
    pub read_threads: usize,
    /// Threads for methods that read many blocks. They come beside the others, so that no number
    /// of such calls holds up the rest.
    pub scan_threads: usize,
    /// Threads for methods that run the EVM.
    pub execution_threads: usize,
    /// Calls that may wait for such a thread; further ones are refused.
    pub waiting_calls: usize,
    /// How long open requests may take after a stop.
    pub stop_timeout: Duration,
}

/// Limits of single methods, with geth's defaults where it has them.
#[derive(Debug, Clone)]
pub struct MethodLimits {
    /// Most gas of `eth_call` and its kin. It bounds their memory too: see
    /// [`execution`](crate::execution). Zero is no limit, of memory neither: for trusted callers only.
    pub gas_cap: u64,
    /// Longest run of `eth_call` and its kin.
    pub evm_timeout: Duration,
    /// Longest run of a trace, of a whole block too, when the caller names no time.
    pub trace_timeout: Duration,
    /// The longest time that a caller can name for it.
    pub trace_timeout_max: Duration,
    /// Longest run of a method that reads many blocks, such as `eth_getLogs`.
    pub scan_timeout: Duration,
    /// Highest fee of a transaction in wei that is accepted for sending; zero is no limit.
    pub fee_cap_wei: u128,
    /// Blocks that one log query may cover; zero is no limit.
    pub log_range: u64,
    /// Logs that one query may give; zero is no limit.
    pub log_results: usize,
    /// Addresses and alternatives of topics in a log filter, all together.
    pub log_alternatives: usize,
    /// How long a filter lives without being asked for changes.
    pub filter_lifetime: Duration,
    /// Most installed filters.
    pub filters: usize,
    /// Changes that a filter keeps until it is asked; it is removed beyond.
    pub filter_changes: usize,
    /// Changes that all filters keep together; beyond, the longest idle are removed.
    pub filter_changes_total: usize,
    /// Blocks that `eth_feeHistory` gives at most when percentiles are asked for.
    pub fee_history_blocks: u64,
    /// Blocks that gas price suggestions look at.
    pub gas_price_blocks: u64,
    /// Percentile of tips that is suggested.
    pub gas_price_percentile: u64,
    /// Lowest tip that is suggested, wei.
    pub gas_price_minimum: u128,
    /// Highest tip that is suggested, wei.
    pub gas_price_maximum: u128,
    /// How long the sequencer may take to pool a transaction that is passed on to it.
    pub forward_timeout: Duration,
    /// How long `eth_sendRawTransactionSync` waits when the caller names no time.
    pub sync_timeout: Duration,
    /// The longest time that a caller can name.
    pub sync_timeout_max: Duration,
}

impl Default for RpcConfig {
    fn default() -> Self {
        Self {
            ports: vec![PortConfig::default()],
            limits: Limits::default(),
            methods: MethodLimits::default(),
            client_version: concat!("cairn/v", env!("CARGO_PKG_VERSION")).into(),
            local_transactions: false,
            feed_signer: None,
        }
    }
}

impl Default for PortConfig {
    fn default() -> Self {
        Self {
            address: SocketAddr::from(([127, 0, 0, 1], 8545)),
            namespaces: Vec::new(),
            cors_origins: Vec::new(),
            allowed_hosts: vec!["localhost".into()],
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_bytes: 5 << 20,
            response_bytes: 160 << 20,
            batch_entries: 1_000,
            batch_concurrency: 16,
            json_depth: 64,
            connections: 16_384,
            subscriptions: 256,
            subscription_buffer: 1_024,
            header_timeout: Duration::from_secs(120),
            body_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(60),
            write_rate: 8 << 10,
            kept_bytes: 512 << 20,
            connection_kept_bytes: 320 << 20,
            ping_interval: Duration::from_secs(30),
            read_threads: 4,
            scan_threads: 2,
            execution_threads: 2,
            waiting_calls: 4_096,
            stop_timeout: Duration::from_secs(5),
        }
    }
}

impl Default for MethodLimits {
    fn default() -> Self {
        Self {
            gas_cap: 50_000_000,
            evm_timeout: Duration::from_secs(5),
            trace_timeout: Duration::from_secs(15),
            trace_timeout_max: Duration::from_secs(60),
            scan_timeout: Duration::from_secs(10),
            fee_cap_wei: 1_000_000_000_000_000_000,
            log_range: 0,
            log_results: 20_000,
            log_alternatives: 1_000,
            filter_lifetime: Duration::from_secs(5 * 60),
            filters: 10_000,
            filter_changes: 100_000,
            filter_changes_total: 1_000_000,
            fee_history_blocks: 1_024,
            gas_price_blocks: 20,
            gas_price_percentile: 60,
            gas_price_minimum: 1_000_000,
            gas_price_maximum: 500_000_000_000,
            forward_timeout: Duration::from_secs(10),
            sync_timeout: Duration::from_secs(20),
            sync_timeout_max: Duration::from_secs(60),
        }
    }
}
