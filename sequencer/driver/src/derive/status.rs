//! What derivation shows of itself.

use cairn_chain::BlockRef;
use cairn_l1::Heads;
use cairn_rollup::{L1BlockRef, L2BlockRef, SyncStatus};

use super::Shared;
use crate::DriverError;

/// Shows where the heads are. `current` is the last L1 block that was
/// read to its end.
pub(super) fn publish(
    shared: &Shared,
    current: L1BlockRef,
    pending_safe: Option<L2BlockRef>,
) -> Result<(), DriverError> {
    let l1 = shared.heads.borrow().heads.unwrap_or_default();
    let Heads { latest, safe, finalized } = l1;
    let read = |block| -> Result<L2BlockRef, DriverError> {
        Ok(shared.reader.block_ref(block)?.unwrap_or_default())
    };
    let (unsafe_l2, safe_l2) = (read(BlockRef::Latest)?, read(BlockRef::Safe)?);
    shared.handle.set_status(SyncStatus {
        current_l1: current,
        current_l1_finalized: finalized.unwrap_or_default(),
        head_l1: latest,
        safe_l1: safe.unwrap_or_default(),
        finalized_l1: finalized.unwrap_or_default(),
        unsafe_l2,
        safe_l2,
        finalized_l2: read(BlockRef::Finalized)?,
        pending_safe_l2: pending_safe.unwrap_or(safe_l2),
        queued_unsafe_l2: L2BlockRef::default(),
        cross_unsafe_l2: unsafe_l2,
        local_safe_l2: safe_l2,
    });
    metrics::gauge!("cairn_derivation_l1_block").set(current.number as f64);
    metrics::gauge!("cairn_l1_head_block").set(latest.number as f64);
    Ok(())
}
