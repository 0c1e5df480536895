//! The sequencer's thread.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use alloy_primitives::B256;
use cairn_pool::{BlockConditions, PoolTransaction, SharedPool, Timestamp};
use cairn_primitives::Header;
use crossbeam_channel::RecvTimeoutError;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::journal::BlockJournal;
use super::open_block::OpenBlock;
use super::publisher::{Publisher, Round, Shown};
use super::records::Record;
use super::replay::{Settled, settle};
use super::root_ahead::RootThread;
use super::{AttributesSource, Command, Inbox, SequencerOptions, SequencerStatus};
use crate::error::ChainError;
use crate::events::ChainEvent;
use crate::pending::Closed;
use crate::{BlockRef, Chain, ExecutedBlock};

/// Blocks between looks for queued transactions that have waited too long.
const EXPIRY_BLOCKS: u64 = 60;

/// How often the sequencer looks whether the store has caught up.
const ROOM_POLL: Duration = Duration::from_millis(20);

pub(super) struct Worker {
    pub(super) chain: Chain,
    pub(super) pool: SharedPool,
    source: Box<dyn AttributesSource>,
    pub(super) options: SequencerOptions,
    /// The publisher's while it is not idle.
    journal: Arc<Mutex<BlockJournal>>,
    pub(super) publisher: Publisher,
    root_thread: RootThread,
    /// When the last block's execution ended, until the next one is open.
    sealing_since: Option<Instant>,
    pub(super) inbox: Inbox,
    pub(super) status: Arc<Mutex<SequencerStatus>>,
    /// The open block that settling ended with.
    pub(super) resumed: Option<OpenBlock>,
    /// Transactions of blocks that were given up, until they are executed again or refused.
    orphans: Vec<B256>,
    pub(super) paused: Option<oneshot::Sender<()>>,
    pub(super) is_paused: bool,
    pub(super) shutdown: bool,
    batch: Vec<Arc<PoolTransaction>>,
    /// When the last round ended, how long after the one before, and how many transactions it was
    /// given.
    last_round: Instant,
    pub(super) last_interval: Duration,
    pub(super) last_round_txs: usize,
    /// Whether the last round left transactions behind that could be executed now.
    pub(super) backlog: bool,
    /// Something failed in the middle of a block, or the head moved: journal, chain and pool must
    /// be brought together first.
    needs_settling: bool,
}

/// Why a block was left.
enum Filled {
    /// Its time has come.
    Deadline,
    /// The chain has another head than the one it follows.
    HeadMoved,
    /// The node shuts down; the block stays in the journal.
    Shutdown,
}

impl Worker {
    /// Opens the journal and replays it.
    pub(super) fn start(
        chain: Chain,
        pool: SharedPool,
        source: Box<dyn AttributesSource>,
        options: SequencerOptions,
        inbox: Inbox,
        status: Arc<Mutex<SequencerStatus>>,
    ) -> Result<Self, ChainError> {
        let mut journal = BlockJournal::open(&options.journal)?;
        let Settled { open: resumed, orphans } = settle(&chain, &pool, &mut journal)?;
        let is_paused = !options.active;
        let journal = Arc::new(Mutex::new(journal));
        let publisher = {
            let (chain, pool, journal) = (chain.clone(), pool.clone(), journal.clone());
            Publisher::start(chain, pool, journal, status.clone(), &options)?
        };
        Ok(Self {
            chain,
            pool,
            source,
            options,
            journal,
            publisher,
            root_thread: RootThread::start()?,
            sealing_since: None,
            inbox,
            status,
            resumed,
            orphans,
            paused: None,
            is_paused,
            shutdown: false,
            batch: Vec::new(),
            last_round: Instant::now(),
            last_interval: Duration::MAX,
            last_round_txs: 0,
            backlog: false,
            needs_settling: false,
        })
    }

    pub(super) fn run(mut self) {
        let mut failures = 0;
        let mut deadline = Instant::now() + self.options.block_time;
        while !self.shutdown {
            if let Err(error) = self.pause_between_blocks() {
                failures += 1;
                self.fail(&error, failures);
                continue;
            }
            if self.is_paused && self.resumed.is_none() {
                self.set_status(SequencerStatus::Paused);
                self.wait(Duration::from_secs(1));
                deadline = Instant::now() + self.options.block_time;
                continue;
            }
            match self.build(deadline) {
                Ok(()) => {
                    failures = 0;
                    self.set_status(SequencerStatus::Active);
                }
                Err(error) => {
                    failures += 1;
                    self.fail(&error, failures);
                }
            }
            deadline += self.options.block_time;
            // After a stall the rhythm starts anew instead of catching up with a burst.
            if deadline < Instant::now() {
                deadline = Instant::now() + self.options.block_time;
            }
        }
        if let Err(error) = self.save_local_transactions() {
            tracing::error!(target: "chain::sequencer", %error, "local transactions not saved");
        }
    }

