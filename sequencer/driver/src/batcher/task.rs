//! The thread that feeds the machine.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_eips::BlockNumHash;
use cairn_chain::ChainEvent;
use cairn_l1::NextStep;
use cairn_rollup::L1BlockRef;
use cairn_rollup::batcher::{Batcher, BatcherConfigError, Effect, Event, SafeHead};
use tokio::sync::broadcast::error::RecvError;
use tokio::task::{JoinError, JoinSet};

use super::{BatcherSetup, blocks, carry, commands};
use crate::DriverError;
use crate::worker::{Stop, Worker, panic_of};

/// How often the machine is told the time.
const TICK: Duration = Duration::from_millis(500);
/// What something that was carried out ends with.
type Carried = Result<Event, DriverError>;

/// The running batcher. Dropping it ends it; what is in doubt stays in the sender's journal.
#[derive(Debug)]
pub struct BatcherTask {
    worker: Worker,
}

/// Why there is no batcher.
#[derive(Debug, thiserror::Error)]
pub enum BatcherStartError {
    /// The policy cannot work with the rollup.
    #[error(transparent)]
    Config(#[from] BatcherConfigError),
    /// Its thread cannot be made.
    #[error("the batcher's thread: {0}")]
    Thread(#[from] std::io::Error),
}

struct Shell {
    setup: BatcherSetup,
    machine: Batcher,
    started: Instant,
    /// What is being carried out. Ends with the batcher.
    carried: JoinSet<Carried>,
    /// A question for nonces. The machine asks again while it waits, and there is one at a time.
    nonces: JoinSet<Carried>,
    /// When the machine got the first block that it has not dispersed yet.
    filling: Option<Instant>,
    /// Blocks that the machine wants.
    wanted: Option<(u64, u64)>,
    /// What it was told last.
    safe: Option<SafeHead>,
    l1: L1BlockRef,
    reorgs: u64,
}

impl BatcherTask {
    /// Starts sending batches. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// [`BatcherStartError`].
    pub fn spawn(setup: BatcherSetup) -> Result<Self, BatcherStartError> {
        let machine = Batcher::new(setup.config, (*setup.rollup).clone())?;
        let worker = Worker::spawn("cairn-batcher", move |stop| run(setup, machine, stop))?;
        Ok(Self { worker })
    }

    /// Why no batches are sent any more, if so: something that needs an operator.
    pub fn ended(&self) -> Option<String> {
        self.worker.ended().reason()
    }
}

async fn run(setup: BatcherSetup, machine: Batcher, mut stop: Stop) -> Result<(), DriverError> {
    let mut commands = commands::take_commands(&setup.handle, setup.dispersal.is_some());
    let mut chain = setup.chain.subscribe();
    let mut heads = setup.heads.clone();
    let mut tick = tokio::time::interval(TICK);
    let mut shell = Shell::new(setup, machine);
    loop {
        let done = tokio::select! {
            Some(done) = shell.carried.join_next() => shell.done(done),
            Some(done) = shell.nonces.join_next() => shell.done(done),
            event = chain.recv() => match event {
                Ok(ChainEvent::Extended(_)) => shell.look(),
                Ok(ChainEvent::Reorged { .. }) => shell.step(Event::L2Reorg).and_then(|()| shell.look()),
                // A reorganisation may be among what was lost.
                Err(RecvError::Lagged(_)) => shell.step(Event::L2Reorg),
                Err(RecvError::Closed) => return Err(DriverError::Stopped),
            },
            Ok(()) = heads.changed() => shell.look(),
            _ = tick.tick() => shell.look().and_then(|()| shell.step(Event::Tick)),
            Some(command) = commands.recv() => {
                tracing::info!(target: "driver::batcher", ?command, "an operator's command");
                shell.step(command.into())
            }
            () = stop.asked() => return Ok(()),
        };
        if let Err(error) = done {
            if error.next_step() == NextStep::Stop {
                return Err(error);
            }
            tracing::error!(target: "driver::batcher", %error, "the batcher cannot read the chain");
        }
    }
}

impl Shell {
    fn new(setup: BatcherSetup, machine: Batcher) -> Self {
        Self {
            setup,
            machine,
            started: Instant::now(),
            carried: JoinSet::new(),
            nonces: JoinSet::new(),
            filling: None,
            wanted: None,
            safe: None,
            l1: L1BlockRef::default(),
            reorgs: 0,
        }
    }

    /// Tells the machine where everything is.
    fn look(&mut self) -> Result<(), DriverError> {
        let state = *self.setup.heads.borrow();
        if let Some(heads) = state.heads {
            if state.reorgs != self.reorgs {
                self.reorgs = state.reorgs;
                self.step(Event::L1Reorg)?;
            }
            if heads.latest != self.l1 {
                self.l1 = heads.latest;
                self.step(Event::L1Head(heads.latest))?;
            }
        }
        let status = self.setup.handle.status();
        // Nothing was derived yet: the machine waits.
        if status.current_l1 != L1BlockRef::default() {
            let l1 = status.current_l1;
            let derived_from = BlockNumHash { number: l1.number, hash: l1.hash };
            let safe = SafeHead { block: status.safe_l2, derived_from };
            if self.safe != Some(safe) {
                self.safe = Some(safe);
                self.step(Event::SafeHead(safe))?;
            }
        }
        let head = self.setup.chain.heads().unsafe_head.number;
        self.step(Event::UnsafeHead(head))?;
        self.load()
    }

    /// Gives the blocks that are wanted, as far as they exist.
    fn load(&mut self) -> Result<(), DriverError> {
        while let Some((from, to)) = self.wanted {
            let found = blocks::batch_block(&self.setup.chain, &self.setup.rollup, from)?;
            let Some(block) = found else { return Ok(()) };
            self.wanted = (from < to).then_some((from.saturating_add(1), to));
            self.filling.get_or_insert_with(Instant::now);
            self.step(Event::UnsafeBlock(block))?;
        }
        Ok(())
    }

    /// Something was carried out, or what did it has failed.
    fn done(&mut self, done: Result<Carried, JoinError>) -> Result<(), DriverError> {
        match done {
            Ok(event) => self.step(event?),
            Err(error) => panic_of(error).map_or(Ok(()), |panic| Err(DriverError::Panic(panic))),
        }
    }

    fn step(&mut self, event: Event) -> Result<(), DriverError> {
        let effects = self.machine.step(event, self.started.elapsed());
        for effect in effects {
            self.carry_out(effect);
        }
        let status = self.machine.status(self.started.elapsed());
        metrics::gauge!("cairn_batcher_queued_channels").set(status.queued_channels as f64);
        metrics::gauge!("cairn_batcher_queued_bytes").set(status.queued_bytes as f64);
        Ok(())
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::LoadBlocks { from, to } => self.wanted = Some((from, to)),
            Effect::Disperse { id, payload } => {
                metrics::counter!("cairn_batcher_dispersed_bytes_total")
                    .increment(payload.len() as u64);
                if let Some(since) = self.filling.take() {
                    metrics::histogram!("cairn_batcher_channel_seconds")
                        .record(since.elapsed().as_secs_f64());
                }
                let dispersal = self.setup.dispersal.clone();
                self.carried
                    .spawn(async move { Ok(carry::disperse(dispersal, id, payload).await) });
            }
            Effect::Send { id, transaction } => {
                metrics::counter!("cairn_batcher_transactions_total").increment(1);
                let inbox = self.setup.rollup.batch_inbox_address;
                self.carried.spawn(carry::send(self.setup.sender.clone(), inbox, id, transaction));
            }
            Effect::QueryNonces => self.query_nonces(),
            // The sender does both of itself.
            Effect::BumpFee { .. } | Effect::Cancel { .. } => {}
            Effect::Throttle { block_bytes } => {
                self.setup.da_limit.set(block_bytes);
                let active = u8::from(block_bytes.is_some());
                metrics::gauge!("cairn_batcher_throttled").set(f64::from(active));
                match block_bytes {
                    Some(bytes) => tracing::warn!(
                        target: "driver::batcher", bytes, "L1 does not keep up: blocks are limited"
                    ),
                    None => tracing::info!(target: "driver::batcher", "L1 keeps up again"),
                }
            }
            Effect::Reset { reason } => {
                self.wanted = None;
                self.filling = None;
                self.safe = None;
                // An answer from before would be taken for one from after.
                self.nonces = JoinSet::new();
                metrics::gauge!("cairn_batcher_halted").set(0.0);
                metrics::counter!("cairn_batcher_resets_total").increment(1);
                tracing::warn!(target: "driver::batcher", ?reason, "begins anew at the safe head");
            }
            Effect::Halt { block, error } => {
                metrics::gauge!("cairn_batcher_halted").set(1.0);
                tracing::error!(target: "driver::batcher", block, %error, "no batch holds a block");
            }
        }
    }

    fn query_nonces(&mut self) {
        if self.nonces.is_empty() {
            let (l1, sender) = (self.setup.l1.clone(), Arc::clone(&self.setup.sender));
            self.nonces.spawn(carry::settled_nonces(l1, sender));
        }
    }
}

#[cfg(test)]
#[path = "task_tests.rs"]
mod tests;
