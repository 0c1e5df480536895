//! Settings of `run`: flags over a TOML file over defaults, with the same names everywhere.
//!
//! `--http.port 9100` on the command line is `http.port = 9100` in the file.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use alloy_primitives::Address;
use cairn_da_node::admission::Limits;
use cairn_da_node::http::Injection;
use cairn_node_setup::ServerLimits;
use clap::Args;
use serde::{Deserialize, Serialize};

/// Arguments of `run`. What is absent comes from the file, then from the defaults.
#[derive(Debug, Clone, Default, Args, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct RunArgs {
    /// TOML file with any of these settings.
    #[arg(long)]
    #[serde(skip)]
    pub(crate) config: Option<PathBuf>,
    /// Data directory.
    #[arg(long)]
    pub(crate) datadir: Option<PathBuf>,
    /// Address that the operator is registered under.
    #[arg(long)]
    pub(crate) operator: Option<Address>,
    /// File with the operator's BLS key.
    #[arg(long)]
    pub(crate) key: Option<PathBuf>,
    /// File with the password of the keystore, mode 0600.
    #[arg(long)]
    pub(crate) key_password_file: Option<PathBuf>,
    /// Seconds that rows are kept at most; a later expiry is refused [default: 1209600].
    #[arg(long)]
    pub(crate) retention: Option<u64>,
    /// Seconds after their expiry before rows are removed [default: 600].
    #[arg(long)]
    pub(crate) prune_grace: Option<u64>,
    /// Seconds between prunings [default: 60].
    #[arg(long)]
    pub(crate) prune_period: Option<u64>,
    /// Bytes of disk kept free; with less, nothing is signed [default: 1073741824].
    #[arg(long)]
    pub(crate) disk_reserve: Option<u64>,
    #[command(flatten)]
    pub(crate) l1: L1Args,
    #[command(flatten)]
    pub(crate) http: HttpArgs,
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,
    #[command(flatten)]
    pub(crate) limits: LimitArgs,
    #[command(flatten)]
    pub(crate) inject: InjectArgs,
}

/// Where the registry is.
#[derive(Debug, Clone, Default, Args, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct L1Args {
    /// JSON-RPC of L1.
    #[arg(id = "l1.rpc", long = "l1.rpc")]
    pub(crate) rpc: Option<String>,
    /// Chain id of L1.
    #[arg(id = "l1.chain-id", long = "l1.chain-id")]
    pub(crate) chain_id: Option<u64>,
    /// Address of `OperatorRegistry`.
    #[arg(id = "l1.registry", long = "l1.registry")]
    pub(crate) registry: Option<Address>,
    /// Blocks below the head as of which the registry is read [default: 4].
    #[arg(id = "l1.confirmations", long = "l1.confirmations")]
    pub(crate) confirmations: Option<u64>,
    /// Seconds of age of the last L1 block read from which on nothing is signed [default: 1800].
    #[arg(id = "l1.max-age", long = "l1.max-age")]
    pub(crate) max_age: Option<u64>,
    /// Milliseconds between looks at L1 [default: 4000].
    #[arg(id = "l1.poll-ms", long = "l1.poll-ms")]
    pub(crate) poll_ms: Option<u64>,
    /// File with the secp256k1 key of an L1 account, mode 0600. With it the node takes snapshots
    /// and draws seeds where nobody else did; `register` sends from it.
    #[arg(id = "l1.key", long = "l1.key")]
    pub(crate) key: Option<PathBuf>,
    /// Address of a `BatchInbox`. With it and a key the node reports who signed the certificates in
    /// it and has silent operators ejected.
    #[arg(id = "l1.inbox", long = "l1.inbox")]
    pub(crate) inbox: Option<Address>,
    /// Block of the registry's deployment, from which on registrations and batches are read
    /// [default: 0].
    #[arg(id = "l1.first-block", long = "l1.first-block")]
    pub(crate) first_block: Option<u64>,
}