    /// A failure that cannot heal ends the sequencer; any other is tried again, ever more slowly.
    fn fail(&mut self, error: &ChainError, failures: u32) {
        metrics::counter!("cairn_sequencer_failures_total").increment(1);
        if error.is_fatal() {
            tracing::error!(target: "chain::sequencer", %error, "the sequencer ends");
            self.set_status(SequencerStatus::Ended(error.to_string()));
            self.shutdown = true;
            return;
        }
        if let ChainError::NoAttributes { .. } = error {
            self.stall(error);
        } else if !matches!(error, ChainError::HeadMoved { .. }) {
            tracing::error!(target: "chain::sequencer", %error, failures, "no block was built");
            self.set_status(SequencerStatus::Stalled(error.to_string()));
            self.wait(self.options.retry * 2u32.saturating_pow(failures.min(5)));
        }
    }

    /// Builds one block. After a failure in the middle of one, and when the chain has got another
    /// head, the next call starts from what the journal holds: everything that was shown is in it,
    /// and nothing else.
    fn build(&mut self, deadline: Instant) -> Result<(), ChainError> {
        while !self.chain.has_room(self.chain.inner.options.unpersisted_max)? {
            if self.shutdown {
                return Ok(());
            }
            self.wait(ROOM_POLL);
        }
        self.settle_if_needed()?;
        let result = self.build_open(deadline);
        self.needs_settling |= result.is_err();
        if self.needs_settling {
            self.publisher.abandon();
        }
        result
    }

    /// Brings journal, chain and pool together where something failed in the middle of a block, or
    /// blocks were unwound while none was open.
    pub(super) fn settle_if_needed(&mut self) -> Result<(), ChainError> {
        if self.needs_settling || !self.chain.inner.orphans.lock().is_empty() {
            // Should it fail, the next attempt settles again.
            self.needs_settling = true;
            self.publisher.abandon();
            let settled = settle(&self.chain, &self.pool, &mut self.journal.lock())?;
            self.resumed = settled.open;
            self.orphans = settled.orphans;
            self.needs_settling = false;
        }
        Ok(())
    }

    /// Opens a block, fills it until the deadline, seals it.
    fn build_open(&mut self, deadline: Instant) -> Result<(), ChainError> {
        let mut open = match self.resumed.take() {
            Some(open) => open,
            None => self.open(deadline)?,
        };
        let deadline = self.deadline(open.header().timestamp, deadline);
        self.pool_conditions(&open.header());
        if let Some(since) = self.sealing_since.take() {
            let gap = since.elapsed().as_secs_f64();
            metrics::histogram!("cairn_sequencer_gap_seconds").record(gap);
        }
        match self.fill(&mut open, deadline)? {
            Filled::Deadline => self.seal(open),
            Filled::Shutdown => self.flush(),
            Filled::HeadMoved => {
                let number = open.number();
                tracing::warn!(target: "chain::sequencer", number, "the chain has another head");
                self.publisher.abandon();
                drop(self.chain.inner.pending.close());
                self.needs_settling = true;
                Ok(())
            }
        }
    }

    fn open(&mut self, deadline: Instant) -> Result<OpenBlock, ChainError> {
        let head = self.chain.heads().unsafe_head;
        let (hash, parent) = self
            .chain
            .header(BlockRef::Hash(head.hash))?
            .ok_or(ChainError::UnknownBlock(head.hash))?;
        // Blocks that were unwound since the last look are in the journal still.
        if !self.chain.inner.orphans.lock().is_empty() {
            return Err(ChainError::HeadMoved { number: head.number.saturating_add(1) });
        }
        let timestamp = self.timestamp(&parent, deadline);
        let attributes = self
            .source
            .next(&parent, timestamp)
            .map_err(|reason| ChainError::NoAttributes { number: head.number + 1, reason })?;
        let (mut open, deposits) = OpenBlock::new(&self.chain, hash, &attributes)?;
        let (state, changes) = open.publish();
        let (opens, gas_used) = (Some(open.header()), open.gas_used());
        let shown = Shown { opens, executed: deposits, gas_used, state, changes };
        let records = vec![Record::open(hash, &attributes)];
        let refused = Vec::new();
        self.submit(Round { block: open.number(), records, shown: Some(shown), refused })?;
        Ok(open)
    }

