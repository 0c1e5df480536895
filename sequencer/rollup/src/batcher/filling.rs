//! Blocks into channels.

use std::time::Duration;

use alloy_primitives::{B256, keccak256};

use super::{Batcher, Effect, Phase, ResetReason, Submission};
use crate::{
    L2BlockRef,
    batch::{BatchBlock, BatchError},
    channel::{ChannelFull, ChannelOut, ChannelOutConfig},
    frame::ChannelId,
};

/// Where the batcher is in the unsafe chain.
#[derive(Debug)]
pub(super) struct Filling {
    /// Where it began.
    base: L2BlockRef,
    /// Last block that is in a channel.
    last: L2BlockRef,
    /// Last block that was asked for.
    asked: u64,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    channel: ChannelOut,
    since: Duration,
    /// Number of the L1 head at that time.
    since_l1: u64,
    /// L1 origin of its first block.
    origin: u64,
}

impl Filling {
    pub(super) fn new(base: L2BlockRef) -> Self {
        let asked = base.number;
        Self { base, last: base, asked, open: None }
    }

    pub(super) const fn base(&self) -> &L2BlockRef {
        &self.base
    }

    pub(super) const fn last(&self) -> &L2BlockRef {
        &self.last
    }
}

impl Batcher {
    /// A block of the unsafe chain.
    pub(super) fn take_block(&mut self, block: &BatchBlock, now: Duration) {
        let Phase::Running(filling) = &mut self.phase else { return };
        let last = filling.last;
        let number = block.block.number;
        self.unsafe_head = self.unsafe_head.max(number);
        if number > last.number + 1 {
            // Something was left out: asks again.
            filling.asked = last.number;
            return;
        }
        let another = number == last.number && block.block.hash != last.hash
            || number == last.number + 1 && block.block.parent_hash != last.hash;
        if another {
            return self.reset(ResetReason::L2Reorg, now);
        }
        if number <= last.number {
            return;
        }
        if filling.open.as_ref().is_some_and(|open| !open.channel.fits(block)) {
            self.close_channel();
        }
        match self.add(block, now) {
            Ok(full) => self.close_if_full(full),
            Err(BatchError::NotConsecutive { .. }) => self.reset(ResetReason::L2Reorg, now),
            Err(error) => {
                self.phase = Phase::Halted;
                self.effects.push(Effect::Halt { block: number, error });
            }
        }
    }

    /// Adds the block to the open channel, or to a new one; whether it is full then.
    fn add(
        &mut self,
        block: &BatchBlock,
        now: Duration,
    ) -> Result<Option<ChannelFull>, BatchError> {
        let id = self.channel_id(&block.block.parent_hash);
        let l1 = self.l1.map_or(0, |head| head.number);
        let config = self.channel_config(now);
        let Phase::Running(filling) = &mut self.phase else { return Ok(None) };
        let open = filling.open.get_or_insert_with(|| Open {
            channel: ChannelOut::new(id, config, self.ratio, &self.rollup),
            since: now,
            since_l1: l1,
            origin: block.block.l1_origin.number,
        });
        open.channel.push(block)?;
        filling.last = block.block;
        Ok(open.channel.full())
    }

    /// While channels wait for L1, one beyond its target size goes on growing: one transaction takes
    /// it as it would take a small one.
    fn close_if_full(&mut self, full: Option<ChannelFull>) {
        match full {
            Some(ChannelFull::TargetSize) if self.is_backed_up() => {}
            Some(_) => self.close_channel(),
            None => {}
        }
    }

    /// The channel's limits, such that its parts are on L1 in half of the time that a channel has,
    /// one transaction in each block.
    fn channel_config(&self, now: Duration) -> ChannelOutConfig {
        let parts = (self.max_parts() / 2).max(1);
        let capacity = self.failover.carrier(now).capacity(&self.config).saturating_mul(parts);
        let config = self.config.channel;
        // The estimate may be wrong by some percent.
        let max_size = config.max_size.min(capacity - capacity / 5);
        ChannelOutConfig { max_size, target_size: config.target_size.min(max_size), ..config }
    }

    /// Transactions that a channel may take: one in each L1 block while it is open.
    pub(super) const fn max_parts(&self) -> usize {
        (self.rollup.channel_lifetime() - self.config.safety_margin) as usize
    }

    /// Bytes of the open channel after compression, by estimate.
    pub(super) fn open_bytes(&self) -> usize {
        match &self.phase {
            Phase::Running(filling) => {
                filling.open.as_ref().map_or(0, |open| open.channel.estimated_size())
            }
            Phase::Settling(_) | Phase::Halted | Phase::Stopped => 0,
        }
    }

    /// Whether one channel waits behind another.
    fn is_backed_up(&self) -> bool {
        self.queue.len() >= 2
    }

    /// A name that was not used lately: a hash of where and when.
    pub(super) fn channel_id(&mut self, parent: &B256) -> ChannelId {
        let id = self.new_id();
        let l1 = self.l1.map_or(B256::ZERO, |head| head.hash);
        let hash = keccak256([parent.as_slice(), l1.as_slice(), &id.to_be_bytes()].concat());
        let mut name = [0; 16];
        name.copy_from_slice(&hash[..16]);
        ChannelId(name)
    }

    /// Closes the open channel and queues it.
    pub(super) fn close_channel(&mut self) {
        let Phase::Running(filling) = &mut self.phase else { return };
        let Some(closed) = filling.open.take().and_then(|open| open.channel.close()) else {
            return;
        };
        self.ratio = closed.ratio;
        self.queue.push_back(Submission::new(closed));
    }

    /// Closes the open channel when its time is over, or when it is full and there is room at last.
    /// While channels wait for L1, one more would only be smaller than it need be; the sequencing
    /// window does not wait.
    pub(super) fn close_if_due(&mut self, now: Duration) {
        let Phase::Running(filling) = &self.phase else { return };
        let Some(open) = &filling.open else { return };
        let l1 = self.l1.map_or(0, |head| head.number);
        let window = open.origin + self.rollup.seq_window_size - self.config.safety_margin;
        let old = now >= open.since + self.config.channel.max_duration
            || l1 >= open.since_l1 + self.config.channel.max_l1_blocks;
        let due = old || open.channel.full().is_some();
        if l1 >= window || due && !self.is_backed_up() {
            self.close_channel();
        }
    }

    /// Asks for more blocks, unless enough are waiting.
    pub(super) fn request_blocks(&mut self) {
        let queued = self.queued_bytes() + self.open_bytes();
        let Phase::Running(filling) = &mut self.phase else { return };
        let ahead = u64::from(self.config.blocks_ahead.get());
        let left = filling.asked.saturating_sub(filling.last.number);
        if left > ahead / 2 || queued >= self.config.max_queued_bytes {
            return;
        }
        filling.asked = filling.last.number + ahead;
        let from = filling.last.number + 1;
        self.effects.push(Effect::LoadBlocks { from, to: filling.asked });
    }
}