/// The port of rows and JSON-RPC.
#[derive(Debug, Clone, Default, Args, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct HttpArgs {
    /// Address to listen on [default: 127.0.0.1].
    #[arg(id = "http.addr", long = "http.addr")]
    pub(crate) addr: Option<IpAddr>,
    /// Port, 0 for any [default: 9100].
    #[arg(id = "http.port", long = "http.port")]
    pub(crate) port: Option<u16>,
    /// Most open connections [default: 1024].
    #[arg(id = "http.max-connections", long = "http.max-connections")]
    pub(crate) max_connections: Option<usize>,
    /// Most open connections of one address, or of one /64 of IPv6 [default: 256].
    #[arg(id = "http.max-connections-per-peer", long = "http.max-connections-per-peer")]
    pub(crate) max_connections_per_peer: Option<usize>,
    /// Seconds for the headers of a request, and between requests [default: 15].
    #[arg(id = "http.header-timeout", long = "http.header-timeout")]
    pub(crate) header_timeout: Option<u64>,
    /// Seconds by which a body may fall behind the lowest rate [default: 10].
    #[arg(id = "http.body-grace", long = "http.body-grace")]
    pub(crate) body_grace: Option<u64>,
    /// Bytes a second that a body must arrive at [default: 262144].
    #[arg(id = "http.min-rate", long = "http.min-rate")]
    pub(crate) min_rate: Option<u64>,
    /// Seconds that an answer may wait for its reader, beyond what the bytes that it took take at the
    /// lowest rate [default: 10].
    #[arg(id = "http.answer-grace", long = "http.answer-grace")]
    pub(crate) answer_grace: Option<u64>,
    /// Bytes a second that a reader must take [default: 65536].
    #[arg(id = "http.min-answer-rate", long = "http.min-answer-rate")]
    pub(crate) min_answer_rate: Option<u64>,
}

/// The port of `/metrics`.
#[derive(Debug, Clone, Default, Args, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct MetricsArgs {
    /// Address to listen on [default: 127.0.0.1].
    #[arg(id = "metrics.addr", long = "metrics.addr")]
    pub(crate) addr: Option<IpAddr>,
    /// Port, 0 for any [default: 9101].
    #[arg(id = "metrics.port", long = "metrics.port")]
    pub(crate) port: Option<u16>,
}

/// What the node takes on, and from whom.
#[derive(Debug, Clone, Default, Args, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct LimitArgs {
    /// Longest submission in bytes [default: 167772160].
    #[arg(id = "limits.max-body", long = "limits.max-body")]
    pub(crate) max_body: Option<u64>,
    /// Bytes of submissions in memory [default: 268435456].
    #[arg(id = "limits.in-flight", long = "limits.in-flight")]
    pub(crate) in_flight: Option<u64>,
    /// Bytes of submissions in memory of one payer with more than one [default: a quarter of all].
    #[arg(id = "limits.payer-in-flight", long = "limits.payer-in-flight")]
    pub(crate) payer_in_flight: Option<u64>,
    /// Submissions of one payer at a time [default: 16].
    #[arg(id = "limits.payer-submissions", long = "limits.payer-submissions")]
    pub(crate) payer_submissions: Option<usize>,
    /// Bytes a second of one payer in the long run [default: 33554432].
    #[arg(id = "limits.payer-rate", long = "limits.payer-rate")]
    pub(crate) payer_rate: Option<u64>,
    /// Bytes of one payer at once [default: 268435456].
    #[arg(id = "limits.payer-burst", long = "limits.payer-burst")]
    pub(crate) payer_burst: Option<u64>,
    /// Payers served; any without it.
    #[arg(id = "limits.payers", long = "limits.payers", value_delimiter = ',')]
    pub(crate) payers: Option<Vec<Address>>,
}

/// Faults on purpose, for tests of networks.
#[derive(Debug, Clone, Default, Args, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct InjectArgs {
    /// Milliseconds that each request and each answer is delayed [default: 0].
    #[arg(id = "inject.delay-ms", long = "inject.delay-ms")]
    pub(crate) delay_ms: Option<u64>,
    /// Percent of requests answered with 503 [default: 0].
    #[arg(id = "inject.failures", long = "inject.failures")]
    pub(crate) failures: Option<u8>,
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const DISK_RESERVE: u64 = 1 << 30;
const PRUNE_SECONDS: u64 = 60;

