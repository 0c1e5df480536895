//! One derivation machine, from its start to its reset.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_primitives::B256;
use cairn_chain::HeadUpdate;
use cairn_l1::{FetchedBlock, L1Error, NextStep, Prefetcher};
use cairn_rollup::L1BlockRef;
use cairn_rollup::derivation::{
    DataRequest, Derivation, DerivedAttributes, DropReason, Effect, Event,
};
use cairn_rollup::l1::L1Block;

use super::apply::{Applied, apply};
use super::news::{News, news};
use super::{Shared, starting, status};
use crate::DriverError;
use crate::extraction::Extractor;

/// How often the status is shown while blocks are derived.
const STATUS_EVERY: Duration = Duration::from_millis(100);

/// One machine.
pub(super) struct Session<'a> {
    shared: &'a mut Shared,
    machine: Derivation,
    blocks: Prefetcher,
    /// The first L1 block; those behind it follow from it.
    first: Option<FetchedBlock>,
    /// Reorganisations of L1 before the start.
    reorgs: u64,
    extractor: Extractor,
    /// The L1 block that is read, and the last one that was read to its end.
    reading: L1BlockRef,
    read: L1BlockRef,
    finalized: B256,
    shown: Instant,
}

impl<'a> Session<'a> {
    /// Finds the starting point.
    pub(super) async fn start(shared: &'a mut Shared) -> Result<Self, DriverError> {
        // Read before the start: one that comes meanwhile resets.
        let reorgs = shared.heads.borrow().reorgs;
        let mut stop = shared.stop.clone();
        let (start, first) = tokio::select! {
            start = starting::start(shared) => start?,
            () = stop.asked() => return Err(DriverError::Stopped),
        };
        let extractor = Extractor::new(shared.rollup.clone(), shared.l1.clone());
        let machine = Derivation::new(shared.rollup.clone(), &start);
        let blocks =
            Prefetcher::new(shared.l1.clone(), shared.heads.clone(), shared.prefetch, start.l1);
        Ok(Self {
            shared,
            machine,
            blocks,
            first: Some(first),
            reorgs,
            extractor,
            reading: L1BlockRef::default(),
            read: L1BlockRef::default(),
            finalized: B256::ZERO,
            shown: Instant::now(),
        })
    }

    /// Derives until something ends the machine.
    pub(super) async fn run(&mut self) -> Result<Infallible, DriverError> {
        let mut effects: VecDeque<Effect> = self.step(Event::Start)?.into();
        loop {
            let Some(effect) = effects.pop_front() else {
                // Every step ends with a request.
                return Err(DriverError::Idle);
            };
            if let Some(event) = self.carry_out(effect).await? {
                effects.extend(self.step(event)?);
            }
        }
    }

    fn step(&mut self, event: Event) -> Result<Vec<Effect>, DriverError> {
        Ok(self.machine.step(event, &self.shared.reader)?)
    }

    /// Does what the machine asks for, and gives what it is to be told.
    async fn carry_out(&mut self, effect: Effect) -> Result<Option<Event>, DriverError> {
        match effect {
            Effect::NeedL1Block { .. } => {
                self.read = self.reading;
                self.show(None)?;
                let block = self.l1_block().await?;
                self.reading = block.block_ref();
                return Ok(Some(Event::L1Block(Arc::new(block))));
            }
            Effect::NeedData(request) => return self.read_data(request).await.map(Some),
            Effect::Attributes(derived) => return self.apply(&derived).map(Some),
            Effect::SafeHead { l1, l2 } => {
                let update =
                    HeadUpdate { safe: Some(l2.hash), derived_from: Some(l1), finalized: None };
                self.shared.chain.advance_heads(&update)?;
            }
            Effect::Finalized(l2) => {
                let update = HeadUpdate { finalized: Some(l2.hash), ..HeadUpdate::default() };
                self.shared.chain.advance_heads(&update)?;
            }
            Effect::Dropped(reason) => dropped(&reason),
            Effect::Reset(reason) => return Err(reason.into()),
        }
        Ok(None)
    }

    fn apply(&mut self, derived: &DerivedAttributes) -> Result<Event, DriverError> {
        if self.shared.stop.is_asked() {
            return Err(DriverError::Stopped);
        }
        let at = match apply(&self.shared.chain, derived)? {
            Applied::Invalid => return Ok(Event::Invalid),
            Applied::Block(at) => at,
        };
        let block = self.shared.reader.existing(at.number)?;
        let update = HeadUpdate { safe: Some(block.hash), ..HeadUpdate::default() };
        self.shared.chain.advance_heads(&update)?;
        if self.shown.elapsed() > STATUS_EVERY {
            self.show((!derived.last_in_span).then_some(block))?;
        }
        Ok(Event::Applied(block))
    }

