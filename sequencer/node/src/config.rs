//! Settings of `run`: flags over a TOML file over defaults, with the same names everywhere.
//!
//! `--http.port 8545` on the command line is `http.port = 8545` in the file.

use std::net::{IpAddr, Ipv4Addr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use alloy_primitives::Address;
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::rollup::RollupArgs;
use crate::rpc_limits::RpcLimitArgs;

/// Arguments of `run`. What is absent comes from the file, then from the defaults.
#[derive(Debug, Clone, Default, Args, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct RunArgs {
    /// TOML file with any of these settings.
    #[arg(long)]
    #[serde(skip)]
    pub(crate) config: Option<PathBuf>,
    /// Run a development chain with prefunded accounts and no L1.
    #[arg(long)]
    pub(crate) dev: bool,
    /// Data directory. A development chain without one lives in a temporary directory.
    #[arg(long)]
    pub(crate) datadir: Option<PathBuf>,
    /// Genesis file in geth's format.
    #[arg(long, conflicts_with = "dev")]
    pub(crate) genesis: Option<PathBuf>,
    /// Milliseconds between blocks [default: 1000].
    #[arg(long)]
    pub(crate) block_time_ms: Option<u64>,
    /// Gas limit of a development chain's blocks [default: 1000000000].
    #[arg(long)]
    pub(crate) gas_limit: Option<u64>,
    /// Chain id of a development chain [default: 901].
    #[arg(long)]
    pub(crate) chain_id: Option<u64>,
    /// Prefunded accounts of a development chain [default: 10].
    #[arg(long)]
    pub(crate) accounts: Option<u32>,
    /// Blocks whose state, transactions and receipts are kept; all without it. In a rollup the state
    /// stays from the finalized block on, and transactions and receipts from a sequencing window of L1
    /// blocks before it: the batcher and derivation may need them again.
    #[arg(long)]
    pub(crate) history: Option<u64>,
    /// What `web3_clientVersion` answers, for tools that look at it.
    #[arg(long)]
    pub(crate) client_version: Option<String>,
    #[command(flatten)]
    pub(crate) rollup: RollupArgs,
    #[command(flatten)]
    pub(crate) http: HttpArgs,
    #[command(flatten)]
    pub(crate) rpc: RpcLimitArgs,
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,
    #[command(flatten)]
    pub(crate) pool: PoolArgs,
}

/// The JSON-RPC port, HTTP and WebSocket.
#[derive(Debug, Clone, Default, Args, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct HttpArgs {
    /// Address to listen on [default: 127.0.0.1].
    #[arg(id = "http.addr", long = "http.addr")]
    pub(crate) addr: Option<IpAddr>,
    /// Port, 0 for any [default: 8545].
    #[arg(id = "http.port", long = "http.port")]
    pub(crate) port: Option<u16>,
    /// Most open connections [default: 16384].
    #[arg(id = "http.max-connections", long = "http.max-connections")]
    pub(crate) max_connections: Option<u32>,
    /// Namespaces served, such as `eth,net,web3`; all but `admin` and `testing` without it.
    #[arg(id = "http.api", long = "http.api", value_delimiter = ',')]
    pub(crate) api: Option<Vec<String>>,
    /// Origins that browsers may call from, `*` for any; none without it, any with --dev.
    #[arg(id = "http.cors", long = "http.cors", value_delimiter = ',')]
    pub(crate) cors: Option<Vec<String>>,
    /// Host names that requests may name, `*` for any [default: localhost].
    #[arg(id = "http.hosts", long = "http.hosts", value_delimiter = ',')]
    pub(crate) hosts: Option<Vec<String>>,
}

/// The port of `/health` and `/metrics`.
#[derive(Debug, Clone, Default, Args, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct MetricsArgs {
    /// Address to listen on [default: 127.0.0.1].
    #[arg(id = "metrics.addr", long = "metrics.addr")]
    pub(crate) addr: Option<IpAddr>,
    /// Port, 0 for any [default: 9001].
    #[arg(id = "metrics.port", long = "metrics.port")]
    pub(crate) port: Option<u16>,
}

/// Limits of the transaction pool.
#[derive(Debug, Clone, Default, Args, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub(crate) struct PoolArgs {
    /// Most transactions.
    #[arg(id = "pool.max-txs", long = "pool.max-txs")]
    pub(crate) max_txs: Option<usize>,
    /// Most executable transactions of one sender.
    #[arg(id = "pool.sender-slots", long = "pool.sender-slots")]
    pub(crate) sender_slots: Option<usize>,
    /// Lowest tip per gas in wei.
    #[arg(id = "pool.min-tip", long = "pool.min-tip")]
    pub(crate) min_tip: Option<u128>,
    /// Percent that a replacement must pay more.
    #[arg(id = "pool.price-bump", long = "pool.price-bump")]
    pub(crate) price_bump: Option<u32>,
}

