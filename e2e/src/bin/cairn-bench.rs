//! Benchmarks of a Cairn node. `cairn-bench --help` says what it can measure.

use std::process::ExitCode;

use cairn_e2e::bench::{Cli, run};
use clap::Parser;
use eyre::{WrapErr, bail};
use tokio::signal::unix::{SignalKind, signal};

fn main() -> ExitCode {
    match measure(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Without the backtrace that eyre's own form may add: what went wrong
            // lies in the node or the network, and the chain of causes names it.
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn measure(cli: Cli) -> eyre::Result<()> {
    // One thread moves the bytes: the node under test needs the other cores.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .wrap_err("no async runtime")?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).wrap_err("no signal handler")?;
        // Ending by way of an error drops, and thereby kills, the nodes.
        tokio::select! {
            outcome = run(cli) => outcome,
            _ = tokio::signal::ctrl_c() => bail!("interrupted"),
            _ = terminate.recv() => bail!("terminated"),
        }
    })
}
