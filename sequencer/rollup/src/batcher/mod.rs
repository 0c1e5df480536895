//! The batcher: which batches are sent to L1, when, and by which carrier.
//!
//! [`Batcher::step`] takes an event and a time and says what is to be done; it does no I/O and
//! knows no clock. When it closes a channel it compresses, some microseconds per transaction: it belongs
//! on a thread of its own.
//!
//! ```text
//!          nonces equal, and L1 derived         full, too old,
//!          up to there                          or window at risk
//! settling ───────────────────────► blocks ─► channel ─────► queue of channels
//!    ▲                                                          │ front, then the next
//!    │                                          certificate ◄── disperse (DA)
//!    │ reset: L1 or L2 reorganisation,              │     │ fails: blobs instead
//!    │ batch not derived, foreign nonce             ▼     ▼
//!    └───────────────────────────────────────── one transaction in doubt ─► included ─► safe
//! ```
//!
//! Rules:
//!
//! - The blocks behind the safe head go into channels in order, and the frames of the channels to
//!   L1 in order, as Holocene demands. So there is one transaction in doubt at a time; the next
//!   channel may be dispersed meanwhile.
//! - Nothing is remembered across restarts, and nothing is needed. A start, like every reset, first
//!   lets the transactions that are already in the mempool be decided: included, or replaced by an
//!   empty one. Then it waits until derivation has read L1 up to there, and begins behind the safe
//!   head. What was sent and derived is not sent again; what was sent and is gone is.
//! - A channel that changes its carrier after a part of it is on L1 begins anew under another
//!   name. Its first frame ends the old channel, so the part does no harm.
//! - An operator can stop it and start it again. A stop forgets what a restart of the process would,
//!   and the sequencer is slowed down as if L1 did not keep up.
//! - A transaction that did not come through is sent again: the same bytes with a higher fee while
//!   it is in doubt, and after a refusal what the carrier of that moment asks for.

mod command;
mod config;
mod event;
mod failover;
mod filling;
mod sending;
mod settling;
mod submission;

use std::{collections::VecDeque, time::Duration};

pub use command::{BatcherCommand, BatcherCommandError};
pub use config::{BatcherConfig, BatcherConfigError, CarrierChoice};
pub use event::{
    BatcherTransaction, CERTIFICATE_PREFIX, DispersalFailure, DispersalId, Effect, Event,
    ResetReason, SafeHead, TxFailure, TxId,
};
pub use failover::Carrier;

use crate::{L1BlockRef, L2BlockRef, RollupConfig, channel::CompressionRatio};
use failover::Failover;
use filling::Filling;
use sending::{InDoubt, Included};
use settling::Settling;
use submission::Submission;

/// The state machine.
#[derive(Debug)]
pub struct Batcher {
    config: BatcherConfig,
    rollup: RollupConfig,
    phase: Phase,
    l1: Option<L1BlockRef>,
    /// Since the last reset.
    safe: Option<SafeHead>,
    unsafe_head: u64,
    /// What the sequencer was asked for last, bytes per block.
    throttled: Option<u64>,
    /// Closed channels in order. Only the front one has a transaction in doubt.
    queue: VecDeque<Submission>,
    in_doubt: Option<InDoubt>,
    /// Channels on L1 that were not derived yet.
    included: VecDeque<Included>,
    failover: Failover,
    /// Of the last channel.
    ratio: CompressionRatio,
    /// Numbers transactions, dispersals and channels; never used twice.
    next_id: u64,
    effects: Vec<Effect>,
}

#[derive(Debug)]
enum Phase {
    /// Waits until it is known what of earlier is on L1.
    Settling(Settling),
    /// Sends.
    Running(Box<Filling>),
    /// Was given a block that no batch can hold. Only a reset leaves this.
    Halted,
    /// Was told to send nothing. Only [`Event::Start`] leaves this.
    Stopped,
}

/// What an operator wants to see.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatcherStatus {
    /// Whether channels are being filled and sent.
    pub running: bool,
    /// Whether an operator stopped it.
    pub stopped: bool,
    /// Last block that is in a channel.
    pub last_block: Option<u64>,
    /// Closed channels that are not on L1 yet.
    pub queued_channels: usize,
    /// Their bytes.
    pub queued_bytes: usize,
    /// Whether a transaction is in doubt.
    pub in_doubt: bool,
    /// What a channel would be sent with now.
    pub carrier: Carrier,
    /// Bytes per block, if the sequencer is asked to slow down.
    pub throttled: Option<u64>,
}

impl Batcher {
    /// At the start of the process. The first events should be [`Event::L1Head`] and
    /// [`Event::SafeHead`].
    pub fn new(config: BatcherConfig, rollup: RollupConfig) -> Result<Self, BatcherConfigError> {
        config.check(&rollup)?;
        Ok(Self {
            failover: Failover::new(config.carrier),
            config,
            rollup,
            phase: Phase::Settling(Settling::default()),
            l1: None,
            safe: None,
            unsafe_head: 0,
            throttled: None,
            queue: VecDeque::new(),
            in_doubt: None,
            included: VecDeque::new(),
            ratio: CompressionRatio::default(),
            next_id: 0,
            effects: Vec::new(),
        })
    }

