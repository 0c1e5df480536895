//! Commands and their arguments.

use std::path::PathBuf;

use alloy_primitives::U256;
use cairn_node_setup::LogArgs;
use clap::{Args, Parser, Subcommand};

use crate::config::{HttpArgs, L1Args, MetricsArgs, RunArgs};

/// A node of Cairn's DA network: checks rows, stores them, signs that it holds them, serves them.
#[derive(Debug, Parser)]
#[command(name = "cairn-da-node", version, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) logging: LogArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a node.
    Run(Box<RunArgs>),
    /// Run a gateway: alt-DA REST and JSON-RPC for users, on the nodes of the registry.
    Gateway(Box<GatewayArgs>),
    /// Make an operator's BLS key, or look at one.
    Key(KeyArgs),
    /// Register an operator on L1, with its stake and the possession of its key.
    Register(Box<RegisterArgs>),
}

#[derive(Debug, Args)]
pub(crate) struct KeyArgs {
    #[command(subcommand)]
    pub(crate) command: KeyCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// Write a new key: an EIP-2335 keystore with a password file, else hexadecimal with mode 0600.
    New {
        /// File to write; it must not exist.
        #[arg(long)]
        out: PathBuf,
        /// File with the password of the keystore, mode 0600.
        #[arg(long)]
        password_file: Option<PathBuf>,
    },
    /// Print the public key of a file as JSON.
    Show {
        /// Key file.
        #[arg(long)]
        key: PathBuf,
        /// File with the password of the keystore, mode 0600.
        #[arg(long)]
        password_file: Option<PathBuf>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct RegisterArgs {
    #[command(flatten)]
    pub(crate) l1: L1Args,
    /// File with the operator's BLS key.
    #[arg(long)]
    pub(crate) key: PathBuf,
    /// File with the password of the keystore, mode 0600.
    #[arg(long)]
    pub(crate) key_password_file: Option<PathBuf>,
    /// URL under which the node answers, such as `http://da.example:9100`.
    #[arg(long)]
    pub(crate) endpoint: String,
    /// Stake in wei.
    #[arg(long)]
    pub(crate) stake_wei: U256,
}

#[derive(Debug, Args)]
pub(crate) struct GatewayArgs {
    #[command(flatten)]
    pub(crate) l1: L1Args,
    #[command(flatten)]
    pub(crate) http: HttpArgs,
    #[command(flatten)]
    pub(crate) metrics: MetricsArgs,
    /// Directory in which submissions and certificates are remembered across restarts; without it they
    /// are kept in memory alone.
    #[arg(long)]
    pub(crate) datadir: Option<PathBuf>,
    /// File with the secp256k1 key of the payer, mode 0600.
    #[arg(long)]
    pub(crate) payer_key: PathBuf,
    /// Seconds that payloads are kept.
    #[arg(long, default_value_t = 13 * 86_400)]
    pub(crate) lifetime: u64,
    /// Milliseconds for which small payloads of `da_submit` wait for one another.
    #[arg(long, default_value_t = 1000)]
    pub(crate) window_ms: u64,
}
