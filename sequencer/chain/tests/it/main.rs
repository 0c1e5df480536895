//! The chain with real parts: RocksDB, pool, recovery workers, sequencer thread.

mod crash;
mod node;
mod reorg;
mod restart;
mod sequencing;
