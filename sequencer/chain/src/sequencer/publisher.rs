//! The thread that syncs executed rounds to the journal and then shows them.
//!
//! The sequencer hands each round over and executes the next one while the disk works. Rounds are
//! shown in their order, each only after its records are synced; those that wait while the disk is
//! busy share its next sync. A crash loses rounds that are not synced, of which nothing was shown.

use std::collections::VecDeque;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use alloy_primitives::B256;
use cairn_pool::{SharedPool, Unexecutable};
use cairn_primitives::Header;
use cairn_state::{Delta, StateError, StateView};
use parking_lot::{Condvar, Mutex};

use super::journal::BlockJournal;
use super::open_block::Executed;
use super::{SequencerOptions, SequencerStatus};
use crate::Chain;
use crate::error::ChainError;

/// Rounds that may wait for the disk; the sequencer waits beyond.
const WAITING_MAX: usize = 8;

/// A round to sync and to show.
#[derive(Default)]
pub(super) struct Round {
    pub(super) block: u64,
    pub(super) records: Vec<Vec<u8>>,
    /// What is shown after the sync; `None` where there is nothing new to see.
    pub(super) shown: Option<Shown>,
    /// Transactions that were not executed.
    pub(super) refused: Vec<(B256, Unexecutable)>,
}

/// What readers and the pool learn of a round.
pub(super) struct Shown {
    /// Set by the first round of a block.
    pub(super) opens: Option<Header>,
    pub(super) executed: Vec<Executed>,
    pub(super) gas_used: u64,
    pub(super) state: StateView,
    /// What the round changed.
    pub(super) changes: Delta,
}

/// Handle of the thread, which ends with it.
pub(super) struct Publisher {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    chain: Chain,
    pool: SharedPool,
    journal: Arc<Mutex<BlockJournal>>,
    status: Arc<Mutex<SequencerStatus>>,
    retry: Duration,
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    waiting: VecDeque<Round>,
    busy: bool,
    /// Why nothing more is synced. Cleared by [`Publisher::abandon`].
    failure: Option<StateError>,
    /// A full disk is a failure instead of a reason to wait.
    impatient: bool,
    stopping: bool,
}

impl Publisher {
    pub(super) fn start(
        chain: Chain,
        pool: SharedPool,
        journal: Arc<Mutex<BlockJournal>>,
        status: Arc<Mutex<SequencerStatus>>,
        options: &SequencerOptions,
    ) -> Result<Self, ChainError> {
        let (queue, changed, retry) = (Mutex::default(), Condvar::new(), options.retry);
        let shared = Arc::new(Shared { chain, pool, journal, status, retry, queue, changed });
        let work = shared.clone();
        let thread = std::thread::Builder::new()
            .name("cairn-journal".into())
            .spawn(move || work.run())
            .map_err(|e| ChainError::Build { number: 0, reason: e.to_string() })?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Hands a round over. Gives it back when there is no room within `patience`.
    ///
    /// # Errors
    /// When an earlier round could not be synced: the block must be settled from the journal.
    pub(super) fn submit(
        &self,
        round: Round,
        patience: Duration,
    ) -> Result<Option<Round>, ChainError> {
        let room = |queue: &Queue| queue.waiting.len() < WAITING_MAX;
        self.check_alive()?;
        let mut queue = self.shared.queue.lock();
        if !self.shared.wait_until(&mut queue, patience, room)? {
            return Ok(Some(round));
        }
        queue.waiting.push_back(round);
        drop(queue);
        self.shared.changed.notify_all();
        Ok(None)
    }

    /// Waits until everything handed over is synced and shown, at most `patience`; says whether it
    /// is. Errors as [`Self::submit`].
    pub(super) fn is_idle(&self, patience: Duration) -> Result<bool, ChainError> {
        self.check_alive()?;
        let idle = |queue: &Queue| queue.waiting.is_empty() && !queue.busy;
        self.shared.wait_until(&mut self.shared.queue.lock(), patience, idle)
    }

    fn check_alive(&self) -> Result<(), ChainError> {
        if self.thread.as_ref().is_some_and(|thread| !thread.is_finished()) {
            return Ok(());
        }
        Err(ChainError::Persistence("the journal's thread has ended".into()))
    }

    /// Makes a full disk a failure: the node shuts down and cannot wait for space.
    pub(super) fn hurry(&self) {
        self.shared.queue.lock().impatient = true;
        self.shared.changed.notify_all();
    }

    /// Drops what is not synced and forgets failures. When it returns, the journal is still.
    pub(super) fn abandon(&self) {
        let mut queue = self.shared.queue.lock();
        queue.waiting.clear();
        let impatient = std::mem::replace(&mut queue.impatient, true);
        self.shared.changed.notify_all();
        while queue.busy && self.check_alive().is_ok() {
            self.shared.changed.wait_for(&mut queue, self.shared.retry);
        }
        queue.impatient = impatient;
        queue.failure = None;
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        self.shared.queue.lock().stopping = true;
        self.hurry();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!(target: "chain::sequencer", "the journal's thread panicked");
        }
    }
}

