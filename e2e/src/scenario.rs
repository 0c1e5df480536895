//! What users and faults do to a devnet, and what must hold afterwards.
//!
//! A scenario starts a [`Chain`], acts on it, breaks something, and ends with
//! [`Chain::agree`]: sequencer, verifier and a verifier that began with nothing have the same
//! blocks.

pub mod batches;
mod chain;
mod contracts;
mod data_faults;
mod faults;
mod forgery;
mod inbox;
mod interpose;
mod l1_faults;
mod posting;
mod system_config;
mod watch;

pub use cairn_test_setup::{Act, Passing, Proxy};
pub use chain::{Chain, address_of};
pub use contracts::{
    BatchInbox, DisputeGameFactory, GasPriceOracle, OptimismPortal, OutputGame, SystemConfig,
};
pub use data_faults::wrong_rows;
pub use forgery::Forgery;
pub use inbox::{Batch, Carrier};
pub use l1_faults::L1Fault;
pub use posting::{Posted, Posting};
