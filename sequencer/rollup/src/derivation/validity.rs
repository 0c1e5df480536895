//! Whether a batch counts (OP specification: Batch queue; Span batches; Holocene; Jovian).
//!
//! The rules are those of Holocene, so nothing is kept for later: a batch is valid now, in the
//! past, or dropped with the rest of its channel. `undecided` does not occur. A batch that names
//! an L1 origin which is not before the block it was read from cannot know its hash; the
//! specification waits for that origin and then drops it, here it is dropped at once.

use cairn_primitives::{DEPOSIT_TX_TYPE, ReadError};

use super::BatchDrop;
use super::origins::Origins;
use crate::batch::{SingularBatch, SpanBatch};
use crate::{L2BlockRef, RollupConfig};

/// The chain that derivation has made so far.
pub trait SafeChain {
    /// The safe block at that number, which is at most the safe head's. `None` if it is so old that
    /// the node keeps no more than its header: older than [`oldest_origin`] demands.
    fn block(&self, number: u64) -> Result<Option<L2BlockRef>, ReadError>;
}

/// The lowest L1 origin of blocks that derivation may ask for, once a block with the L1 origin
/// `finalized` is final.
///
/// What derivation still reads of L1 comes behind that origin. A span batch that counts there begins
/// in an epoch whose sequencing window is open, and follows a block of that epoch or the one before. A
/// channel that is open there began at most a channel lifetime before ([`crate::start`]).
pub fn oldest_origin(config: &RollupConfig, finalized: u64) -> u64 {
    finalized.saturating_sub(config.seq_window_size.max(config.channel_lifetime()))
}

/// What batches are judged by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) config: &'a RollupConfig,
    pub(super) safe: &'a L2BlockRef,
    pub(super) origins: &'a Origins,
    /// Number of the L1 block that is read now.
    pub(super) current: u64,
}

/// A span batch is not judged.
#[derive(Debug)]
pub(super) enum SpanError {
    Drop(BatchDrop),
    /// A block of the safe chain could not be read.
    Read(u64, ReadError),
}

impl From<BatchDrop> for SpanError {
    fn from(drop: BatchDrop) -> Self {
        Self::Drop(drop)
    }
}