    fn fill(&mut self, open: &mut OpenBlock, deadline: Instant) -> Result<Filled, ChainError> {
        loop {
            // Under load nothing ever waits for the inbox.
            self.carry_out_all();
            if self.shutdown {
                return Ok(Filled::Shutdown);
            }
            if self.chain.heads().unsafe_head.hash != open.parent_hash() {
                return Ok(Filled::HeadMoved);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Filled::Deadline);
            }
            let pause = self.round_pause().saturating_sub(self.last_round.elapsed());
            std::thread::sleep(pause.min(left));
            let mut batch = std::mem::take(&mut self.batch);
            batch.clear();
            let closed = open.deposits_only() || self.options.da_limit.is_used_up(open.da_bytes());
            if !self.chain.is_disk_full() && !closed {
                self.pool.take_best(self.options.round_txs, &mut batch);
            }
            if batch.is_empty() {
                self.batch = batch;
                self.wait(left);
                continue;
            }
            let round_txs = batch.len();
            let result = self.round(open, &batch, deadline);
            batch.clear();
            self.batch = batch;
            self.last_interval = self.last_round.elapsed();
            self.last_round = Instant::now();
            self.last_round_txs = round_txs;
            result?;
            let left = deadline.saturating_duration_since(self.last_round);
            open.root_ahead(&self.root_thread, left, self.options.block_time);
        }
    }

    fn seal(&mut self, open: OpenBlock) -> Result<(), ChainError> {
        let started = Instant::now();
        self.sealing_since = Some(started);
        let number = open.number();
        let (block, remains) = open.seal(self.chain.spec())?;
        let rooted = started.elapsed();
        let records = vec![Record::seal(block.block.hash())];
        self.submit(Round { block: number, records, ..Round::default() })?;
        self.flush()?;
        let took = started.elapsed();
        metrics::histogram!("cairn_sequencer_seal_seconds").record(took.as_secs_f64());
        tracing::info!(
            target: "chain::sequencer",
            number,
            hash = %block.block.hash(),
            txs = block.block.transactions().len(),
            gas = block.block.header().gas_used,
            root_ms = rooted.as_secs_f64() * 1e3,
            seal_ms = took.as_secs_f64() * 1e3,
            "sealed"
        );
        let closed = announce(&self.chain, block)?;
        self.chain.inner.pending.sweep();
        let persisted = self.chain.persisted_block();
        // What a full disk keeps from being removed goes the next time.
        let trimmed = self.journal.lock().remove_through(persisted);
        let trimmed = trimmed.and_then(|()| self.forget_orphans());
        if let Err(error) = trimmed
            && !error.is_disk_full()
        {
            return Err(error);
        }
        let known = self.pool.with(|pool| {
            pool.block_sealed(number);
            if number.is_multiple_of(EXPIRY_BLOCKS) {
                pool.expire(now());
            }
            pool.block_persisted(persisted)
        });
        self.root_thread.free((closed, known, remains));
        self.save_local_transactions()?;
        self.pause_if_asked();
        Ok(())
    }

    /// Forgets orphans that the pool has no more: executed again, or refused.
    fn forget_orphans(&mut self) -> Result<(), ChainError> {
        if self.orphans.is_empty() {
            return Ok(());
        }
        let pool = &self.pool;
        self.orphans.retain(|hash| pool.get(hash).is_some());
        if self.orphans.is_empty() { self.journal.lock().forget_orphans() } else { Ok(()) }
    }

    fn save_local_transactions(&self) -> Result<(), ChainError> {
        match &self.options.local_transactions {
            Some(local) => local.save(&self.pool),
            None => Ok(()),
        }
    }

    fn pool_conditions(&self, header: &Header) {
        let conditions = block_conditions(&self.chain, header);
        self.pool.with(|pool| pool.on_block(conditions, now()));
    }

    /// Waits for a wake-up, at most `timeout`, and carries out commands.
    pub(super) fn wait(&mut self, timeout: Duration) {
        match self.inbox.recv_timeout(timeout) {
            Ok(command) => self.carry_out(command),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => self.shutdown = true,
        }
        self.carry_out_all();
    }

    pub(super) fn carry_out_all(&mut self) {
        while let Ok(command) = self.inbox.try_recv() {
            self.carry_out(command);
        }
    }

    pub(super) fn carry_out(&mut self, command: Command) {
        match command {
            Command::Wake => {}
            Command::Shutdown => self.shutdown = true,
            Command::Pause(done) if self.is_paused => drop(done.send(())),
            Command::Pause(done) => self.paused = Some(done),
            Command::Resume(done) => {
                self.is_paused = false;
                let _ = done.send(());
            }
        }
    }

    pub(super) fn set_status(&self, status: SequencerStatus) {
        *self.status.lock() = status;
    }
}

/// Makes a sealed block the head and tells everyone, if the head is still its parent.
pub(super) fn announce(chain: &Chain, block: ExecutedBlock) -> Result<Closed, ChainError> {
    let _writer = chain.inner.writer.lock();
    if chain.heads().unsafe_head.hash != block.block.header().parent_hash {
        return Err(ChainError::HeadMoved { number: block.block.number() });
    }
    chain.append(block.clone());
    let closed = chain.inner.pending.close();
    chain.inner.events.send(ChainEvent::Extended([block].into()));
    Ok(closed)
}

/// What the block with that header demands of the pool's transactions.
pub(super) fn block_conditions(chain: &Chain, header: &Header) -> BlockConditions {
    let spec = chain.spec();
    let blob_fee = header
        .excess_blob_gas
        .zip(spec.blob_params(header.timestamp))
        .map_or(0, |(excess, params)| params.calc_blob_fee(excess));
    BlockConditions::new(
        spec,
        header.number,
        header.timestamp,
        header.base_fee_per_gas.unwrap_or(0),
        blob_fee,
        header.gas_limit,
    )
}

fn now() -> Timestamp {
    let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX))
}
