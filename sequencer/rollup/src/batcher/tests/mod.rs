//! The batcher against a simulated L1, DA network and derivation.

mod policy;
mod schedule;
mod world;
