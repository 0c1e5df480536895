//! The chain with real parts: RocksDB, pool, recovery workers, sequencer thread.

mod attributes;
mod crash;
mod da_limit;
mod derive;
mod derive_crash;
mod heads;
mod node;
mod reorg;
mod restart;
mod retention;
mod sequencing;
