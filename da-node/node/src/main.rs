//! `cairn-da-node`: a node of the DA network.

mod cli;
mod commands;
mod config;

use clap::Parser;

use crate::cli::{Cli, Command};

// RocksDB allocates from many threads; glibc's arenas grow without bound under that.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> eyre::Result<()> {
    let cli = Cli::parse();
    cli.logging.start()?;
    cairn_node_setup::install_tls();
    cairn_node_setup::raise_descriptor_limit();
    match cli.command {
        Command::Run(args) => commands::run::run(*args),
        Command::Gateway(args) => commands::gateway::run(&args),
        Command::Key(args) => commands::key::run(&args.command),
        Command::Register(args) => commands::register::run(&args),
    }
}