/// Changes of local transactions that wait for the disk, at most: those of one block time.
const JOURNAL_CAPACITY: usize = 131_072;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

impl RunArgs {
    /// Reads the file that `--config` names and puts the flags over it.
    pub(crate) fn resolve(self) -> eyre::Result<Self> {
        let file = self.config.clone();
        Ok(cairn_node_setup::resolve(self, file.as_deref())?)
    }
}

impl HttpArgs {
    pub(crate) fn socket(&self) -> std::net::SocketAddr {
        (self.addr.unwrap_or(LOOPBACK), self.port.unwrap_or(8545)).into()
    }
}

impl MetricsArgs {
    pub(crate) fn socket(&self) -> std::net::SocketAddr {
        (self.addr.unwrap_or(LOOPBACK), self.port.unwrap_or(9001)).into()
    }
}

impl PoolArgs {
    pub(crate) fn config(&self) -> cairn_pool::PoolConfig {
        let default = cairn_pool::PoolConfig::default();
        cairn_pool::PoolConfig {
            max_txs: self.max_txs.unwrap_or(default.max_txs),
            sender_slots: self.sender_slots.unwrap_or(default.sender_slots),
            min_tip: self.min_tip.unwrap_or(default.min_tip),
            price_bump: self.price_bump.unwrap_or(default.price_bump),
            journal_capacity: NonZeroUsize::new(JOURNAL_CAPACITY),
            ..default
        }
    }
}

/// Directory of the state store inside a data directory.
pub(crate) fn state_dir(datadir: &Path) -> PathBuf {
    datadir.join("state")
}

/// Directory of the open block's journal.
pub(crate) fn journal_dir(datadir: &Path) -> PathBuf {
    datadir.join("journal")
}

/// Directory of what an account has sent to L1 as batcher or otherwise, and may send again. An account that
/// takes over begins with an empty one, and finds its own when it comes back.
pub(crate) fn l1_journal_dir(datadir: &Path, sender: &str, account: Address) -> PathBuf {
    datadir.join("l1").join(format!("{sender}-{account:x}"))
}

/// Directory of the journal of local transactions.
pub(crate) fn pool_dir(datadir: &Path) -> PathBuf {
    datadir.join("pool")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command};

    fn parse(args: &[&str]) -> RunArgs {
        let cli = Cli::parse_from([&["cairn-sequencer", "run"], args].concat());
        let Command::Run(args) = cli.command else { panic!("not run") };
        *args
    }

    #[test]
    fn flags_win_over_the_file_and_the_file_over_defaults() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("node.toml");
        std::fs::write(
            &file,
            "dev = true\nblock-time-ms = 250\nhttp.port = 1\n[metrics]\nport = 2\n",
        )
        .unwrap();
        let path = file.to_str().unwrap();
        let args = parse(&["--config", path, "--http.port", "3"]).resolve().unwrap();
        assert!(args.dev);
        assert_eq!(args.block_time_ms, Some(250));
        assert_eq!(args.http.socket().port(), 3);
        assert_eq!(args.metrics.socket().port(), 2);
        assert_eq!(parse(&[]).resolve().unwrap().http.socket().port(), 8545);
    }

    #[test]
    fn every_flag_is_a_key_of_the_file() {
        let all = [
            "--dev",
            "--datadir",
            "d",
            "--block-time-ms",
            "1",
            "--gas-limit",
            "2",
            "--chain-id",
            "3",
            "--accounts",
            "4",
            "--history",
            "5",
            "--client-version",
            "v",
            "--http.addr",
            "::1",
            "--http.port",
            "6",
            "--http.api",
            "eth,net",
            "--http.cors",
            "*",
            "--http.hosts",
            "a,b",
            "--http.max-connections",
            "7",
            "--metrics.addr",
            "::1",
            "--metrics.port",
            "8",
            "--pool.max-txs",
            "9",
            "--pool.sender-slots",
            "10",
            "--pool.min-tip",
            "11",
            "--pool.price-bump",
            "12",
        ];
        let flags = parse(&all);
        let file = toml::from_str::<RunArgs>(
            r#"
            dev = true
            datadir = "d"
            block-time-ms = 1
            gas-limit = 2
            chain-id = 3
            accounts = 4
            history = 5
            client-version = "v"
            http = { addr = "::1", port = 6, max-connections = 7, api = ["eth", "net"], cors = ["*"], hosts = ["a", "b"] }
            metrics = { addr = "::1", port = 8 }
            pool = { max-txs = 9, sender-slots = 10, min-tip = 11, price-bump = 12 }
            "#,
        )
        .unwrap();
        assert_eq!(format!("{flags:?}"), format!("{file:?}"));
    }

    #[test]
    fn unknown_keys_in_the_file_are_refused() {
        assert!(toml::from_str::<RunArgs>("prot = 1").is_err());
    }
}
