//! Commands and their arguments.

use std::path::PathBuf;

use cairn_node_setup::LogArgs;
use clap::{Args, Parser, Subcommand};

use crate::config::RunArgs;

/// The execution client of a Cairn chain: an Ethereum L2 node on RocksDB.
#[derive(Debug, Parser)]
#[command(name = "cairn-sequencer", version, about, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) logging: LogArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a node: build blocks and serve JSON-RPC.
    Run(Box<RunArgs>),
    /// Write the genesis block of a chain into a new store.
    Init(InitArgs),
    /// Import blocks from a file of concatenated RLP blocks, with full validation.
    Import(ImportArgs),
    /// Run ethereum/tests state tests through the executor, the store and its root.
    Statetest(StatetestArgs),
    /// Look at a store, or check it.
    Db(DbArgs),
}

/// Where a chain comes from and where it lives.
#[derive(Debug, Args)]
pub(crate) struct ChainArgs {
    /// Data directory.
    #[arg(long)]
    pub(crate) datadir: PathBuf,
    /// Genesis file in geth's format. OP rules when it has an `optimism` section.
    #[arg(long)]
    pub(crate) genesis: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    #[command(flatten)]
    pub(crate) chain: ChainArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    pub(crate) chain: ChainArgs,
    /// File of concatenated RLP blocks, oldest first.
    #[arg(long = "chain")]
    pub(crate) blocks: PathBuf,
    /// Insist on Ethereum rules: a genesis file with an `optimism` section is refused.
    #[arg(long)]
    pub(crate) ethereum: bool,
    /// Make the last block safe and finalized as well.
    #[arg(long)]
    pub(crate) finalize: bool,
}

#[derive(Debug, Args)]
pub(crate) struct StatetestArgs {
    /// Directory of state tests, searched recursively; a single file works too.
    pub(crate) dir: PathBuf,
    /// Print one JSON object on the last line.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DbArgs {
    #[command(subcommand)]
    pub(crate) command: DbCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Print sizes and key counts of each column family.
    Stats(DbChainArgs),
    /// Rebuild the whole state root from the flat state and compare every stored trie node.
    Verify(DbChainArgs),
}

/// A store, opened by what it says of itself.
#[derive(Debug, Args)]
pub(crate) struct DbChainArgs {
    /// Data directory of a stopped node.
    #[arg(long)]
    pub(crate) datadir: PathBuf,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}
