use std::collections::VecDeque;

use super::origins::Origins;
use super::validity::{Context, SpanError};
use super::{BatchDrop, DropReason, ResetReason, SafeChain};
use crate::batch::{Batch, SingularBatch, SpanBatch, SpanBatchBlock};
use crate::channel::BatchReader;
use crate::{L2BlockRef, RollupConfig};

/// Channel reader and batch stage: the batches of one channel, each checked when its turn comes.
#[derive(Debug, Default)]
pub(super) struct BatchStage {
    reader: Option<BatchReader>,
    /// What is left of the span batch that is read now.
    span: VecDeque<SpanBatchBlock>,
}

/// What comes next.
#[derive(Debug)]
pub(super) enum Next {
    /// A valid batch for the block after the safe head.
    Batch { batch: SingularBatch, last_in_span: bool },
    /// Something was dropped.
    Dropped(DropReason),
    /// Nothing to say; ask again.
    Again,
    /// The channel is read.
    End,
}

impl BatchStage {
    /// Reads a complete channel from now on.
    pub(super) fn open(&mut self, channel: Vec<u8>, block: u64) -> Result<(), DropReason> {
        self.flush();
        let reader = BatchReader::new(channel).map_err(|_| DropReason::Channel { block })?;
        self.reader = Some(reader);
        Ok(())
    }

    /// Drops what is left of the span batch and of its channel.
    pub(super) fn flush(&mut self) {
        *self = Self::default();
    }

    /// The next valid batch.
    pub(super) fn next(
        &mut self,
        context: Context<'_>,
        chain: &dyn SafeChain,
    ) -> Result<Next, ResetReason> {
        if let Some(block) = self.span.pop_front() {
            return Ok(self.next_of_span(context, block));
        }
        let Some(reader) = &mut self.reader else { return Ok(Next::End) };
        match reader.next_batch(context.config) {
            Ok(Some(Batch::Singular(batch))) => Ok(self.judge(context, batch)),
            Ok(Some(Batch::Span(span))) => self.begin_span(context, span, chain),
            Ok(None) => {
                self.flush();
                Ok(Next::End)
            }
            Err(_) => {
                self.flush();
                Ok(Next::Dropped(DropReason::Channel { block: context.current }))
            }
        }
    }

    fn begin_span(
        &mut self,
        context: Context<'_>,
        span: SpanBatch,
        chain: &dyn SafeChain,
    ) -> Result<Next, ResetReason> {
        let timestamp = span.blocks.first().map_or(0, |block| block.timestamp);
        match context.check_span(&span, chain) {
            Ok(()) => {
                self.span = span.blocks.into();
                Ok(Next::Again)
            }
            Err(SpanError::Drop(reason)) => Ok(self.dropped(context, timestamp, reason)),
            Err(SpanError::Read(number, source)) => Err(ResetReason::SafeChain { number, source }),
        }
    }

    fn next_of_span(&mut self, context: Context<'_>, block: SpanBatchBlock) -> Next {
        let SpanBatchBlock { epoch, timestamp, transactions } = block;
        if timestamp <= context.safe.timestamp {
            return Next::Again;
        }
        // Older than the safe head's origin, or none of this L1: invalid, not an error.
        let hash = context.origins.get(epoch).map(|origin| origin.block.hash);
        let epoch = alloy_eips::BlockNumHash { number: epoch, hash: hash.unwrap_or_default() };
        let parent_hash = context.safe.hash;
        self.judge(context, SingularBatch { parent_hash, epoch, timestamp, transactions })
    }

    fn judge(&mut self, context: Context<'_>, batch: SingularBatch) -> Next {
        match context.check_singular(&batch) {
            Ok(()) => Next::Batch { batch, last_in_span: self.span.is_empty() },
            Err(reason) => self.dropped(context, batch.timestamp, reason),
        }
    }

    /// Past batches go alone, others take the rest of the channel with them.
    fn dropped(&mut self, context: Context<'_>, timestamp: u64, reason: BatchDrop) -> Next {
        if reason != BatchDrop::Past {
            self.flush();
        }
        Next::Dropped(DropReason::Batch { block: context.current, timestamp, reason })
    }
}

/// The empty batch that follows when all batches of the L1 block have been read and the
/// sequencing window of the next block's origin is over.
///
/// The origin stays as long as the next one is in the future; the first block of the next epoch
/// is made here only when the window of that epoch is over too, so that its batch can still come
/// until then (as in op-node and kona).
pub(super) fn empty_batch(
    config: &RollupConfig,
    safe: &L2BlockRef,
    origins: &Origins,
    current: u64,
) -> Option<SingularBatch> {
    let expired = |number: u64| number.saturating_add(config.seq_window_size) <= current;
    let epoch = origins.get(safe.l1_origin.number)?;
    let next = origins.get(epoch.block.number.saturating_add(1))?;
    let timestamp = safe.timestamp.saturating_add(config.block_time);
    let origin = if timestamp < next.block.timestamp { epoch } else { next };
    expired(origin.block.number).then(|| SingularBatch {
        parent_hash: safe.hash,
        epoch: origin.block.id(),
        timestamp,
        transactions: Vec::new(),
    })
}
