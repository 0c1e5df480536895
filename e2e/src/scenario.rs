//! What users and faults do to a devnet, and what must hold afterwards.
//!
//! A scenario starts a [`Chain`], acts on it, breaks something, and ends with
//! [`Chain::agree`]: sequencer, verifier and a verifier that began with nothing have the same
//! blocks.

mod chain;
mod contracts;
mod faults;
mod inbox;

pub use chain::{Chain, address_of};
pub use contracts::{BatchInbox, DisputeGameFactory, OptimismPortal, OutputGame};
pub use inbox::{Batch, Carrier};
