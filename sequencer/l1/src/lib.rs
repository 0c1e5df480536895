//! L1 as a node sees it.
//!
//! ```text
//!  endpoints ─► rpc (order, back-off) ─► block: header hash, transactions root, receipts root ─► prefetch ─► derivation
//!                      │                 blob:  versioned hashes
//!                      └───────────────► head:  latest, safe, finalized, reorganisations
//! ```
//!
//! Nothing that an endpoint says is believed where it can be checked: an endpoint can withhold and
//! can show a fork, but it cannot alter a transaction, a log or a blob. What does not fit is a
//! [`Lie`], and the next endpoint is asked.
//!
//! - [`L1Client`]: checked blocks by number and by hash
//! - [`Prefetcher`]: the blocks behind a cursor, in order, fetched ahead
//! - [`BlobSchedule`]: blob parameters of L1's past and future forks
//! - [`BlobClient`]: blobs by their versioned hashes
//! - [`DataResolver`]: the data of batches, from blobs and from the DA network
//! - [`HeadFollower`]: the newest, the safe and the finalized block
//! - [`TransactionSender`]: transactions of one account, each nonce once
//!
//! TLS needs a process-wide provider: `rustls::crypto::ring::default_provider().install_default()`
//! comes first in every `main`.

pub mod blob;
pub mod block;
mod data;
mod error;
mod forks;
pub mod head;
mod prefetch;
pub mod rpc;
pub mod send;

pub use blob::{BlobClient, BlobConfig};
pub use block::{FetchedBlock, FetchedTransaction, L1Client, L1Config};
pub use data::{DataError, DataResolver};
pub use error::{L1Error, Lie, NextStep};
pub use forks::{BlobSchedule, L1Fork, L1Forks, ScheduleError};
pub use head::{HeadConfig, HeadFollower, HeadState, Heads};
pub use prefetch::Prefetcher;
pub use send::{
    AccountState, Confirmed, SendError, SenderConfig, TransactionContent, TransactionSender,
};
