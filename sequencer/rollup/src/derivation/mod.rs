//! Derivation: from L1 blocks and batch data to payload attributes.
//!
//! ```text
//! L1 block ─► origins ─► retrieval ─► frames ─► channel ─► batches ─► attributes ─► safe block
//!                │            ▲                               ▲            ▲              │
//!                │     blobs, DA rows                         └── origins ─┘◄─────────────┘
//!                └─► end of the block: empty batches, safe-head index, finality
//! ```
//!
//! [`Derivation`] is fed with one [`Event`] at a time and answers with [`Effect`]s, of which the
//! last says what it waits for: an L1 block, the data of a transaction, or what became of
//! attributes. It waits for one thing at a time, so the order of events is given and the result
//! depends on L1 alone.
//!
//! # What is left after an L1 block
//! Nothing of a batch outlives the L1 block that it was read from: batches are valid at once or
//! dropped. What goes on into the next block is the safe head, the open channel, the system
//! configuration, and the L1 blocks from the safe head's origin on. So the entry that
//! [`Effect::SafeHead`] makes for an L1 block is all that a restart needs ([`crate::start`]): it
//! reads again from where the oldest channel that is open at that block can have begun, puts
//! frames together, passes over what is complete, and goes on behind that block as if it had never
//! stopped.
//!
//! # Bounds
//! One open channel and one that is read (100 MB each at most), the data of one transaction, one
//! batch, and the L1 blocks of one sequencing window without their batches.

mod batches;
mod error;
mod event;
mod finality;
mod frames;
mod machine;
mod origins;
mod retrieval;
mod stages;
mod validity;
mod waiting;

pub use error::{BatchDrop, DerivationError, DropReason, ResetReason};
pub use event::{BatchData, DataRequest, DataSource, DerivedAttributes, Effect, Event};
pub use machine::Derivation;
pub use validity::{SafeChain, oldest_origin};

#[cfg(test)]
mod tests;
