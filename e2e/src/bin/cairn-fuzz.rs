//! Fuzzing of the decoders. `cairn-fuzz --help` says how.

use std::process::ExitCode;

use cairn_e2e::fuzz::{Cli, run};
use clap::Parser;

fn main() -> ExitCode {
    match run(&Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
