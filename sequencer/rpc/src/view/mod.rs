//! The JSON of blocks, transactions, receipts and logs, field by field as geth writes it
//! (`internal/ethapi/api.go`), with op-geth's additions under OP rules.
//!
//! Own types instead of those of the client libraries: theirs also read, and differ from geth in
//! which optional fields they leave out. These only write, and borrow what they show.

mod block;
mod log;
mod receipt;
mod transaction;

pub use block::{BlockView, HeaderView, Transactions, block_size};
pub(crate) use log::LogOrigin;
pub use log::LogView;
pub use receipt::{ReceiptContext, ReceiptView};
pub use transaction::{Placement, TransactionView};

use alloy_primitives::U64;

/// A number as a JSON-RPC quantity.
pub fn quantity(number: u64) -> U64 {
    U64::from(number)
}

/// A position or length as a JSON-RPC quantity.
pub fn index(position: usize) -> U64 {
    U64::from(u64::try_from(position).unwrap_or(u64::MAX))
}
