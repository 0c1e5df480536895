//! Derivation: from L1 blocks and batch data to payload attributes.

mod error;
mod event;

pub use error::{BatchDrop, DerivationError, DropReason, ResetReason};
pub use event::{BatchData, DataRequest, DataSource, DerivedAttributes, Effect, Event};
