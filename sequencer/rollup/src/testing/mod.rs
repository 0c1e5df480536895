//! A small rollup for tests and fuzzing (feature `testing`): a synthetic L1, a chain on it that executes by
//! decoding, what a batcher posts of the chain, and a verifier that derives it again.
//!
//! Nothing here is part of a node, and nothing checks its input: what a test cannot have meant panics.

mod batches;
mod chain;
mod config;
mod l1;
mod verifier;

pub use batches::{channel, frames, plain, singular, span};
pub use chain::{Chain, LEAST_GAS, execute};
pub use config::{BATCHER, CHAIN_ID, GENESIS_TIME, config, jovian, on_genesis};
pub use l1::{L1, L1_GENESIS, L1Source};
pub use verifier::Verifier;
