//! The thread that moves executed blocks into the store.
//!
//! It writes all blocks that wait, up to a batch, in one synced write, oldest first. Writers are
//! held back while too many blocks wait. A full disk is no reason to stop: the thread tries again
//! until space returns, reads go on meanwhile, and [`Persistence::is_disk_full`] tells the
//! sequencer to accept nothing new. Any other error of the store ends persistence for good.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

use cairn_state::{CommittedBlock, StateError};
use parking_lot::{Condvar, Mutex, MutexGuard};

use crate::chain::Inner;
use crate::error::ChainError;
use crate::{Chain, ExecutedBlock};

/// Blocks pruned after a write, several times what a write adds.
const PRUNE_BLOCKS: u64 = 32;

/// Progress of the persistence thread.
#[derive(Debug, Default)]
pub(crate) struct Persistence {
    progress: Mutex<Progress>,
    changed: Condvar,
    /// Held while blocks move from memory to the store; taking it pauses the thread.
    gate: Mutex<()>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Progress {
    waiting: bool,
    stopping: bool,
    stopped: bool,
    disk_full: bool,
    journal_full: bool,
    failure: Option<String>,
}

/// How far writing steps back behind the threads that clients wait for, recovery included. The bound
/// on blocks that wait keeps it from falling behind for good.
const NICENESS: i32 = 10;

/// What one round did.
enum Round {
    Idle,
    Wrote,
    DiskFull,
    Failed(String),
}

impl Round {
    fn failed(error: StateError) -> Self {
        match error {
            StateError::NoSpace(reason) => {
                tracing::warn!(target: "chain::persistence", %reason, "disk full, retrying");
                Self::DiskFull
            }
            error => Self::Failed(error.to_string()),
        }
    }
}

impl Persistence {
    /// Says that there are new blocks.
    pub(crate) fn wake(&self) {
        self.progress.lock().waiting = true;
        self.changed.notify_all();
    }

    /// Whether the last write failed for want of space.
    pub(crate) fn is_disk_full(&self) -> bool {
        let progress = self.progress.lock();
        progress.disk_full || progress.journal_full
    }

    /// Says whether the sequencer's journal waits for space.
    pub(crate) fn set_journal_full(&self, full: bool) {
        self.progress.lock().journal_full = full;
    }

    /// Keeps blocks where they are until the guard is dropped.
    pub(crate) fn pause(&self) -> MutexGuard<'_, ()> {
        self.gate.lock()
    }

    /// Ends persistence for good and says why.
    fn fail(&self, reason: String) {
        tracing::error!(target: "chain::persistence", %reason, "persistence stopped");
        let mut progress = self.progress.lock();
        progress.failure = Some(reason);
        progress.stopped = true;
        drop(progress);
        self.changed.notify_all();
    }

    fn failure(&self) -> Option<ChainError> {
        self.progress.lock().failure.clone().map(ChainError::Persistence)
    }
}

/// Starts the thread. It ends when the last handle of the chain is dropped.
pub(crate) fn start(inner: &Arc<Inner>) -> Result<(), ChainError> {
    let weak = Arc::downgrade(inner);
    let thread = thread::Builder::new()
        .name("cairn-persist".into())
        .spawn(move || {
            // Linux keeps the niceness of each thread apart; a refusal costs only speed.
            if let Err(error) = rustix::process::nice(NICENESS) {
                tracing::debug!(target: "chain::persistence", %error, "usual priority");
            }
            let ended = catch_unwind(AssertUnwindSafe(|| run(&weak)));
            if ended.is_err()
                && let Some(inner) = weak.upgrade()
            {
                inner.persistence.fail("its thread panicked".into());
            }
        })
        .map_err(|e| ChainError::Persistence(e.to_string()))?;
    *inner.persistence.thread.lock() = Some(thread);
    Ok(())
}

fn run(chain: &Weak<Inner>) {
    while let Some(inner) = chain.upgrade() {
        let round = write_batch(&inner);
        let persistence = &inner.persistence;
        let mut progress = persistence.progress.lock();
        progress.disk_full = matches!(round, Round::DiskFull);
        match round {
            Round::Wrote => {
                drop(progress);
                persistence.changed.notify_all();
                prune(&inner);
            }
            Round::Idle | Round::DiskFull if progress.stopping => {
                progress.stopped = true;
                drop(progress);
                persistence.changed.notify_all();
                return;
            }
            Round::Idle | Round::DiskFull => {
                if !std::mem::take(&mut progress.waiting) || matches!(round, Round::DiskFull) {
                    persistence.changed.wait_for(&mut progress, inner.options.disk_full_retry);
                }
            }
            Round::Failed(reason) => {
                drop(progress);
                persistence.fail(reason);
                return;
            }
        }
    }
}

