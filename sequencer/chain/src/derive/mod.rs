//! Blocks from complete attributes: what derivation gives the chain.
//!
//! ```text
//! payload ─► recover (rayon, ahead of execution) ─► derive: execute, seal, append ─► advance_heads
//! ```
//!
//! Whether the chain has that block already is the caller's to find out (`cairn_rollup::mismatch`).
//! Nothing here reads the pool. A payload whose transactions cannot be executed is invalid as a whole
//! and leaves no trace; what happens to it then is the caller's to decide (since Holocene: its
//! deposits alone).

mod engine;
mod error;
mod payload;

pub use engine::Derived;
pub use error::{DeriveError, InvalidPayload};
pub use payload::{DerivedPayload, RecoveredPayload, Recovering};
