//! The command line of `cairn-bench`.

use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::batch::BatchArgs;
use super::chain::ChainArgs;
use super::da::DaArgs;
use super::derive::DeriveArgs;
use super::import::ImportArgs;
use super::lanes::Transport;
use super::root::RootArgs;
use super::workload::{Shape, Workload};

/// Measures a Cairn node, alone or beside another node.
#[derive(Debug, Parser)]
#[command(name = "cairn-bench", version)]
pub struct Cli {
    /// What to measure.
    #[command(subcommand)]
    pub command: Command,
}

/// The measurements.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Transactions per second, or with --sync the latency of eth_sendRawTransactionSync.
    Tps(TpsArgs),
    /// Time of the state root after changes to a large state.
    Root(RootArgs),
    /// Speed of block import with full validation.
    Import(ImportArgs),
    /// Speed of a verifier that applies derived blocks.
    Derive(DeriveArgs),
    /// Encoding, verification and recovery of the DA network on one core.
    Da(DaArgs),
    /// Bytes on L1 per transaction, and the cost of writing and reading them.
    Batch(BatchArgs),
    /// A steady load on a whole devnet, and what it does to all of its parts.
    Chain(ChainArgs),
}

/// A node to compare with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Opponent {
    /// anvil of the Foundry tools.
    Anvil,
}

/// Options of `cairn-bench tps`.
#[derive(Clone, Debug, Args)]
#[command(after_long_help = AFTER_TPS)]
pub struct TpsArgs {
    /// What the transactions do: plain transfers; ERC-20 transfers (OpenZeppelin); or 60 % transfers, 30 %
    /// ERC-20 transfers and 10 % contract calls with hashing and storage writes.
    #[arg(long, value_enum, default_value_t = Workload::Transfer)]
    pub workload: Workload,
    /// Transactions per round.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub txs: u64,
    /// Accounts that send, each with the same number of transactions (give or take one).
    /// [default: 200; with --sync 1000]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub senders: Option<u32>,
    /// Accounts that receive; they do not exist before the run.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub recipients: u32,
    /// Measures the node at this address instead of starting one. CAIRN_BENCH_FUNDER may hold the
    /// private key that pays for everything; without it account 0 of the test mnemonic does.
    #[arg(long, value_name = "URL", conflicts_with = "vs")]
    pub rpc: Option<String>,
    /// Process id of the node at --rpc, if it is on this machine: adds its processor time and memory.
    #[arg(long, requires = "rpc")]
    pub pid: Option<u32>,
    /// Runs the same load against another node, alternating with ours, and prints the ratio.
    #[arg(long, value_enum)]
    pub vs: Option<Opponent>,
    /// Rounds per node, each with a fresh process; the median counts.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,
    /// Calls of eth_sendRawTransaction per HTTP request.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub batch: u32,
    /// Keep-alive connections, each with one request under way. [default: 8; with --sync 16 of WebSocket or one of HTTP per sender]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub connections: Option<u32>,
    /// Transactions offered per second. [default: as fast as the node takes them; with --sync half of what it sustains]
    #[arg(long, value_name = "TPS", value_parser = positive)]
    pub rate: Option<f64>,
    /// Measures eth_sendRawTransactionSync, one call per transaction, at a fixed rate. Latency counts
    /// from the moment the transaction was due, so a stall of the node is not hidden.
    #[arg(long)]
    pub sync: bool,
    /// What carries the calls of --sync. A WebSocket is pipelined; an HTTP connection waits for each
    /// answer, costs the node more per call, and needs more connections than there
    /// are transactions under way.
    #[arg(long, value_enum, default_value_t = Transport::Ws)]
    pub transport: Transport,
    /// Block time of the nodes that are started.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    pub block_time_ms: u64,
    /// Block gas limit of the nodes that are started.
    #[arg(long, default_value_t = 5_000_000_000)]
    pub gas_limit: u64,
    /// Gives up when the chain includes nothing new for this long.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    pub stall_secs: u64,
    /// Prints one JSON object on the last line of standard output instead of a table.
    #[arg(long)]
    pub json: bool,
}

const AFTER_TPS: &str = "\
The clock runs from the first byte sent until a block that completes the load is seen over RPC (asked
20 times a second). It starts right after a new block, so that all rounds meet the block interval alike.
Afterwards every receipt is read: a transaction that is missing or failed makes the run an error.

