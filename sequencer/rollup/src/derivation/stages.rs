use alloy_primitives::Address;

use super::batches::{Next, empty_batch};
use super::machine::Derivation;
use super::retrieval::Retrieved;
use super::validity::{Context, SafeChain};
use super::waiting::{Pending, Waiting};
use super::{DerivedAttributes, DropReason, Effect, ResetReason};
use crate::batch::SingularBatch;
use crate::channel::{DroppedFrame, FrameOutcome};
use crate::frame::Frame;
use crate::l1::L1Block;
use crate::{AttributesInput, RollupAttributes};

/// What is dropped in one step is reported up to this number: one channel can hold a million
/// batches of the past.
const MAX_REPORTS: usize = 1024;

/// What a step through the stages ended with.
enum Progress {
    /// There may be more to do.
    Go,
    /// The machine waits.
    Wait(Waiting),
}

impl Derivation {
    /// Runs the stages, the innermost first, until one must wait.
    pub(super) fn run(
        &mut self,
        chain: &dyn SafeChain,
        effects: &mut Vec<Effect>,
    ) -> Result<(), ResetReason> {
        loop {
            if let Progress::Wait(waiting) = self.advance(chain, effects)? {
                self.waiting = waiting;
                return Ok(());
            }
        }
    }

    fn advance(
        &mut self,
        chain: &dyn SafeChain,
        effects: &mut Vec<Effect>,
    ) -> Result<Progress, ResetReason> {
        let current = self.current();
        let Self { config, safe, origins, batches, .. } = self;
        let context = Context { config, safe, origins, current };
        match batches.next(context, chain)? {
            Next::Batch { batch, last_in_span } => {
                return self.attributes(batch, last_in_span, effects);
            }
            Next::Dropped(reason) => {
                report(effects, reason);
                return Ok(Progress::Go);
            }
            Next::Again => return Ok(Progress::Go),
            Next::End => {}
        }
        match self.retrieval.next(self.batcher()) {
            Retrieved::Frame(frame) => self.push_frame(&frame, effects),
            Retrieved::Dropped(reason) => report(effects, reason),
            Retrieved::Request(request) => {
                effects.push(Effect::NeedData(request));
                return Ok(Progress::Wait(Waiting::Data));
            }
            Retrieved::End => return self.close_l1(effects),
        }
        Ok(Progress::Go)
    }

    fn push_frame(&mut self, frame: &Frame, effects: &mut Vec<Effect>) {
        let current = self.current();
        let opened = self.channel.opened_in();
        if let Some(opened) = opened.filter(|_| frame.number == 0) {
            report(effects, DropReason::ChannelReplaced { opened });
        }
        match self.channel.push(frame, current) {
            FrameOutcome::Added => {}
            FrameOutcome::Complete(_) if current <= self.processed.number => {}
            FrameOutcome::Complete(channel) => {
                if let Err(reason) = self.batches.open(channel, current) {
                    report(effects, reason);
                }
            }
            FrameOutcome::Dropped(DroppedFrame::ChannelTooLarge) => {
                let opened = opened.unwrap_or(current);
                report(effects, DropReason::ChannelSize { opened });
            }
            FrameOutcome::Dropped(_) => {
                report(effects, DropReason::FrameOrder { number: frame.number });
            }
        }
    }

    /// All of the L1 block has been read.
    fn close_l1(&mut self, effects: &mut Vec<Effect>) -> Result<Progress, ResetReason> {
        let Some(l1) = self.origins.last().map(L1Block::id) else {
            return Ok(Progress::Wait(Waiting::Nothing));
        };
        if l1.number > self.processed.number {
            if let Some(batch) = empty_batch(&self.config, &self.safe, &self.origins, l1.number) {
                return self.attributes(batch, true, effects);
            }
            effects.push(Effect::SafeHead { l1, l2: self.safe });
            let finalized = self.finality.processed(l1, self.safe)?;
            effects.extend(finalized.map(Effect::Finalized));
        }
        let number = l1.number.saturating_add(1);
        effects.push(Effect::NeedL1Block { number, parent: Some(l1.hash) });
        Ok(Progress::Wait(Waiting::L1Block(number)))
    }

    fn attributes(
        &mut self,
        batch: SingularBatch,
        last_in_span: bool,
        effects: &mut Vec<Effect>,
    ) -> Result<Progress, ResetReason> {
        let (Some(origin), Some(current)) =
            (self.origins.get(batch.epoch.number), self.origins.last())
        else {
            // A valid batch has an origin among those that are known.
            return Ok(Progress::Go);
        };
        let system_config = &origin.system_config;
        let input = AttributesInput { parent: &self.safe, origin: &origin.block, system_config };
        let first = self.safe.l1_origin.number != origin.block.number;
        let derived = DerivedAttributes {
            attributes: RollupAttributes::new(&self.config, input),
            parent: self.safe,
            l1_origin: origin.block.id(),
            sequence_number: if first { 0 } else { self.safe.sequence_number.saturating_add(1) },
            derived_from: current.block_ref(),
            last_in_span,
        };
        let deposits_only = batch.transactions.is_empty();
        let mut given = derived.clone();
        given.attributes.transactions = batch.transactions;
        effects.push(Effect::Attributes(Box::new(given)));
        Ok(Progress::Wait(Waiting::Attributes(Box::new(Pending { derived, deposits_only }))))
    }

    /// Number of the L1 block that is read now.
    fn current(&self) -> u64 {
        self.origins.last().map_or(self.first.number, |block| block.number)
    }

    /// The batcher as of the L1 block that is read now.
    fn batcher(&self) -> Address {
        self.origins.system_config().batcher
    }
}

fn report(effects: &mut Vec<Effect>, reason: DropReason) {
    if effects.len() < MAX_REPORTS {
        effects.push(Effect::Dropped(reason));
    }
}
