//! How much of L1 a block may take.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cairn_evm::DaSize;
use cairn_pool::PoolTransaction;

/// Smallest size that a transaction is estimated to have, bytes (OP specification: Fjord,
/// `minTransactionSize`).
const MIN_TX_BYTES: u64 = 100;

/// Most bytes that the transactions of a block may take on L1, as Fjord estimates them, deposits
/// not counted. Clones share it: whoever sends batches lowers it while L1 does not keep up, and the
/// sequencer obeys from the next transaction on.
///
/// Transactions beyond it wait in the pool. One that is larger than the limit gets a block for itself.
/// Blocks that others built, and what a journal holds, are not judged by it.
#[derive(Debug, Clone)]
pub struct DaLimit(Arc<AtomicU64>);

impl Default for DaLimit {
    fn default() -> Self {
        Self(Arc::new(AtomicU64::new(u64::MAX)))
    }
}

impl DaLimit {
    /// Sets the bytes per block; `None` lifts the limit.
    pub fn set(&self, bytes: Option<u64>) {
        self.0.store(bytes.unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Whether a block whose transactions take `used` bytes has room for `more`.
    pub(super) fn allows(&self, used: u64, more: u64) -> bool {
        used == 0 || used.saturating_add(more) <= self.0.load(Ordering::Relaxed)
    }

    /// Whether no transaction at all fits into a block that has `used`.
    pub(super) fn is_used_up(&self, used: u64) -> bool {
        !self.allows(used, MIN_TX_BYTES)
    }
}

/// What a transaction takes on L1; `None` of a deposit, which L1 has.
pub(super) fn da_size(tx: &PoolTransaction) -> Option<DaSize> {
    let estimated = || DaSize::estimate(tx.encoded());
    let size = || tx.da_size().map_or_else(estimated, DaSize::from_millionths);
    (!tx.envelope().is_deposit_tx()).then(size)
}
