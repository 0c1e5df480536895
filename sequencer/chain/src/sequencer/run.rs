//! The sequencer's thread.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use alloy_consensus::transaction::Recovered;
use cairn_pool::{BlockConditions, Origin, PoolTransaction, SharedPool, Timestamp};
use cairn_primitives::{Header, RecoveredBlock};
use crossbeam_channel::RecvTimeoutError;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::journal::BlockJournal;
use super::open_block::OpenBlock;
use super::records::Record;
use super::replay::replay;
use super::{AttributesSource, Command, Inbox, SequencerOptions, SequencerStatus};
use crate::error::ChainError;
use crate::events::ChainEvent;
use crate::{BlockRef, Chain, ExecutedBlock, TimestampRule};

/// Blocks between looks for queued transactions that have waited too long.
const EXPIRY_BLOCKS: u64 = 60;

/// Failures in a row after which the thread gives up.
const FAILURES_MAX: u32 = 10;

pub(super) struct Worker {
    pub(super) chain: Chain,
    pub(super) pool: SharedPool,
    source: Box<dyn AttributesSource>,
    pub(super) options: SequencerOptions,
    pub(super) journal: BlockJournal,
    inbox: Inbox,
    pub(super) status: Arc<Mutex<SequencerStatus>>,
    /// The open block that a replay ended with.
    resumed: Option<OpenBlock>,
    paused: Option<oneshot::Sender<()>>,
    is_paused: bool,
    pub(super) shutdown: bool,
    batch: Vec<Arc<PoolTransaction>>,
    /// When the last round ended, and how many transactions it was given.
    last_round: Instant,
    pub(super) last_round_txs: usize,
    /// Something failed in the middle of a block: what the journal holds must be rebuilt first.
    needs_replay: bool,
}

