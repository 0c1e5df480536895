//! `cairn-sequencer`: the execution client of a Cairn chain.

mod cli;
mod commands;
mod config;
mod dev;
mod node;
mod rollup;
mod rpc_limits;
mod service;

use clap::Parser;

use crate::cli::{Cli, Command};

// RocksDB and the EVM allocate from many threads; glibc's arenas grow without bound under that.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> eyre::Result<()> {
    let cli = Cli::parse();
    cli.logging.start()?;
    cairn_node_setup::install_tls();
    match cli.command {
        Command::Run(args) => commands::run::run(*args),
        Command::Init(args) => commands::init::run(&args),
        Command::Import(args) => commands::import::run(&args),
        Command::Statetest(args) => commands::statetest::run(&args),
        Command::Db(args) => commands::db::run(&args),
    }
}
