//! The sequencer: builds blocks out of the pool, executing transactions as they arrive.
//!
//! One thread executes, in rounds: it takes the best transactions from the pool and executes them in
//! the open block. Another thread syncs the journal records of each round, publishes state and
//! receipts, and reports to the pool, while the next round is executed. At the block time the first
//! seals the block, hands it to the chain and opens the next one. Rounds are short, a few
//! milliseconds at most, so that sealing is never late.

mod attributes;
mod da_limit;
mod journal;
mod open_block;
mod pause;
mod publisher;
mod records;
mod replay;
mod root_ahead;
mod round;
mod run;
mod timing;

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use cairn_pool::SharedPool;
use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use tokio::sync::oneshot;

pub use self::attributes::{AttributesSource, DevAttributes, PayloadAttributes};
pub use self::da_limit::DaLimit;
pub(crate) use self::open_block::header_template;
use self::run::Worker;
use crate::error::ChainError;
use crate::{Chain, LocalTransactions};

/// Which timestamps blocks have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BlockTiming {
    /// The second in which the block is sealed. After a stall the rhythm starts anew, and seconds
    /// without block stay behind.
    #[default]
    WallClock,
    /// The parent's plus this many seconds, as every block of a rollup has it. When the chain is
    /// behind the clock, blocks follow each other without waiting until it has caught up.
    FixedInterval(NonZeroU64),
}

/// Settings of the sequencer.
#[derive(Debug, Clone)]
pub struct SequencerOptions {
    /// Time between blocks.
    pub block_time: Duration,
    /// Which timestamps blocks have.
    pub timing: BlockTiming,
    /// Directory of the journal.
    pub journal: PathBuf,
    /// Most transactions in one round.
    pub round_txs: usize,
    /// Longest a round executes before it publishes.
    pub round_time: Duration,
    /// Shortest time from the end of a round to the next. A transaction that comes after a quiet
    /// moment does not wait; under load this gathers transactions, so that a round's sync, locks
    /// and wake-ups serve many of them.
    pub round_pause: Duration,
    /// How long to wait after a failure before another attempt.
    pub retry: Duration,
    /// Whether blocks are built from the start.
    pub active: bool,
    /// How much of L1 a block may take.
    pub da_limit: DaLimit,
    /// Where local transactions are kept that wait in the pool.
    pub local_transactions: Option<LocalTransactions>,
}

impl SequencerOptions {
    /// Defaults, with the journal in `journal`.
    pub fn new(journal: PathBuf) -> Self {
        Self {
            block_time: Duration::from_secs(1),
            timing: BlockTiming::WallClock,
            journal,
            round_txs: 512,
            round_time: Duration::from_millis(5),
            round_pause: Duration::from_millis(1),
            retry: Duration::from_millis(200),
            active: true,
            da_limit: DaLimit::default(),
            local_transactions: None,
        }
    }
}

/// What the sequencer is doing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SequencerStatus {
    /// Builds blocks.
    #[default]
    Active,
    /// Stopped by an operator.
    Paused,
    /// Cannot go on now and tries again; the text says why.
    Stalled(String),
    /// Has ended; the text says why. Restart the node.
    Ended(String),
}

enum Command {
    /// New transactions, or time to look around.
    Wake,
    Pause(oneshot::Sender<()>),
    Resume(oneshot::Sender<()>),
    Shutdown,
}

/// Handle of the sequencer. Clones share it.
#[derive(Debug, Clone)]
pub struct Sequencer {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    commands: Sender<Command>,
    status: Arc<Mutex<SequencerStatus>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for Command {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Wake => "Wake",
            Self::Pause(_) => "Pause",
            Self::Resume(_) => "Resume",
            Self::Shutdown => "Shutdown",
        })
    }
}

impl Sequencer {
    /// Rebuilds what the journal holds above the store's tip, then starts building. Returns when
    /// the replay is done: from then on the pending state holds everything that was ever shown.
    pub fn start(
        chain: Chain,
        pool: SharedPool,
        source: Box<dyn AttributesSource>,
        options: SequencerOptions,
    ) -> Result<Self, ChainError> {
        let (commands, inbox) = bounded(256);
        let status = Arc::new(Mutex::new(SequencerStatus::Active));
        let waker = commands.clone();
        // A full inbox wakes the thread as well as one more message would.
        pool.set_waker(move || drop(waker.try_send(Command::Wake)));
        let waker = commands.clone();
        chain.inner.head_waker.set(move || drop(waker.try_send(Command::Wake)));
        let (ready, replayed) = bounded(1);
        let thread = {
            let status = status.clone();
            // An open block holds an EVM, which stays on the thread that made it.
            let work = move || match Worker::start(chain, pool, source, options, inbox, status) {
                Ok(worker) => {
                    let _ = ready.send(Ok(()));
                    worker.run();
                }
                Err(error) => drop(ready.send(Err(error))),
            };
            std::thread::Builder::new().name("cairn-sequencer".into()).spawn(work)
        };
        let failed = |reason: String| ChainError::Build { number: 0, reason };
        let thread = thread.map_err(|e| failed(e.to_string()))?;
        replayed.recv().map_err(|_| failed("the sequencer thread died".into()))??;
        let shared = Shared { commands, status, thread: Mutex::new(Some(thread)) };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// What the sequencer is doing.
    pub fn status(&self) -> SequencerStatus {
        let status = self.shared.status.lock().clone();
        let ended = self.shared.thread.lock().as_ref().is_none_or(JoinHandle::is_finished);
        match status {
            SequencerStatus::Ended(_) => status,
            _ if ended => SequencerStatus::Ended("its thread has ended".into()),
            _ => status,
        }
    }

    /// Stops building after the open block; returns once it is sealed.
    pub async fn pause(&self) -> Result<(), ChainError> {
        self.command(Command::Pause).await
    }

    /// Builds again.
    pub async fn resume(&self) -> Result<(), ChainError> {
        self.command(Command::Resume).await
    }

    /// Ends the thread. The open block stays in the journal and is open again after a restart.
    pub fn shutdown(&self) {
        // A closed inbox means that the thread has ended already.
        let _ = self.shared.commands.send(Command::Shutdown);
        if let Some(thread) = self.shared.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!(target: "chain::sequencer", "the sequencer thread panicked");
        }
    }

    async fn command(
        &self,
        command: impl FnOnce(oneshot::Sender<()>) -> Command,
    ) -> Result<(), ChainError> {
        let ended = || ChainError::Build { number: 0, reason: "the sequencer has ended".into() };
        let (done, wait) = oneshot::channel();
        self.shared.commands.send(command(done)).map_err(|_| ended())?;
        wait.await.map_err(|_| ended())
    }
}

type Inbox = Receiver<Command>;
