//! The shell around the rollup protocol: what `cairn-rollup` decides is done here.
//!
//! ```text
//!  L1 ─► cairn-l1 ─► derivation thread ─► chain: derived blocks, safe and finalized heads
//!                         ▲      └──────► status, metrics
//!        unsafe feed ─────┘
//!  L1 ─► origins ─► sequencer thread (attributes of the next block)
//!  chain ─► batcher ─► DA network, L1          chain, L1 ─► proposer ─► L1
//! ```
//!
//! - [`Derivation`](derive::DerivationTask): one thread that derives, and the only writer of the chain
//!   on a verifier
//! - [`L1Origins`]: what the sequencer builds on
//! - [`FeedClient`]: unsafe blocks of a sequencer
//! - [`RollupRetention`]: what must not be pruned
//! - [`batcher`]: batches to L1
//! - [`outputs`]: proposals, challenges, resolutions
//!
//! # What a crash may lose
//! Nothing is kept here. A restart finds its place from the chain and L1 (`cairn_rollup::start`).

pub mod batcher;
mod chain_reader;
mod data;
pub mod derive;
mod dispersal;
mod error;
mod extraction;
mod feed;
mod origins;
pub mod outputs;
mod payload;
mod retention;
#[cfg(test)]
mod testing;
mod worker;

pub use chain_reader::ChainReader;
pub use data::DataReader;
pub use derive::{DerivationConfig, DerivationTask};
pub use dispersal::{Dispersal, DispersalConfig};
pub use error::DriverError;
pub use feed::{FeedClient, FeedConfig};
pub use origins::{L1Origins, OriginsConfig};
pub use retention::RollupRetention;
