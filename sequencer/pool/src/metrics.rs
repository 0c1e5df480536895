//! Metrics, named `cairn_pool_*`. Handles are made once: looking one up costs more than the
//! operation it counts.

use metrics::{Counter, Gauge, Histogram, counter, gauge, histogram};

use crate::event::DropReason;
use crate::{ErrorKind, PoolError, PoolStatus};

#[derive(Debug)]
pub(crate) struct PoolMetrics {
    pending: Gauge,
    base_fee: Gauge,
    queued: Gauge,
    bytes: Gauge,
    included: Gauge,
    inserted: Counter,
    dropped: [(DropReason, Counter); 6],
    rejected: [(ErrorKind, Counter); 5],
}

impl PoolMetrics {
    pub(crate) fn new() -> Self {
        let dropped = |label: &'static str| counter!("cairn_pool_dropped_total", "reason" => label);
        let rejected = |label: &'static str| counter!("cairn_pool_rejected_total", "kind" => label);
        Self {
            pending: gauge!("cairn_pool_pending_txs"),
            base_fee: gauge!("cairn_pool_base_fee_txs"),
            queued: gauge!("cairn_pool_queued_txs"),
            bytes: gauge!("cairn_pool_size_bytes"),
            included: gauge!("cairn_pool_included_txs"),
            inserted: counter!("cairn_pool_inserted_total"),
            dropped: [
                (DropReason::Replaced, dropped("replaced")),
                (DropReason::Evicted, dropped("evicted")),
                (DropReason::Expired, dropped("expired")),
                (DropReason::NonceUsed, dropped("nonce_used")),
                (DropReason::Invalid, dropped("invalid")),
                (DropReason::ExceedsBlockGasLimit, dropped("gas_limit")),
            ],
            rejected: [
                (ErrorKind::AlreadyKnown, rejected("already_known")),
                (ErrorKind::Underpriced, rejected("underpriced")),
                (ErrorKind::Invalid, rejected("invalid")),
                (ErrorKind::Temporary, rejected("temporary")),
                (ErrorKind::Internal, rejected("internal")),
            ],
        }
    }

    pub(crate) fn show(&self, status: &PoolStatus) {
        #[allow(clippy::cast_precision_loss)]
        let set = |gauge: &Gauge, value: usize| gauge.set(value as f64);
        set(&self.pending, status.pending);
        set(&self.base_fee, status.base_fee);
        set(&self.queued, status.queued);
        set(&self.bytes, status.bytes);
        set(&self.included, status.included);
    }

    pub(crate) fn count_inserted(&self, count: usize) {
        self.inserted.increment(u64::try_from(count).unwrap_or(u64::MAX));
    }

    pub(crate) fn count_dropped(&self, reason: DropReason) {
        if let Some((_, counter)) = self.dropped.iter().find(|(known, _)| *known == reason) {
            counter.increment(1);
        }
    }

    pub(crate) fn count_rejected(&self, error: &PoolError) {
        let kind = error.kind();
        if let Some((_, counter)) = self.rejected.iter().find(|(known, _)| *known == kind) {
            counter.increment(1);
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct RecoveryMetrics {
    pub(crate) waiting: Gauge,
    pub(crate) busy: Counter,
    pub(crate) batch_size: Histogram,
    pub(crate) batch_seconds: Histogram,
}

impl RecoveryMetrics {
    pub(crate) fn new() -> Self {
        Self {
            waiting: gauge!("cairn_pool_recovery_waiting_txs"),
            busy: counter!("cairn_pool_recovery_busy_total"),
            batch_size: histogram!("cairn_pool_recovery_batch_txs"),
            batch_seconds: histogram!("cairn_pool_recovery_batch_seconds"),
        }
    }
}