The limit in the table is what all cores of this machine could do if they did nothing but recover senders, one
public key per transaction (libsecp256k1), which no node can avoid.

anvil answers eth_sendRawTransactionSync only when its block is mined.

anvil is started with --block-time, --gas-limit, --accounts, --chain-id and --hardfork prague as ours, and with what
makes it as fast as it can be: --quiet (no log), --order fifo (no sorting by fee), --prune-history (keeps no
state per block), --no-request-size-limit and --no-cors. All its other settings are its defaults.";

impl TpsArgs {
    /// Interval of the nodes that are started.
    #[must_use]
    pub const fn block_time(&self) -> Duration {
        Duration::from_millis(self.block_time_ms)
    }

    /// Accounts that send.
    #[must_use]
    pub const fn senders(&self) -> u32 {
        match self.senders {
            Some(senders) => senders,
            None if self.sync => 1_000,
            None => 200,
        }
    }

    /// The load itself.
    pub(super) fn shape(&self) -> Shape {
        let (workload, recipients) = (self.workload, self.recipients);
        Shape { workload, senders: self.senders(), recipients }
    }

    /// Connections of the unpaced or paced batch load.
    #[must_use]
    pub fn batch_connections(&self) -> usize {
        self.connections.unwrap_or(8).min(self.senders()) as usize
    }

    /// Connections of the latency measurement. A sender belongs to one connection
    /// so that its nonces arrive in order; more connections would stay unused.
    #[must_use]
    pub fn sync_connections(&self) -> usize {
        let default = match self.transport {
            Transport::Http => u32::MAX,
            Transport::Ws => 16,
        };
        self.connections.unwrap_or(default).min(self.senders()) as usize
    }
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && rate > 0.0 => Ok(rate),
        _ => Err("must be a number above zero".to_owned()),
    }
}

/// Runs the measurement and prints its result to standard output.
///
/// # Errors
/// When a node cannot be started or prepared, or did not do all of the work.
pub async fn run(cli: Cli) -> eyre::Result<()> {
    match cli.command {
        Command::Tps(args) if args.sync => super::sync::run(&args).await,
        Command::Tps(args) => super::tps::run(&args).await,
        Command::Root(args) => super::root::run(&args).await,
        Command::Import(args) => super::import::run(&args).await,
        Command::Derive(args) => super::derive::run(&args),
        Command::Da(args) => super::da::run(&args).await,
        Command::Batch(args) => super::batch::run(&args),
        Command::Chain(args) => super::chain::run(&args).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tps(line: &str) -> Result<TpsArgs, clap::Error> {
        let words = ["cairn-bench", "tps"].into_iter().chain(line.split_whitespace());
        match Cli::try_parse_from(words)?.command {
            Command::Tps(args) => Ok(args),
            other => panic!("not tps: {other:?}"),
        }
    }

    #[test]
    fn reads_the_line_of_the_readme() {
        let args = tps("--workload erc20 --txs 20000 --senders 100 --vs anvil --rounds 3 --json")
            .expect("a good line");
        assert_eq!(args.workload, Workload::Erc20);
        assert_eq!((args.txs, args.senders(), args.rounds), (20_000, 100, 3));
        assert_eq!(args.vs, Some(Opponent::Anvil));
        assert!(args.json && !args.sync);
    }

    #[test]
    fn refuses_what_makes_no_sense() {
        for line in [
            "--rate 0",
            "--rate nan",
            "--txs 0",
            "--pid 1",
            "--vs geth",
            "--rpc http://a --vs anvil",
            "--workload nft",
        ] {
            assert!(tps(line).is_err(), "{line}");
        }
    }

    #[test]
    fn never_opens_more_connections_than_there_are_senders() {
        let args = tps("--senders 3 --connections 9").expect("a good line");
        assert_eq!((args.batch_connections(), args.sync_connections()), (3, 3));
        let args = tps("--sync").expect("a good line");
        assert_eq!((args.batch_connections(), args.sync_connections()), (8, 16));
        let args = tps("--sync --transport http").expect("a good line");
        assert_eq!(args.sync_connections(), 1_000);
    }
}
