//! What the node does with L1.
//!
//! [`Follower`] reads the registry as of a block some confirmations below the head, always by the
//! hash of that block, so that what it reads belongs together. A quorum never changes on one chain;
//! it is read again only when the registry names another seed or snapshot, or when the block of the
//! last read is no longer part of the chain (a reorganisation deeper than the confirmations, at an
//! epoch's border for example).
//!
//! [`Keeper`] takes snapshots and draws seeds where nobody else did; it needs a key with ether.
//!
//! [`Reporter`] reports who signed the certificates of a batch inbox and ejects silent operators.

mod follow;
mod keep;
mod register;
mod report;

pub use follow::Follower;
pub use keep::Keeper;
pub use register::{Registration, register};
pub use report::{Reporter, ReporterConfig};