impl Shared {
    /// Whether `ready` within `patience`; a failure ends the wait.
    fn wait_until(
        &self,
        queue: &mut parking_lot::MutexGuard<'_, Queue>,
        patience: Duration,
        ready: impl Fn(&Queue) -> bool,
    ) -> Result<bool, ChainError> {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(failure) = &queue.failure {
                return Err(failure.clone().into());
            }
            if ready(queue) {
                return Ok(true);
            }
            if self.changed.wait_until(queue, deadline).timed_out() {
                return Ok(false);
            }
        }
    }

    fn run(&self) {
        while let Some(rounds) = self.take() {
            let result = self.sync(&rounds);
            let failed = result.is_err();
            if !failed {
                for round in rounds {
                    self.show(round);
                }
            }
            let mut queue = self.queue.lock();
            queue.busy = false;
            queue.failure = result.err();
            if failed {
                queue.waiting.clear();
            }
            drop(queue);
            self.changed.notify_all();
        }
    }

    /// All rounds that wait; `None` to end.
    fn take(&self) -> Option<Vec<Round>> {
        let mut queue = self.queue.lock();
        loop {
            if queue.failure.is_none() && !queue.waiting.is_empty() {
                queue.busy = true;
                let rounds = queue.waiting.drain(..).collect();
                drop(queue);
                self.changed.notify_all();
                return Some(rounds);
            }
            if queue.stopping {
                return None;
            }
            self.changed.wait(&mut queue);
        }
    }

    /// Appends the records. While the disk is full it waits: nothing of the rounds is shown
    /// meanwhile, and nothing is lost once space returns.
    fn sync(&self, rounds: &[Round]) -> Result<(), StateError> {
        let mut stalled = false;
        loop {
            let started = Instant::now();
            let result = self.append(rounds);
            let took = started.elapsed();
            metrics::histogram!("cairn_sequencer_sync_seconds").record(took.as_secs_f64());
            match result {
                Err(StateError::NoSpace(reason)) => {
                    tracing::warn!(target: "chain::sequencer", %reason, "disk full, retrying");
                    stalled = true;
                    self.chain.inner.persistence.set_journal_full(true);
                    *self.status.lock() = SequencerStatus::Stalled(reason.clone());
                    let mut queue = self.queue.lock();
                    if queue.impatient {
                        self.chain.inner.persistence.set_journal_full(false);
                        return Err(StateError::NoSpace(reason));
                    }
                    self.changed.wait_for(&mut queue, self.retry);
                }
                result => {
                    if stalled {
                        self.chain.inner.persistence.set_journal_full(false);
                        *self.status.lock() = SequencerStatus::Active;
                    }
                    return result;
                }
            }
        }
    }

    /// All rounds are of one block: the next is opened only when everything of it is synced.
    fn append(&self, rounds: &[Round]) -> Result<(), StateError> {
        let Some(Round { block, .. }) = rounds.first() else { return Ok(()) };
        debug_assert!(rounds.iter().all(|round| round.block == *block), "rounds of two blocks");
        let records: Vec<_> = rounds.iter().flat_map(|round| &round.records).collect();
        self.journal.lock().append(*block, &records)
    }

    fn show(&self, round: Round) {
        let pending = &self.chain.inner.pending;
        let Round { shown, refused, .. } = round;
        let mut reports = Vec::new();
        let mut changes = Delta::new();
        if let Some(shown) = shown {
            if let Some(header) = shown.opens {
                pending.open(header, shown.state.clone());
            }
            let executed = shown.executed;
            reports = executed.iter().map(|done| (done.tx.hash, done.sender)).collect();
            let group = executed.into_iter().map(|done| done.tx).collect();
            pending.publish(group, shown.gas_used, shown.state);
            changes = shown.changes;
        }
        for (hash, reason) in &refused {
            if matches!(reason, Unexecutable::Invalid | Unexecutable::NonceTooLow { .. }) {
                pending.give_up(hash);
            }
        }
        if reports.is_empty() && changes.is_empty() && refused.is_empty() {
            return;
        }
        self.pool.with(|pool| {
            for (hash, sender) in &reports {
                pool.executed(hash, sender);
            }
            pool.on_state_change(
                changes
                    .accounts()
                    .map(|(address, account)| (*address, account.unwrap_or_default())),
            );
            for (hash, reason) in &refused {
                pool.unexecutable(hash, *reason);
            }
        });
    }
}
