//! A whole chain on one machine. `cairn-devnet --help` says what it can do.

use std::process::ExitCode;

use cairn_e2e::devnet::{Cli, run};
use clap::Parser;
use eyre::WrapErr;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .wrap_err("no async runtime");
    match runtime.and_then(|runtime| runtime.block_on(run(cli))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without the backtrace that eyre's own form may add: the chain of causes and the
            // logs in it say what went wrong.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
