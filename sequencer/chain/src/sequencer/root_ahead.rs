//! The open block's state root, begun before the block ends.
//!
//! Sealing stops execution, and most of its time is the state root. So a thread of its own applies
//! what the block has changed some time before the end; sealing only adds what came after. Blocks
//! with few transactions are rooted at the end alone.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cairn_state::{HeadStart, StateView};
use crossbeam_channel::{Receiver, bounded};

use crate::error::ChainError;

/// Transactions since the last time from which beginning early is worth it.
const WORTH_TXS: usize = 256;

/// When to root what there is, as parts of the block time before the block's end. Each moment costs
/// the updates of what changes again after it, and leaves less to the next one.
const MOMENTS: [f64; 3] = [0.25, 0.08, 0.025];

/// The thread that works ahead, one for all blocks.
#[derive(Debug, Clone)]
pub(super) struct RootThread(Arc<rayon::ThreadPool>);

impl RootThread {
    pub(super) fn start() -> Result<Self, ChainError> {
        let threads = rayon::ThreadPoolBuilder::new().num_threads(1);
        let threads = threads.thread_name(|_| "cairn-root".into());
        // Whoever waits for the result goes on without.
        let panicked =
            |_| tracing::error!(target: "chain::sequencer", "the root's thread panicked");
        let threads = threads.panic_handler(panicked).build();
        let failed = |reason: String| ChainError::Build { number: 0, reason };
        Ok(Self(Arc::new(threads.map_err(|error| failed(error.to_string()))?)))
    }
}

impl RootThread {
    /// Frees what is large, away from the thread that has other things to do.
    pub(super) fn free(&self, garbage: impl Send + 'static) {
        self.0.spawn(move || drop(garbage));
    }
}

/// How far the open block's root is.
#[derive(Debug, Default)]
pub(super) struct RootAhead {
    moments: usize,
    txs: usize,
    done: Option<HeadStart>,
    running: Option<Receiver<Option<HeadStart>>>,
}

impl RootAhead {
    /// Begins if the time has come. `view` is the state of the open block, which has `txs`
    /// transactions.
    pub(super) fn advance(
        &mut self,
        thread: &RootThread,
        left: Duration,
        block_time: Duration,
        txs: usize,
        view: impl FnOnce() -> StateView,
    ) {
        let due = MOMENTS.get(self.moments).is_some_and(|part| left <= block_time.mul_f64(*part));
        if !due || txs < self.txs.saturating_add(WORTH_TXS) || !self.collect() {
            return;
        }
        (self.moments, self.txs) = (self.moments + 1, txs);
        let (view, before) = (view(), self.done.take());
        let (sender, running) = bounded(1);
        self.running = Some(running);
        thread.0.spawn(move || {
            let started = Instant::now();
            // A failure costs nothing but the head start, and shows again when the block is sealed.
            let start = view.head_start(before).unwrap_or_default();
            let took = started.elapsed().as_secs_f64();
            metrics::histogram!("cairn_sequencer_root_ahead_seconds").record(took);
            drop(sender.send(start));
        });
    }

    /// Takes the result of a run that has ended; says whether none is running.
    fn collect(&mut self) -> bool {
        let Some(running) = &self.running else { return true };
        if let Ok(start) = running.try_recv() {
            self.done = start;
            self.running = None;
        }
        self.running.is_none()
    }

    /// What there is at the block's end. Waits for a run that has begun.
    pub(super) fn finish(mut self) -> Option<HeadStart> {
        match self.running.take() {
            Some(running) => running.recv().ok().flatten(),
            None => self.done,
        }
    }
}
