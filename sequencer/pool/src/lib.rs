//! The transaction pool of a sequencer that executes transactions as they arrive.
//!
//! [`Pool`] is the state machine: plain, deterministic, without clock, locks or I/O. State, fees
//! and time reach it as arguments. [`SharedPool`] puts it behind a lock, tells subscribers and wakes
//! the block builder. [`Recovery`] turns raw bytes into pooled transactions on threads of its own,
//! because recovering a sender costs 45 µs and everything else here costs one or two.
//!
//! Sub-pools, all kept per sender in nonce order:
//!
//! | sub-pool | a transaction is there when |
//! |---|---|
//! | pending | nonces reach it without a gap, the balance covers all up to it, fee caps cover the base fee |
//! | base-fee | the same, but it or one before it has a fee cap below the base fee |
//! | queued | a nonce before it is missing, or the balance does not reach so far |
//!
//! The builder's contract, in this order for every batch: [`Pool::take_best`]; execute; **publish** the
//! new state so that [`TipState::view`] shows it; then report with [`Pool::executed`],
//! [`Pool::on_state_change`] and [`Pool::unexecutable`]. A view taken after a report must contain it,
//! otherwise the pool may admit a transaction against a balance that is gone; nothing worse, since
//! the executor has the last word.
//!
//! It is not: a peer-to-peer pool, a store of blob sidecars, a judge of execution results.

mod account;
mod conditions;
mod config;
mod decode;
mod error;
mod event;
mod gas;
mod journal;
mod metrics;
mod pool;
mod price;
mod ready;
mod recovery;
mod sender;
mod shared;
mod transaction;
mod validate;

pub use account::{RollupCost, SenderCode, SenderView, TipState};
pub use conditions::BlockConditions;
pub use config::{PoolConfig, RecoveryConfig};
pub use decode::{decode_canonical, recover_sender};
pub use error::{ErrorKind, PoolError};
pub use event::{DropReason, Effects, PoolEvent};
pub use gas::{IntrinsicGas, intrinsic_gas};
pub use journal::{JournalError, JournalOp, JournalRecord, RestoreReport};
pub use pool::{
    Content, Inserted, Pool, PoolStatus, SenderContent, SubPool, TxStatus, Unexecutable,
};
pub use recovery::{Recovery, Reply};
pub use shared::SharedPool;
pub use transaction::{Origin, PoolTransaction, Timestamp};

#[cfg(test)]
mod tests;