    /// Takes an event. `now` is monotonic, from any beginning. The effects are to be carried out
    /// in order. An [`Event::Tick`] is due every second or so.
    pub fn step(&mut self, event: Event, now: Duration) -> Vec<Effect> {
        match event {
            Event::Tick => {}
            Event::UnsafeHead(number) => self.unsafe_head = number,
            Event::UnsafeBlock(block) => self.take_block(&block, now),
            Event::L2Reorg => self.reset(ResetReason::L2Reorg, now),
            Event::SafeHead(safe) => self.safe_head(safe, now),
            Event::L1Head(head) => self.l1_head(head, now),
            Event::L1Reorg => self.reset(ResetReason::L1Reorg, now),
            Event::Nonces { latest, pending, at } => self.nonces(latest, pending, at, now),
            Event::TxIncluded { id, block } => self.included(id, block),
            Event::TxFailed { id, failure } => self.failed(id, failure, now),
            Event::TxStuck { id } => self.stuck(id, now),
            Event::Dispersed { id, certificate } => self.dispersed(id, certificate),
            Event::DispersalFailed { id, failure } => self.dispersal_failed(id, failure, now),
            Event::SetCarrier(choice) => self.choose_carrier(choice, now),
            Event::Flush => self.close_channel(),
            Event::Stop => self.stop(now),
            Event::Start => self.start(now),
        }
        self.advance(now);
        std::mem::take(&mut self.effects)
    }

    /// What an operator wants to see.
    pub fn status(&self, now: Duration) -> BatcherStatus {
        let last_block = match &self.phase {
            Phase::Running(filling) => Some(filling.last().number),
            Phase::Settling(_) | Phase::Halted | Phase::Stopped => None,
        };
        BatcherStatus {
            stopped: matches!(self.phase, Phase::Stopped),
            running: last_block.is_some(),
            last_block,
            queued_channels: self.queue.len(),
            queued_bytes: self.queued_bytes(),
            in_doubt: self.in_doubt.is_some(),
            carrier: self.failover.carrier(now),
            throttled: self.throttled,
        }
    }

    /// Does what is due, whatever the event was.
    fn advance(&mut self, now: Duration) {
        match self.phase {
            Phase::Settling(_) => self.settle(now),
            Phase::Running(_) => {
                self.close_if_due(now);
                self.disperse(now);
                self.send(now);
                self.bump_fee_if_due(now);
                self.request_blocks();
            }
            Phase::Halted | Phase::Stopped => {}
        }
        self.throttle();
    }

    fn l1_head(&mut self, head: L1BlockRef, now: Duration) {
        let reorganised = self.l1.is_some_and(|last| {
            let follows = head.number == last.number + 1;
            follows && head.parent_hash != last.hash
                || head.number <= last.number && head.hash != last.hash
        });
        self.l1 = Some(head);
        if reorganised {
            self.reset(ResetReason::L1Reorg, now);
        }
    }

    fn safe_head(&mut self, safe: SafeHead, now: Duration) {
        self.safe = Some(safe);
        let Phase::Running(filling) = &self.phase else { return };
        let number = safe.block.number;
        let beyond = number > filling.last().number
            || number == filling.last().number && safe.block.hash != filling.last().hash;
        if number < filling.base().number || beyond {
            return self.reset(ResetReason::SafeHead { safe: safe.block }, now);
        }
        while let Some(included) = self.included.front() {
            let last = &included.last;
            if last.number == number && last.hash != safe.block.hash {
                return self.reset(ResetReason::SafeHead { safe: safe.block }, now);
            }
            if last.number > number {
                if safe.derived_from.number >= included.l1_block {
                    let block = included.last.number;
                    self.reset(ResetReason::NotDerived { block }, now);
                }
                return;
            }
            self.included.pop_front();
        }
    }

    /// Forgets everything but what was learnt of carriers and compression, and finds out again
    /// where to begin.
    fn reset(&mut self, reason: ResetReason, now: Duration) {
        if !matches!(self.phase, Phase::Stopped) {
            self.phase = Phase::Settling(Settling::new(now));
        }
        self.safe = None;
        self.queue.clear();
        self.in_doubt = None;
        self.included.clear();
        self.effects.push(Effect::Reset { reason });
    }

    fn stop(&mut self, now: Duration) {
        if !matches!(self.phase, Phase::Stopped) {
            self.phase = Phase::Stopped;
            self.reset(ResetReason::Stopped, now);
        }
    }

    fn start(&mut self, now: Duration) {
        if matches!(self.phase, Phase::Stopped) {
            self.phase = Phase::Settling(Settling::new(now));
        }
    }

    /// Tells the sequencer when L1 does not keep up, and when it does again. The further behind, the
    /// less a block may take: whatever the carrier's rate is, blocks end up below it.
    fn throttle(&mut self) {
        let Some(safe) = &self.safe else { return };
        let lag = self.unsafe_head.saturating_sub(safe.block.number);
        let limit = self.config.max_unsafe_blocks;
        let active = lag > if self.throttled.is_some() { limit.get() / 2 } else { limit.get() };
        let halvings = u32::try_from((lag / limit).saturating_sub(1)).unwrap_or(u32::MAX);
        let bytes = self.config.throttled_block_bytes.checked_shr(halvings).unwrap_or(0);
        let block_bytes = active.then_some(bytes);
        if block_bytes != self.throttled {
            self.throttled = block_bytes;
            self.effects.push(Effect::Throttle { block_bytes });
        }
    }

    fn queued_bytes(&self) -> usize {
        self.queue.iter().map(|submission| submission.channel.data.len()).sum()
    }

    const fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Begins behind this block.
    fn run_from(&mut self, base: L2BlockRef) {
        self.phase = Phase::Running(Box::new(Filling::new(base)));
    }
}

#[cfg(test)]
mod tests;
