//! What tests work with: a real chain, and an L1 that says what it is told to.

mod chain;
mod l1;
mod server;

pub(crate) use chain::{TestChain, rollup};
pub(crate) use l1::{CHAIN_ID, EmptyL1};
pub(crate) use server::{L1Server, Reply};
