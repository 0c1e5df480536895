//! The open block, as readers see it.
//!
//! The sequencer publishes executed transactions in small groups, each after its journal record
//! is synced. A reader gets a snapshot: one group is visible as a whole or not at all.

use std::collections::HashMap;
use std::sync::Arc;

use alloy_primitives::map::B256Map;
use alloy_primitives::{Address, B256};
use cairn_pool::PoolTransaction;
use cairn_primitives::{Header, L1Attributes, Receipt, TxEnvelope};
use cairn_state::StateView;
use parking_lot::{Mutex, RwLock};
use tokio::sync::oneshot;

/// A transaction that the open block has executed.
#[derive(Debug)]
pub struct PendingTx {
    /// The transaction.
    pub tx: TxEnvelope,
    /// Its sender.
    pub sender: Address,
    /// Its hash.
    pub hash: B256,
    /// Position in the open block.
    pub index: usize,
    /// Its receipt. Log indices follow from those of the transactions before.
    pub receipt: Receipt,
    /// Gas that it used.
    pub gas_used: u64,
    /// Index of its first log in the block.
    pub first_log: usize,
}

/// Snapshot of the open block. The header lacks what only sealing gives: roots, bloom, hash.
#[derive(Debug, Clone)]
pub struct PendingBlock {
    /// Header so far; `gas_used` counts the transactions below.
    pub header: Header,
    /// Executed transactions in order, deposits first.
    pub transactions: Arc<[Arc<PendingTx>]>,
    /// State after the last of them.
    pub state: StateView,
}

/// What a waiting submitter is told.
#[derive(Debug, Clone)]
pub struct Preconfirmation {
    /// The executed transaction.
    pub tx: Arc<PendingTx>,
    /// Header of the open block when it was published.
    pub header: Arc<Header>,
    /// The first transaction of the block; under OP rules it carries the L1 attributes.
    pub first: Arc<PendingTx>,
}

/// Those who wait, by transaction.
type Waiting = HashMap<B256, Vec<oneshot::Sender<Preconfirmation>>>;

/// From how many waiting transactions those that nobody waits for any more are looked for, each
/// time their number has doubled.
const SWEEP_FROM: usize = 1024;

/// The open block behind a lock, and those who wait for their transaction to enter it.
#[derive(Debug, Default)]
pub(crate) struct PendingState {
    open: RwLock<Option<Open>>,
    waiting: Mutex<Waiting>,
    /// Timestamp and L1 attributes of the newest block that was opened.
    l1_attributes: RwLock<Option<(u64, L1Attributes)>>,
}

#[derive(Debug)]
struct Open {
    header: Arc<Header>,
    transactions: Vec<Arc<PendingTx>>,
    by_hash: B256Map<usize>,
    state: StateView,
}

