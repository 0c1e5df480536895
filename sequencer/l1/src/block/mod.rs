//! Blocks, checked.
//!
//! | part | held against |
//! |---|---|
//! | header | its hash, recomputed, is the hash asked for and the one that the endpoint says |
//! | transactions | encoded again by EIP-2718, they have the header's transactions root |
//! | receipts | encoded again from JSON, blooms from their logs, they have the header's receipts root |
//! | parent | the reader's cursor ([`L1Client::block_after`]) |
//!
//! **Unknown transaction types.** A hard fork of L1 must not stop the chain. Types 0 to 4 are
//! encoded from JSON. The bytes of any other are asked for (`eth_getRawTransactionByHash`); the root
//! vouches for them. Receipts have had the same payload under every type so far, so an unknown one
//! is encoded like the others. If the receipts root does not come out with any endpoint, the error is
//! [`UnknownType`](crate::L1Error::UnknownType). Such a transaction has no sender here and is never
//! a batch; its logs count.
//!
//! **`sidecar_roots`.** anvil makes the transactions root of a block with blob transactions of their
//! form with the sidecar. With this option, for development alone, a root that does not come out is
//! computed again with these forms, which are asked for (`eth_getRawTransactionByHash`) and must
//! begin with the transaction. Nothing is believed: the header has its hash, and vouches for the root.

mod check;
mod client;
mod extract;
mod json;
mod types;

pub use check::checked_header;
pub use client::{L1Client, L1Config};
pub use types::{FetchedBlock, FetchedTransaction};
