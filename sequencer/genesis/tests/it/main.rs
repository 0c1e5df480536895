//! The dev genesis as a chain: its root, its contracts in execution, its code against its sources.

mod artifacts;
mod chain;
mod fees;
mod genesis;
mod predeploys;
