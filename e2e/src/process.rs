//! Real node processes for scenarios and benchmarks.
//!
//! Each node gets a free port, a run directory of its own and a log file whose
//! tail is part of every error. A node is killed when its handle is dropped, so
//! a failing test leaves nothing behind. [`Sequencer`] can be killed, stopped
//! and started again on the same data directory and port, which is what crash
//! tests are made of.
//!
//! With `CAIRN_E2E_LOGS=DIR` the logs are written to that folder and outlive
//! the run directory.

mod anvil;
mod binaries;
mod child;
mod run_dir;
mod script;
mod sequencer;

pub use anvil::{Anvil, AnvilOptions};
pub use binaries::{da_node_binary, sequencer_binary};
pub use child::ChildProcess;
pub use script::{clients_dir, run_script};
pub use sequencer::{Sequencer, SequencerOptions};

/// The mnemonic whose accounts every development node prefunds.
pub const TEST_MNEMONIC: &str = "test test test test test test test test test test test junk";
