use std::sync::Arc;

use alloy_eips::BlockNumHash;

use super::batches::BatchStage;
use super::finality::Finality;
use super::origins::{Origins, check_known};
use super::retrieval::Retrieval;
use super::validity::SafeChain;
use super::waiting::{Pending, Stop, Taken, Waiting};
use super::{DerivationError, DerivedAttributes, DropReason, Effect, Event, ResetReason};
use crate::channel::ChannelAssembler;
use crate::l1::L1Block;
use crate::start::Start;
use crate::{L1BlockRef, L2BlockRef, RollupConfig};

/// The derivation pipeline of one chain, from one starting point until the next reset.
#[derive(Debug)]
pub struct Derivation {
    pub(super) config: Arc<RollupConfig>,
    pub(super) safe: L2BlockRef,
    /// First L1 block to be read.
    pub(super) first: BlockNumHash,
    /// Up to this L1 block the safe head is known, and complete channels are passed over.
    pub(super) processed: BlockNumHash,
    pub(super) origins: Origins,
    pub(super) retrieval: Retrieval,
    pub(super) channel: ChannelAssembler,
    pub(super) batches: BatchStage,
    pub(super) finality: Finality,
    pub(super) waiting: Waiting,
}

impl Derivation {
    /// A machine at a starting point. Its first event is [`Event::Start`].
    pub fn new(config: Arc<RollupConfig>, start: &Start) -> Self {
        Self {
            config,
            safe: start.safe,
            first: start.l1,
            processed: start.processed,
            origins: Origins::new(start.system_config),
            retrieval: Retrieval::default(),
            channel: ChannelAssembler::default(),
            batches: BatchStage::default(),
            finality: Finality::new(start.processed, start.safe),
            waiting: Waiting::Start,
        }
    }

    /// The safe head.
    pub const fn safe_head(&self) -> &L2BlockRef {
        &self.safe
    }

    /// The L1 block that is read now, or was read last.
    pub fn current_l1(&self) -> Option<L1BlockRef> {
        self.origins.last().map(L1Block::block_ref)
    }

    /// Takes an event in. After [`Effect::Reset`] or an error the machine does nothing any more.
    pub fn step(
        &mut self,
        event: Event,
        chain: &dyn SafeChain,
    ) -> Result<Vec<Effect>, DerivationError> {
        let mut effects = Vec::new();
        let result = match self.take(event, &mut effects) {
            Ok(Taken::Go) => self.run(chain, &mut effects),
            Ok(Taken::Stay) => Ok(()),
            Err(Stop::Reset(reason)) => Err(reason),
            Err(Stop::Error(error)) => {
                self.waiting = Waiting::Nothing;
                return Err(error);
            }
        };
        if let Err(reason) = result {
            self.waiting = Waiting::Nothing;
            effects.push(Effect::Reset(reason));
        }
        Ok(effects)
    }

    fn take(&mut self, event: Event, effects: &mut Vec<Effect>) -> Result<Taken, Stop> {
        let waiting = std::mem::replace(&mut self.waiting, Waiting::Nothing);
        match (waiting, event) {
            (Waiting::Nothing, _) => return Ok(Taken::Stay),
            (waiting, Event::L1Finalized(l1)) => {
                self.waiting = waiting;
                effects.extend(self.finality.finalized(l1)?.map(Effect::Finalized));
                return Ok(Taken::Stay);
            }
            (Waiting::Start, Event::Start) => {
                effects.push(Effect::NeedL1Block { number: self.first.number, parent: None });
                self.waiting = Waiting::L1Block(self.first.number);
                return Ok(Taken::Stay);
            }
            (Waiting::L1Block(number), Event::L1Block(block)) if block.number == number => {
                self.open_l1(Arc::unwrap_or_clone(block), effects)?;
            }
            (Waiting::Data, Event::Data(answer)) if self.retrieval.provide(&answer) => {}
            (Waiting::Attributes(pending), Event::Applied(block)) => {
                self.applied(&pending.derived, block)?;
            }
            (Waiting::Attributes(pending), Event::Invalid) => {
                self.replace(*pending, effects)?;
                return Ok(Taken::Stay);
            }
            (waiting, event) => {
                let (event, waiting) = (event.name(), waiting.name());
                return Err(DerivationError::Unexpected { event, waiting }.into());
            }
        }
        Ok(Taken::Go)
    }

    /// Goes on to the next L1 block.
    fn open_l1(
        &mut self,
        mut block: L1Block,
        effects: &mut Vec<Effect>,
    ) -> Result<(), ResetReason> {
        for known in [self.first, self.processed, self.safe.l1_origin] {
            check_known(&block, known)?;
        }
        if let Some(opened) = self.channel.opened_in()
            && opened.saturating_add(self.config.channel_lifetime()) < block.number
        {
            self.channel.reset();
            effects.push(Effect::Dropped(DropReason::ChannelTimeout { opened }));
        }
        let batches = std::mem::take(&mut block.batches);
        self.retrieval.open(block.block_ref(), batches);
        self.origins.push(block)?;
        self.origins.prune(self.safe.l1_origin.number);
        Ok(())
    }

    /// The attributes became a block.
    fn applied(
        &mut self,
        derived: &DerivedAttributes,
        block: L2BlockRef,
    ) -> Result<(), ResetReason> {
        let follows = block.parent_hash == self.safe.hash
            && block.number == self.safe.number.saturating_add(1)
            && block.timestamp == derived.attributes.timestamp
            && block.l1_origin == derived.l1_origin
            && block.sequence_number == derived.sequence_number;
        if !follows {
            let safe = self.safe.id();
            return Err(ResetReason::NotOnSafeHead { safe, applied: Box::new(block) });
        }
        self.safe = block;
        self.origins.prune(block.l1_origin.number);
        Ok(())
    }

    /// The attributes do not execute: their deposits alone take their place, and what is left of
    /// the span batch and the channel is dropped.
    fn replace(
        &mut self,
        pending: Pending,
        effects: &mut Vec<Effect>,
    ) -> Result<(), DerivationError> {
        if pending.deposits_only {
            let (number, parent) = (self.safe.number.saturating_add(1), self.safe.hash);
            return Err(DerivationError::DepositsInvalid { number, parent });
        }
        self.batches.flush();
        let derived = DerivedAttributes { last_in_span: true, ..pending.derived };
        let timestamp = derived.attributes.timestamp;
        effects.push(Effect::Dropped(DropReason::Payload { timestamp }));
        effects.push(Effect::Attributes(Box::new(derived.clone())));
        self.waiting = Waiting::Attributes(Box::new(Pending { derived, deposits_only: true }));
        Ok(())
    }
}