fn write_batch(inner: &Inner) -> Round {
    let _gate = inner.persistence.gate.lock();
    let blocks: Vec<ExecutedBlock> =
        inner.recent.read().unpersisted().take(inner.options.persist_batch).cloned().collect();
    let Some(last) = blocks.last() else {
        return inner.write_heads().map_or_else(Round::failed, |()| Round::Idle);
    };
    let last = last.block.number();
    let committed: Vec<CommittedBlock> = blocks.into_iter().map(committed).collect();
    match inner.store.commit(&committed) {
        Ok(_) => {
            inner.recent.write().set_persisted(last);
            metrics::gauge!("cairn_chain_persisted_block").set(last as f64);
            inner.write_due_heads().map_or_else(Round::failed, |()| Round::Wrote)
        }
        Err(error) => Round::failed(error),
    }
}

/// Removes what neither the store's options nor the chain's retention keep, a little after each write
/// so that pruning keeps up with growth. A failure is tried again after the next write.
fn prune(inner: &Arc<Inner>) {
    // What must stay is a question of many reads, and idle where everything does.
    if inner.store.options().keep_everything() {
        return;
    }
    let chain = Chain { inner: inner.clone() };
    let pruned =
        chain.prune_bound().and_then(|bound| Ok(inner.store.prune_below(bound, PRUNE_BLOCKS)?));
    if let Err(error) = pruned {
        tracing::warn!(target: "chain::persistence", %error, "pruning failed");
    }
}

fn committed(block: ExecutedBlock) -> CommittedBlock {
    CommittedBlock { block: block.block, receipts: block.receipts, layer: block.layer }
}

impl Chain {
    /// Newest block that the store has, synced.
    pub fn persisted_block(&self) -> u64 {
        self.inner.recent.read().persisted()
    }

    /// Whether the node accepts nothing new because its disk is full.
    pub fn is_disk_full(&self) -> bool {
        self.inner.persistence.is_disk_full()
    }

    /// Waits until the store has every block and the heads.
    pub fn flush(&self) -> Result<(), ChainError> {
        self.wait_until_unpersisted(0)?;
        let _gate = self.inner.persistence.pause();
        Ok(self.inner.write_heads()?)
    }

    /// Waits until the store has every block and ends the persistence thread. With a full disk it
    /// does not wait: blocks that the node built itself are in the journal, others come again.
    pub fn close(&self) -> Result<(), ChainError> {
        let persistence = &self.inner.persistence;
        while !self.is_disk_full() && !self.has_room(0)? {
            let mut progress = persistence.progress.lock();
            progress.waiting = true;
            persistence.changed.notify_all();
            persistence.changed.wait_for(&mut progress, self.inner.options.disk_full_retry);
        }
        let mut progress = persistence.progress.lock();
        progress.stopping = true;
        persistence.changed.notify_all();
        while !progress.stopped {
            persistence.changed.wait_for(&mut progress, self.inner.options.disk_full_retry);
        }
        drop(progress);
        // Its handle of the store goes with the thread: the next to open the store must find it free.
        match persistence.thread.lock().take().map(JoinHandle::join) {
            Some(Err(_)) => Err(ChainError::Persistence("its thread panicked".into())),
            Some(Ok(())) | None => Ok(()),
        }
    }

    /// Whether at most `most` blocks wait for the disk.
    pub(crate) fn has_room(&self, most: usize) -> Result<bool, ChainError> {
        if let Some(failure) = self.inner.persistence.failure() {
            return Err(failure);
        }
        Ok(self.inner.recent.read().unpersisted().count() <= most)
    }

    /// Holds a writer back while too many blocks wait for the disk.
    pub(crate) fn wait_for_room(&self) -> Result<(), ChainError> {
        self.wait_until_unpersisted(self.inner.options.unpersisted_max)
    }

    fn wait_until_unpersisted(&self, most: usize) -> Result<(), ChainError> {
        let persistence = &self.inner.persistence;
        loop {
            if let Some(failure) = persistence.failure() {
                return Err(failure);
            }
            let mut progress = persistence.progress.lock();
            if self.inner.recent.read().unpersisted().count() <= most {
                return Ok(());
            }
            if progress.stopped {
                return Err(ChainError::Persistence("the chain is closed".into()));
            }
            progress.waiting = true;
            persistence.changed.notify_all();
            persistence.changed.wait_for(&mut progress, self.inner.options.disk_full_retry);
        }
    }
}