/// Why a block was left.
enum Filled {
    /// Its time has come.
    Deadline,
    /// The chain moved under it: its transactions go back to the pool.
    Abandon(String),
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
        let resumed = replay(&chain, &pool, &mut journal)?;
        let is_paused = !options.active;
        Ok(Self {
            chain,
            pool,
            source,
            options,
            journal,
            inbox,
            status,
            resumed,
            paused: None,
            is_paused,
            shutdown: false,
            batch: Vec::new(),
            last_round: Instant::now(),
            last_round_txs: 0,
            needs_replay: false,
        })
    }

    pub(super) fn run(mut self) {
        let mut failures = 0;
        let mut deadline = Instant::now() + self.options.block_time;
        while !self.shutdown {
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
            let now = Instant::now();
            // After a stall the rhythm starts anew instead of catching up with a burst.
            deadline = deadline.max(now) + self.options.block_time
                - deadline.saturating_duration_since(now).min(self.options.block_time);
            if deadline < now {
                deadline = now + self.options.block_time;
            }
        }
        if let Err(error) = self.save_local_transactions() {
            tracing::error!(target: "chain::sequencer", %error, "local transactions not saved");
        }
    }

    fn fail(&mut self, error: &ChainError, failures: u32) {
        tracing::error!(target: "chain::sequencer", %error, failures, "no block was built");
        metrics::counter!("cairn_sequencer_failures_total").increment(1);
        if failures >= FAILURES_MAX {
            self.set_status(SequencerStatus::Ended(error.to_string()));
            self.shutdown = true;
            return;
        }
        self.set_status(SequencerStatus::Stalled(error.to_string()));
        self.wait(self.options.retry);
    }

    /// Builds one block. After a failure in the middle of one, the next call starts from what the
    /// journal holds: everything that was shown is in it, and nothing else.
    fn build(&mut self, deadline: Instant) -> Result<(), ChainError> {
        self.chain.wait_for_room()?;
        if self.needs_replay {
            self.resumed = replay(&self.chain, &self.pool, &mut self.journal)?;
            self.needs_replay = false;
        }
        let result = self.build_open(deadline);
        if result.is_err() {
            self.needs_replay = true;
            self.pool.with(|pool| pool.take_back_all());
        }
        result
    }

    /// Opens a block, fills it until the deadline, seals it.
    fn build_open(&mut self, deadline: Instant) -> Result<(), ChainError> {
        let mut open = match self.resumed.take() {
            Some(open) => open,
            None => self.open(deadline)?,
        };
        self.pool_conditions(&open.header());
        match self.fill(&mut open, deadline)? {
            Filled::Deadline => self.seal(open),
            Filled::Shutdown => Ok(()),
            Filled::Abandon(reason) => {
                tracing::warn!(target: "chain::sequencer", %reason, "open block abandoned");
                self.abandon(&open)
            }
        }
    }

    fn open(&mut self, deadline: Instant) -> Result<OpenBlock, ChainError> {
        let head = self.chain.heads().unsafe_head;
        let (hash, parent) = self
            .chain
            .header(BlockRef::Hash(head.hash))?
            .ok_or(ChainError::UnknownBlock(head.hash))?;
        let timestamp = self.timestamp(&parent, deadline);
        let attributes = self
            .source
            .next(&parent, timestamp)
            .map_err(|reason| ChainError::Build { number: head.number + 1, reason })?;
        let (mut open, deposits) = OpenBlock::new(&self.chain, hash, &attributes)?;
        self.journaled(open.number(), &[Record::open(hash, &attributes)])?;
        self.chain.inner.pending.open(open.header(), open.publish());
        self.show(&mut open, deposits);
        Ok(open)
    }

    /// Second in which the block will be sealed, later than its parent's unless several blocks
    /// share a second.
    fn timestamp(&self, parent: &Header, deadline: Instant) -> u64 {
        let seal = SystemTime::now() + deadline.saturating_duration_since(Instant::now());
        let seconds = seal.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let least = match self.chain.inner.options.timestamps {
            TimestampRule::Increasing => parent.timestamp.saturating_add(1),
            TimestampRule::NonDecreasing => parent.timestamp,
        };
        seconds.max(least)
    }

    fn fill(&mut self, open: &mut OpenBlock, deadline: Instant) -> Result<Filled, ChainError> {
        loop {
            if self.shutdown {
                return Ok(Filled::Shutdown);
            }
            if self.chain.heads().unsafe_head.hash != open.parent_hash() {
                return Ok(Filled::Abandon("the chain has another head".into()));
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Filled::Deadline);
            }
            let pause = self.round_pause().saturating_sub(self.last_round.elapsed());
            std::thread::sleep(pause.min(left));
            let mut batch = std::mem::take(&mut self.batch);
            batch.clear();
            if !self.chain.is_disk_full() {
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
            self.last_round = Instant::now();
            self.last_round_txs = round_txs;
            result?;
        }
    }

    fn seal(&mut self, open: OpenBlock) -> Result<(), ChainError> {
        let started = Instant::now();
        let number = open.number();
        let block = open.seal(self.chain.spec())?;
        self.journaled(number, &[Record::seal(block.block.hash())])?;
        let took = started.elapsed();
        metrics::histogram!("cairn_sequencer_seal_seconds").record(took.as_secs_f64());
        tracing::info!(
            target: "chain::sequencer",
            number,
            hash = %block.block.hash(),
            txs = block.block.transactions().len(),
            gas = block.block.header().gas_used,
            seal_ms = took.as_secs_f64() * 1e3,
            "sealed"
        );
        announce(&self.chain, block);
        self.chain.inner.pending.sweep();
        let persisted = self.chain.persisted_block();
        self.journal.remove_through(persisted)?;
        self.pool.with(|pool| {
            pool.block_sealed(number);
            pool.block_persisted(persisted);
            if number.is_multiple_of(EXPIRY_BLOCKS) {
                pool.expire(now());
            }
        });
        self.save_local_transactions()?;
        if let Some(done) = self.paused.take() {
            self.is_paused = true;
            let _ = done.send(());
        }
        Ok(())
    }

    /// Gives the open block up: its transactions go back to the pool.
    fn abandon(&mut self, open: &OpenBlock) -> Result<(), ChainError> {
        self.chain.inner.pending.close();
        self.journal.remove_from(open.number())?;
        let view = self.chain.latest_state()?;
        let head = self.chain.heads().unsafe_head.number;
        let orphans = std::mem::take(&mut *self.chain.inner.orphans.lock());
        self.pool.with(|pool| {
            pool.take_back_all();
            pool.abandon_from(head.saturating_add(1), &view)?;
            pool.reinject(orphaned(&orphans), &view)
        })?;
        Ok(())
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
        while let Ok(command) = self.inbox.try_recv() {
            self.carry_out(command);
        }
    }

    fn carry_out(&mut self, command: Command) {
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

/// Makes a sealed block the head and tells everyone.
pub(super) fn announce(chain: &Chain, block: ExecutedBlock) {
    let _writer = chain.inner.writer.lock();
    chain.append(block.clone());
    chain.inner.pending.close();
    chain.inner.events.send(ChainEvent::Extended([block].into()));
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

/// Transactions of unwound blocks, in their old order. Deposits follow from L1 again.
fn orphaned(blocks: &[RecoveredBlock]) -> Vec<Arc<PoolTransaction>> {
    let transactions = blocks.iter().flat_map(RecoveredBlock::transactions_with_sender);
    transactions
        .filter(|(tx, _)| !tx.is_deposit_tx())
        .map(|(tx, sender)| {
            let signed = Recovered::new_unchecked(tx.clone(), sender);
            Arc::new(PoolTransaction::from_recovered(signed, Origin::Local, Timestamp::default()))
        })
        .collect()
}
