//! Sending transactions from one account, each nonce once.
//!
//! ```text
//!  request ─► step (nonce, fees) ─► sign ─► journal, synced ─► send ─► receipt ─► confirmations ─► outcome
//!                 ▲                                                │
//!                 └──────── heads, nonces, receipts, refusals ◄────┘
//! ```
//!
//! [`Queue`] decides and has no I/O: it gives nonces in the order of the requests, raises fees of
//! what is not mined, sends again what L1 forgot or a reorganisation unmined, and says when a
//! transaction is deep enough. [`TransactionSender`] feeds it.
//!
//! **Nothing is sent that is not journaled** (`journal.rs`). Whatever may be on the wire is known
//! after a crash; the same bytes are sent again, or replaced under the same nonce with the same
//! content, so that of each nonce one transaction is mined, and it is the one that was asked for.

mod build;
mod error;
mod event;
mod fees;
mod journal;
mod observe;
mod queue;
#[cfg(test)]
mod queue_tests;
mod sender;
mod slot;
mod task;

pub use build::{BlobForm, TransactionContent};
pub use error::SendError;
pub use event::{Effect, Event, Mined, Observation, SendPolicy, Sent};
pub use fees::{FeeCeiling, Fees, MarketFees};
pub use journal::{Journal, JournalError, Record, Records};
pub use queue::Queue;
pub use sender::{AccountState, Confirmed, SenderConfig, TransactionSender};
pub use slot::{Intent, RequestId, TransactionKind};
