//! What the pool tells others.

use std::sync::Arc;

use crate::PoolTransaction;

/// Why a transaction left the pool without being executed by the builder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DropReason {
    /// Another transaction of the same sender and nonce paid more.
    Replaced,
    /// The pool was full and others paid more.
    Evicted,
    /// Queued for too long.
    Expired,
    /// Its nonce was used by a transaction that did not come through the builder.
    NonceUsed,
    /// The executor refused it for good.
    Invalid,
    /// Its gas limit is above what blocks now give.
    ExceedsBlockGasLimit,
}

/// What subscribers receive, one event for a batch of changes.
#[derive(Debug, Clone)]
pub enum PoolEvent {
    /// Transactions that became executable, in that order. Each is told once.
    Pending(Arc<[Arc<PoolTransaction>]>),
    /// Transactions that left without being executed.
    Dropped(Arc<[(Arc<PoolTransaction>, DropReason)]>),
}

/// What a change of the pool asks its shell to do.
#[derive(Debug, Default)]
pub struct Effects {
    /// Newly executable transactions.
    pub promoted: Vec<Arc<PoolTransaction>>,
    /// Transactions that left.
    pub dropped: Vec<(Arc<PoolTransaction>, DropReason)>,
    /// The builder found nothing when it last asked, and now there is something.
    pub wake_builder: bool,
}
