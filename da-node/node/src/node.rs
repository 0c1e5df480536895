//! The parts of a node put together.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cairn_da_codec::Committer;
use cairn_primitives::da::bls::SecretKey;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use crate::admission::{Admission, Disk, Effect, Event, Limits, Operator, Ticket};
use crate::clock::Clock;
use crate::store::{Identity, Pruned, Result, Store, StoreOptions};

/// Headers pruned in one write.
const PRUNE_STEP: usize = 256;

/// What a node is made of.
#[derive(Debug)]
pub struct NodeConfig {
    /// Directory of the store.
    pub store_dir: PathBuf,
    /// Sizes of the store.
    pub store: StoreOptions,
    /// Who the node is.
    pub operator: Operator,
    /// The secret of the operator's key.
    pub key: SecretKey,
    /// What it takes on.
    pub limits: Limits,
    /// Bytes of disk that are kept free.
    pub disk_reserve: u64,
    /// Its clock.
    pub clock: Clock,
}

/// A node without its servers. Clones share it.
#[derive(Debug, Clone)]
pub struct Node(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    admission: Mutex<Admission>,
    store: Store,
    key: SecretKey,
    clock: Clock,
    disk_reserve: u64,
    tickets: AtomicU64,
    /// Submissions whose rows are checked at the same time.
    checks: Arc<Semaphore>,
}

impl Node {
    /// Opens the store and looks at its disk.
    ///
    /// # Errors
    /// Those of [`Store::open`].
    pub fn open(config: NodeConfig) -> Result<Self> {
        let Operator { domain, address, .. } = config.operator;
        let identity = Identity { domain, operator: address };
        let store = Store::open(&config.store_dir, &config.store, &identity)?;
        let node = Self(Arc::new(Inner {
            admission: Mutex::new(Admission::new(config.operator, config.limits)),
            store,
            key: config.key,
            clock: config.clock,
            disk_reserve: config.disk_reserve,
            tickets: AtomicU64::new(0),
            checks: Arc::new(Semaphore::new(cores())),
        }));
        node.look_at_disk();
        Ok(node)
    }

    /// What the node holds.
    pub fn store(&self) -> &Store {
        &self.0.store
    }

    /// The node's clock.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    pub(crate) fn key(&self) -> &SecretKey {
        &self.0.key
    }

    /// A permit for each check of rows that may run at the same time, as many as there are cores.
    pub fn checks(&self) -> &Arc<Semaphore> {
        &self.0.checks
    }

    pub(crate) fn next_ticket(&self) -> Ticket {
        Ticket(self.0.tickets.fetch_add(1, Ordering::Relaxed))
    }

    /// Reports an event to the admission and returns what is to be done.
    pub fn step(&self, event: Event) -> Option<Effect> {
        let now = self.0.clock.now();
        let mut admission = self.0.admission.lock();
        let effect = admission.step(event, now);
        let (submissions, bytes) = admission.in_flight();
        drop(admission);
        metrics::gauge!("da_submissions_in_flight").set(submissions as f64);
        metrics::gauge!("da_bytes_in_flight").set(bytes as f64);
        effect
    }

    /// Reads the state of the admission.
    pub fn with_admission<T>(&self, read: impl FnOnce(&Admission) -> T) -> T {
        read(&self.0.admission.lock())
    }

    /// Compares the free space of the store's disk with the reserve.
    pub fn look_at_disk(&self) {
        let disk = match nix::sys::statvfs::statvfs(self.0.store.path()) {
            Ok(stat) => {
                let free = stat.blocks_available().saturating_mul(stat.fragment_size());
                metrics::gauge!("da_disk_free_bytes").set(free as f64);
                let wanted = self.0.disk_reserve;
                if free < wanted { Disk::Low { free, wanted } } else { Disk::Free }
            }
            Err(error) => Disk::Full(format!("statvfs: {error}")),
        };
        self.step(Event::Disk(disk));
    }

    /// Builds the tables that rows are checked with. The first check does it otherwise, and takes
    /// long.
    pub fn warm(&self) {
        if let Err(error) = Committer::shared() {
            tracing::error!(target: "da::node", %error, "the codec cannot check rows");
        }
    }

    /// Removes rows that have expired and says of how many headers; forgets the headers of epochs
    /// that are over. Blocks on the disk.
    ///
    /// # Errors
    /// Those of [`Store::prune`].
    pub fn prune(&self) -> Result<usize> {
        let Some(Effect::Prune { before, signable }) = self.step(Event::Tick) else { return Ok(0) };
        let store = &self.0.store;
        let pruned = to_the_end(|| store.prune(before, PRUNE_STEP))?;
        metrics::counter!("da_headers_pruned_total").increment(pruned as u64);
        let forgotten = to_the_end(|| store.forget(before, signable, PRUNE_STEP))?;
        metrics::counter!("da_headers_forgotten_total").increment(forgotten as u64);
        Ok(pruned)
    }
}

/// Repeats a step until nothing remains; says for how many headers.
fn to_the_end(step: impl Fn() -> Result<Pruned>) -> Result<usize> {
    let mut headers = 0;
    loop {
        let pruned = step()?;
        headers += pruned.headers;
        if !pruned.remaining {
            return Ok(headers);
        }
    }
}

/// Cores of this machine. More checks at a time would only hold their bodies for longer, and keep
/// reads from a core.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}