/// An open block that nobody is shown any more.
#[derive(Debug)]
pub(crate) struct Closed(#[expect(dead_code, reason = "kept to be dropped")] Option<Open>);

impl PendingState {
    /// Opens a block whose first transactions are `deposits`.
    pub(crate) fn open(&self, header: Header, state: StateView) {
        *self.open.write() = Some(Open {
            header: Arc::new(header),
            transactions: Vec::new(),
            by_hash: B256Map::default(),
            state,
        });
    }

    /// Shows a group of transactions and the state after them, then answers who waits for one.
    pub(crate) fn publish(&self, group: Vec<Arc<PendingTx>>, gas_used: u64, state: StateView) {
        let mut open = self.open.write();
        let Some(open) = open.as_mut() else { return };
        open.state = state;
        open.header = Arc::new(Header { gas_used, ..(*open.header).clone() });
        if let Some(TxEnvelope::Deposit(deposit)) = group.first().map(|tx| &tx.tx)
            && let Ok(attributes) = L1Attributes::from_deposit(deposit)
        {
            *self.l1_attributes.write() = Some((open.header.timestamp, attributes));
        }
        for tx in &group {
            open.by_hash.insert(tx.hash, open.transactions.len());
            open.transactions.push(tx.clone());
        }
        let mut waiting = self.waiting.lock();
        if waiting.is_empty() {
            return;
        }
        let Some(first) = open.transactions.first() else { return };
        for tx in group {
            for waiter in waiting.remove(&tx.hash).into_iter().flatten() {
                let (header, first) = (open.header.clone(), first.clone());
                // A waiter that gave up has dropped its receiver.
                let _ = waiter.send(Preconfirmation { tx: tx.clone(), header, first });
            }
        }
    }

    /// Forgets the open block: it was sealed or abandoned. Freeing all of it takes some
    /// milliseconds, which the caller may leave to another thread.
    pub(crate) fn close(&self) -> Closed {
        Closed(self.open.write().take())
    }

    /// Snapshot of the open block.
    pub(crate) fn snapshot(&self) -> Option<PendingBlock> {
        let open = self.open.read();
        let open = open.as_ref()?;
        Some(PendingBlock {
            header: (*open.header).clone(),
            transactions: open.transactions.clone().into(),
            state: open.state.clone(),
        })
    }

    /// State after the last executed transaction.
    pub(crate) fn state(&self) -> Option<StateView> {
        self.open.read().as_ref().map(|open| open.state.clone())
    }

    /// Executed transactions of the open block, deposits left out.
    pub(crate) fn count(&self) -> usize {
        let open = self.open.read();
        let all = open.iter().flat_map(|open| &open.transactions);
        all.filter(|tx| !tx.tx.is_deposit_tx()).count()
    }

    /// Header of the open block and the state that goes with it.
    pub(crate) fn tip(&self) -> Option<(Arc<Header>, StateView)> {
        self.open.read().as_ref().map(|open| (open.header.clone(), open.state.clone()))
    }

    /// Header of the open block.
    pub(crate) fn header(&self) -> Option<Arc<Header>> {
        self.open.read().as_ref().map(|open| open.header.clone())
    }

    /// Timestamp and L1 attributes of the newest block that was opened; OP rules only.
    pub(crate) fn l1_attributes(&self) -> Option<(u64, L1Attributes)> {
        *self.l1_attributes.read()
    }

    /// A transaction of the open block.
    pub(crate) fn transaction(&self, hash: &B256) -> Option<Preconfirmation> {
        let open = self.open.read();
        let open = open.as_ref()?;
        let tx = open.transactions[*open.by_hash.get(hash)?].clone();
        let first = open.transactions.first()?.clone();
        Some(Preconfirmation { tx, header: open.header.clone(), first })
    }

    /// Resolves once the transaction is executed and journaled, at once if it is already.
    pub(crate) fn wait_for(&self, hash: B256) -> oneshot::Receiver<Preconfirmation> {
        let (sender, receiver) = oneshot::channel();
        // Registered first: a transaction published in between is found by the look-up below.
        let mut waiting = self.waiting.lock();
        if waiting.len() >= SWEEP_FROM && waiting.len().is_power_of_two() {
            forget_abandoned(&mut waiting);
        }
        waiting.entry(hash).or_default().push(sender);
        drop(waiting);
        if let Some(found) = self.transaction(&hash) {
            for waiter in self.waiting.lock().remove(&hash).into_iter().flatten() {
                let _ = waiter.send(found.clone());
            }
        }
        receiver
    }

    /// Tells those who wait that the transaction will not come: their receivers close.
    pub(crate) fn give_up(&self, hash: &B256) {
        let mut waiting = self.waiting.lock();
        if !waiting.is_empty() {
            waiting.remove(hash);
        }
    }

    /// Drops waiters whose receivers are gone.
    pub(crate) fn sweep(&self) {
        forget_abandoned(&mut self.waiting.lock());
    }
}

fn forget_abandoned(waiting: &mut Waiting) {
    waiting.retain(|_, waiters| {
        waiters.retain(|waiter| !waiter.is_closed());
        !waiters.is_empty()
    });
}

impl PendingTx {
    pub(crate) fn new(
        pooled: &PoolTransaction,
        index: usize,
        receipt: Receipt,
        gas_used: u64,
        first_log: usize,
    ) -> Self {
        Self {
            tx: pooled.envelope().clone(),
            sender: pooled.sender(),
            hash: pooled.hash(),
            index,
            receipt,
            gas_used,
            first_log,
        }
    }
}
