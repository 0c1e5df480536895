//! A whole chain on one machine: L1, its contracts, the DA network, the sequencer and a verifier.
//!
//! [`Devnet`] starts the parts in the order in which they need each other, waits until each
//! answers, and stops them in reverse. Everything lives in one data directory ([`DataDir`]), from
//! which a later start goes on where an earlier one ended, however it ended. The binary
//! `cairn-devnet` ([`Cli`]) is a thin face of it; tests use [`Devnet`] itself.
//!
//! Keys are those of a mnemonic that everybody knows. Nothing of this is for a network with value.

mod accounts;
mod cli;
mod compare;
mod contracts;
mod da;
mod data_dir;
mod down;
mod l1;
mod logs;
mod manifest;
mod metrics;
mod network;
mod pid_file;
mod ports;
mod progress;
mod rollup;
mod service;
mod settings;
mod status;
mod up;
mod verify;

pub use cli::{Cli, run};
pub use compare::{BlockName, block, compare, wait_for};
pub use data_dir::DataDir;
pub use manifest::Manifest;
pub use metrics::Metrics;
pub use network::{Death, Devnet};
pub use ports::PortChoice;
pub use progress::Progress;
pub use settings::DevnetOptions;
