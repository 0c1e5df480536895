//! Commands of `cairn-devnet`.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::data_dir::DataDir;
use super::settings::DevnetOptions;
use super::{down, logs, status, up, verify};

/// A whole chain on this machine: L1, contracts, DA network, sequencer, verifier.
#[derive(Debug, Parser)]
#[command(name = "cairn-devnet", version, about, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Start a devnet, or go on with the one of the data directory.
    Up(Box<UpArgs>),
    /// Stop it; `up` goes on where it stopped.
    Down(DataDirArgs),
    /// Say which part runs and how far it is. Exit status 0 if all do.
    Status(DataDirArgs),
    /// Derive the chain of a running devnet from nothing, and compare every block.
    Verify(DataDirArgs),
    /// Print the log of a part: l1, da-0, gateway, sequencer, verifier.
    Logs(LogsArgs),
}

#[derive(Debug, Args)]
struct DataDirArgs {
    /// Where everything is kept.
    #[arg(long, value_name = "DIR", default_value = ".devnet", env = "CAIRN_DEVNET_DIR")]
    data_dir: PathBuf,
}

#[derive(Debug, Args)]
struct UpArgs {
    #[command(flatten)]
    place: DataDirArgs,
    #[command(flatten)]
    options: DevnetOptions,
    /// Return when the devnet is ready, and leave it running.
    #[arg(long)]
    detach: bool,
}

#[derive(Debug, Args)]
struct LogsArgs {
    /// Which part.
    name: String,
    #[command(flatten)]
    place: DataDirArgs,
    /// Go on as the log grows.
    #[arg(short, long)]
    follow: bool,
}

/// Runs a command.
///
/// # Errors
/// For people: what went wrong and what to do.
pub async fn run(cli: Cli) -> eyre::Result<()> {
    match cli.command {
        Command::Up(up) => {
            let options = DevnetOptions { data_dir: up.place.data_dir, ..up.options };
            if up.detach { up::detached(&options).await } else { up::attached(&options).await }
        }
        Command::Down(place) => down::run(&DataDir::new(&place.data_dir)).await,
        Command::Status(place) => status::run(&DataDir::new(&place.data_dir)).await,
        Command::Verify(place) => verify::run(&DataDir::new(&place.data_dir)).await,
        Command::Logs(logs) => {
            logs::run(&DataDir::new(&logs.place.data_dir), &logs.name, logs.follow).await
        }
    }
}
