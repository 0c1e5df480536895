//! What a rollup node says of itself: the sync status, and the handle through which RPC reads it.

use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};

use crate::batcher::{BatcherCommand, BatcherCommandError};
use crate::{L1BlockRef, L2BlockRef, RollupConfig};

/// Snapshot of derivation, as `optimism_syncStatus` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SyncStatus {
    /// The L1 block that derivation reads.
    pub current_l1: L1BlockRef,
    /// The finalized L1 block that derivation knows.
    pub current_l1_finalized: L1BlockRef,
    /// Newest L1 block.
    pub head_l1: L1BlockRef,
    /// Newest justified L1 block.
    pub safe_l1: L1BlockRef,
    /// Newest finalized L1 block.
    pub finalized_l1: L1BlockRef,
    /// Newest L2 block.
    pub unsafe_l2: L2BlockRef,
    /// Newest L2 block that follows from L1.
    pub safe_l2: L2BlockRef,
    /// Newest L2 block that follows from finalized L1 blocks.
    pub finalized_l2: L2BlockRef,
    /// Newest block of a span batch that is applied and not complete.
    pub pending_safe_l2: L2BlockRef,
    /// First of the unsafe blocks that wait for their parent; zero while none does.
    pub queued_unsafe_l2: L2BlockRef,
    /// The unsafe head: chains of this kind have no other that they depend on.
    pub cross_unsafe_l2: L2BlockRef,
    /// The safe head, for the same reason.
    pub local_safe_l2: L2BlockRef,
}

/// Where the driver says what it is doing and others read it. Clones share it.
#[derive(Clone)]
pub struct RollupHandle {
    config: Arc<RollupConfig>,
    status: Arc<RwLock<SyncStatus>>,
    reset: Arc<RwLock<Option<Reset>>>,
    batcher: Arc<RwLock<Option<Command>>>,
}

type Reset = Box<dyn Fn() + Send + Sync>;
type Command = Box<dyn Fn(BatcherCommand) -> Result<(), BatcherCommandError> + Send + Sync>;

impl std::fmt::Debug for RollupHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RollupHandle").field("status", &self.status()).finish_non_exhaustive()
    }
}

impl RollupHandle {
    /// A handle with an empty status.
    pub fn new(config: Arc<RollupConfig>) -> Self {
        let (status, reset, batcher) = (Arc::default(), Arc::default(), Arc::default());
        Self { config, status, reset, batcher }
    }

    /// The rollup's parameters.
    pub fn config(&self) -> &RollupConfig {
        &self.config
    }

    /// The last status that the driver set.
    pub fn status(&self) -> SyncStatus {
        *self.status.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the status.
    pub fn set_status(&self, status: SyncStatus) {
        *self.status.write().unwrap_or_else(PoisonError::into_inner) = status;
    }

    /// Says what starts derivation anew. It must not wait.
    pub fn on_reset(&self, reset: impl Fn() + Send + Sync + 'static) {
        *self.reset.write().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(reset));
    }

    /// Starts derivation anew; `false` where there is none.
    pub fn reset(&self) -> bool {
        match &*self.reset.read().unwrap_or_else(PoisonError::into_inner) {
            Some(reset) => {
                reset();
                true
            }
            None => false,
        }
    }

    /// Says who takes commands to the batcher. It must not wait.
    pub fn on_batcher_command(
        &self,
        take: impl Fn(BatcherCommand) -> Result<(), BatcherCommandError> + Send + Sync + 'static,
    ) {
        *self.batcher.write().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(take));
    }

    /// Tells the batcher to do something. It does so after what it is doing.
    ///
    /// # Errors
    /// [`BatcherCommandError`]; nothing will be done then.
    pub fn command_batcher(&self, command: BatcherCommand) -> Result<(), BatcherCommandError> {
        match &*self.batcher.read().unwrap_or_else(PoisonError::into_inner) {
            Some(take) => take(command),
            None => Err(BatcherCommandError::NoBatcher),
        }
    }
}