    fn show(&mut self, pending: Option<cairn_rollup::L2BlockRef>) -> Result<(), DriverError> {
        self.shown = Instant::now();
        status::publish(self.shared, self.read, pending)
    }

    /// The next L1 block. Meanwhile unsafe blocks are taken, and finality is told to the machine.
    async fn l1_block(&mut self) -> Result<L1Block, DriverError> {
        if let Some(first) = self.first.take() {
            return self.extractor.extract(&first).await;
        }
        loop {
            let news = tokio::select! {
                block = self.blocks.next() => match block {
                    Ok(block) => return self.extractor.extract(&block).await,
                    Err(error) => {
                        self.pause(error.into()).await?;
                        continue;
                    }
                },
                news = news(&mut self.shared.feed, &mut self.shared.heads) => news,
                _ = self.shared.resets.recv() => return Err(DriverError::ResetAsked),
                () = self.shared.stop.asked() => return Err(DriverError::Stopped),
            };
            self.take(news)?;
        }
    }

    /// Reads data, again and again until it is there.
    async fn read_data(&mut self, request: DataRequest) -> Result<Event, DriverError> {
        let data = self.shared.data.clone();
        let mut reading = Box::pin(async move {
            let mut failures = 0u32;
            loop {
                let error = match data.read(&request).await {
                    Ok(found) => return Ok(found),
                    Err(error) => error,
                };
                let NextStep::Retry(pause) = error.next_step() else { return Err(error) };
                failures = failures.saturating_add(1);
                metrics::counter!("cairn_derivation_data_failures_total").increment(1);
                tracing::warn!(
                    target: "driver::derive",
                    %error, failures, transaction = %request.transaction,
                    "data of a batch is not to be had"
                );
                tokio::time::sleep(pause).await;
            }
        });
        loop {
            let news = tokio::select! {
                found = &mut reading => return Ok(Event::Data(found?)),
                news = news(&mut self.shared.feed, &mut self.shared.heads) => news,
                _ = self.shared.resets.recv() => return Err(DriverError::ResetAsked),
                () = self.shared.stop.asked() => return Err(DriverError::Stopped),
            };
            self.take(news)?;
        }
    }

    fn take(&mut self, news: News) -> Result<(), DriverError> {
        match news {
            News::Unsafe(block) => crate::feed::import(&self.shared.chain, *block)?,
            News::Heads => {
                let state = *self.shared.heads.borrow();
                if let Some(heads) = state.heads.filter(|_| state.reorgs != self.reorgs) {
                    let (cursor, found) = (self.reading.id(), heads.latest.id());
                    return Err(L1Error::Reorg { cursor, found }.into());
                }
                self.tell_finality()?;
            }
        }
        self.show(None)
    }

    /// Tells the machine what L1 has finalized. It answers at once, and waits for the same after.
    fn tell_finality(&mut self) -> Result<(), DriverError> {
        let finalized = self.shared.heads.borrow().heads.and_then(|heads| heads.finalized);
        let Some(finalized) = finalized.filter(|block| block.hash != self.finalized) else {
            return Ok(());
        };
        self.finalized = finalized.hash;
        for effect in self.step(Event::L1Finalized(finalized.id()))? {
            match effect {
                Effect::Finalized(l2) => {
                    let update = HeadUpdate { finalized: Some(l2.hash), ..HeadUpdate::default() };
                    self.shared.chain.advance_heads(&update)?;
                }
                Effect::Reset(reason) => return Err(reason.into()),
                other => {
                    tracing::error!(target: "driver::derive", ?other, "not said about finality");
                }
            }
        }
        Ok(())
    }

    /// Waits after a failure of L1 that passes.
    async fn pause(&mut self, error: DriverError) -> Result<(), DriverError> {
        let NextStep::Retry(pause) = error.next_step() else { return Err(error) };
        tracing::warn!(target: "driver::derive", %error, "L1 block not read");
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = self.shared.stop.asked() => Err(DriverError::Stopped),
        }
    }
}

fn dropped(reason: &DropReason) {
    metrics::counter!("cairn_derivation_dropped_total").increment(1);
    match reason {
        // Batches are read again after every start.
        DropReason::Batch { reason: cairn_rollup::derivation::BatchDrop::Past, .. } => {
            tracing::debug!(target: "driver::derive", %reason, "dropped");
        }
        _ => tracing::warn!(target: "driver::derive", %reason, "dropped"),
    }
}