impl RunArgs {
    /// Reads the file that `--config` names and puts the flags over it.
    pub(crate) fn resolve(self) -> eyre::Result<Self> {
        let file = self.config.clone();
        Ok(cairn_node_setup::resolve(self, file.as_deref())?)
    }

    pub(crate) fn disk_reserve(&self) -> u64 {
        self.disk_reserve.unwrap_or(DISK_RESERVE)
    }

    pub(crate) fn prune_period(&self) -> Duration {
        Duration::from_secs(self.prune_period.unwrap_or(PRUNE_SECONDS).max(1))
    }

    pub(crate) fn limits(&self) -> Limits {
        let default = Limits::default();
        let LimitArgs { max_body, in_flight, payer_in_flight, .. } = self.limits;
        let LimitArgs { payer_submissions, payer_rate, payer_burst, payers, .. } =
            self.limits.clone();
        let in_flight_bytes = in_flight.unwrap_or(default.in_flight_bytes);
        let seconds = |given: Option<u64>, default| given.map_or(default, Duration::from_secs);
        Limits {
            max_body_bytes: max_body.unwrap_or(default.max_body_bytes),
            in_flight_bytes,
            payer_in_flight_bytes: payer_in_flight.unwrap_or(in_flight_bytes / 4),
            in_flight_per_payer: payer_submissions.unwrap_or(default.in_flight_per_payer),
            payer_bytes_per_second: payer_rate.unwrap_or(default.payer_bytes_per_second),
            payer_burst_bytes: payer_burst.unwrap_or(default.payer_burst_bytes),
            payers_allowed: payers.unwrap_or_default().into_iter().collect::<BTreeSet<_>>(),
            retention: seconds(self.retention, default.retention),
            prune_grace: seconds(self.prune_grace, default.prune_grace),
            l1_max_age: seconds(self.l1.max_age, default.l1_max_age),
            ..default
        }
    }
}

impl L1Args {
    pub(crate) fn confirmations(&self) -> u64 {
        self.confirmations.unwrap_or(4)
    }

    /// Time between looks at L1.
    pub(crate) fn period(&self) -> Duration {
        Duration::from_millis(self.poll_ms.unwrap_or(4000).max(50))
    }
}

impl HttpArgs {
    pub(crate) fn socket(&self) -> SocketAddr {
        (self.addr.unwrap_or(LOOPBACK), self.port.unwrap_or(9100)).into()
    }

    pub(crate) fn limits(&self) -> ServerLimits {
        let default = ServerLimits::default();
        let seconds = |given: Option<u64>, default| given.map_or(default, Duration::from_secs);
        ServerLimits {
            connections: self.max_connections.unwrap_or(default.connections),
            connections_per_peer: self
                .max_connections_per_peer
                .unwrap_or(default.connections_per_peer),
            header_time: seconds(self.header_timeout, default.header_time),
            body_grace: seconds(self.body_grace, default.body_grace),
            body_bytes_per_second: self.min_rate.unwrap_or(default.body_bytes_per_second),
            answer_grace: seconds(self.answer_grace, default.answer_grace),
            answer_bytes_per_second: self
                .min_answer_rate
                .unwrap_or(default.answer_bytes_per_second),
        }
    }
}

impl MetricsArgs {
    pub(crate) fn socket(&self) -> SocketAddr {
        (self.addr.unwrap_or(LOOPBACK), self.port.unwrap_or(9101)).into()
    }
}

impl InjectArgs {
    pub(crate) fn injection(&self) -> Injection {
        Injection {
            delay: Duration::from_millis(self.delay_ms.unwrap_or(0)),
            failures_percent: self.failures.unwrap_or(0),
        }
    }
}

#[cfg(test)]
#[path = "config_tests.rs"]
mod tests;
