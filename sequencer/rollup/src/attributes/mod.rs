//! Payload attributes: all that decides the next L2 block (OP specification: Deriving payload
//! attributes; Holocene, Isthmus and Jovian execution engine).

mod build;
mod consolidate;

pub use build::{AttributesInput, RollupAttributes, SEQUENCER_FEE_VAULT};
pub use consolidate::{Mismatch, mismatch};

#[cfg(test)]
mod tests;