impl Context<'_> {
    pub(super) const fn next_timestamp(&self) -> u64 {
        self.safe.timestamp.saturating_add(self.config.block_time)
    }

    /// Whether the sequencing window of an L1 block is over.
    const fn too_late(&self, epoch: u64) -> bool {
        epoch.saturating_add(self.config.seq_window_size) < self.current
    }

    /// Checks the batch of the block after the safe head.
    pub(super) fn check_singular(&self, batch: &SingularBatch) -> Result<(), BatchDrop> {
        let next = self.next_timestamp();
        if batch.timestamp > next {
            return Err(BatchDrop::Future);
        }
        if batch.timestamp < next {
            return Err(BatchDrop::Past);
        }
        if batch.parent_hash != self.safe.hash {
            return Err(BatchDrop::Parent);
        }
        if self.too_late(batch.epoch.number) {
            return Err(BatchDrop::Window);
        }
        self.check_origin(batch)?;
        // The fork's upgrade transactions run with the block's gas for themselves.
        let parent_time = self.safe.timestamp;
        let activates = self.config.is_jovian(next) && !self.config.is_jovian(parent_time);
        if activates && !batch.transactions.is_empty() {
            return Err(BatchDrop::ActivationBlock);
        }
        self.check_drift(batch)?;
        check_transactions(batch)
    }

    fn check_origin(&self, batch: &SingularBatch) -> Result<(), BatchDrop> {
        let (number, parent) = (batch.epoch.number, self.safe.l1_origin.number);
        if number < parent {
            return Err(BatchDrop::OldOrigin(number));
        }
        if number > parent.saturating_add(1) {
            return Err(BatchDrop::SkippedOrigin(number));
        }
        let origin = self.origins.get(number).ok_or(BatchDrop::FutureOrigin(number))?;
        if origin.block.hash != batch.epoch.hash {
            return Err(BatchDrop::OriginHash(number));
        }
        if batch.timestamp < origin.block.timestamp {
            return Err(BatchDrop::BeforeOrigin);
        }
        Ok(())
    }

    /// A block too far ahead of its origin must be empty, and must have had no newer origin to
    /// take.
    fn check_drift(&self, batch: &SingularBatch) -> Result<(), BatchDrop> {
        let number = batch.epoch.number;
        let origin = self.origins.get(number).ok_or(BatchDrop::FutureOrigin(number))?;
        let max = origin.block.timestamp.saturating_add(self.config.sequencer_drift_max());
        if batch.timestamp <= max {
            return Ok(());
        }
        if !batch.transactions.is_empty() {
            return Err(BatchDrop::Drift);
        }
        if number == self.safe.l1_origin.number {
            let next = number.saturating_add(1);
            let next = self.origins.get(next).ok_or(BatchDrop::FutureOrigin(next))?;
            if batch.timestamp >= next.block.timestamp {
                return Err(BatchDrop::DriftOrigin);
            }
        }
        Ok(())
    }

    /// Checks a span batch as a whole, before its blocks are checked one by one. It may overlap
    /// the safe chain; since Holocene what it says of those blocks does not matter.
    pub(super) fn check_span(
        &self,
        span: &SpanBatch,
        chain: &dyn SafeChain,
    ) -> Result<(), SpanError> {
        let (Some(first), Some(last)) = (span.blocks.first(), span.blocks.last()) else {
            return Err(BatchDrop::Misaligned.into());
        };
        let next = self.next_timestamp();
        if first.timestamp > next {
            return Err(BatchDrop::Future.into());
        }
        if last.timestamp < next {
            return Err(BatchDrop::Past.into());
        }
        // Before the parent is read, which bounds how old one may be that is read.
        if self.too_late(first.epoch) {
            return Err(BatchDrop::Window.into());
        }
        let Some(parent) = self.span_parent(first.timestamp, chain)? else {
            // Whatever its hash is, its epoch is far before that of the batch.
            return Err(BatchDrop::SkippedOrigin(first.epoch).into());
        };
        if parent.hash.get(..20) != Some(span.parent_check.as_slice()) {
            return Err(BatchDrop::Parent.into());
        }
        if first.epoch > parent.l1_origin.number.saturating_add(1) {
            return Err(BatchDrop::SkippedOrigin(first.epoch).into());
        }
        if last.epoch < self.safe.l1_origin.number || first.epoch < parent.l1_origin.number {
            return Err(BatchDrop::OldOrigin(first.epoch).into());
        }
        let origin = self.origins.get(last.epoch).ok_or(BatchDrop::FutureOrigin(last.epoch))?;
        if origin.block.hash.get(..20) != Some(span.l1_origin_check.as_slice()) {
            return Err(BatchDrop::OriginHash(last.epoch).into());
        }
        Ok(())
    }

    /// The safe block before a span batch that begins at `timestamp`, if it is still kept.
    fn span_parent(
        &self,
        timestamp: u64,
        chain: &dyn SafeChain,
    ) -> Result<Option<L2BlockRef>, SpanError> {
        let Some(behind) = self.next_timestamp().checked_sub(timestamp).filter(|s| *s > 0) else {
            return Ok(Some(*self.safe));
        };
        if !behind.is_multiple_of(self.config.block_time) {
            return Err(BatchDrop::Misaligned.into());
        }
        let number = self.safe.number.checked_sub(behind / self.config.block_time);
        let genesis = self.config.genesis.l2.number;
        let number = number.filter(|number| *number >= genesis).ok_or(BatchDrop::Parent)?;
        chain.block(number).map_err(|error| SpanError::Read(number, error))
    }
}

/// Transactions are not empty, and of a type that users sign on this chain. Anything behind the
/// type byte is for the execution to judge.
fn check_transactions(batch: &SingularBatch) -> Result<(), BatchDrop> {
    for (index, transaction) in batch.transactions.iter().enumerate() {
        match transaction.first() {
            None => return Err(BatchDrop::EmptyTransaction(index)),
            Some(&DEPOSIT_TX_TYPE) => return Err(BatchDrop::Deposit(index)),
            // Access list, dynamic fee, set code; a list begins a legacy transaction.
            Some(1 | 2 | 4 | 0xc0..=0xfe) => {}
            Some(&kind) => return Err(BatchDrop::TransactionType { index, kind }),
        }
    }
    Ok(())
}
