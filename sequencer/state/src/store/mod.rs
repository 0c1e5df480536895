//! The store: one RocksDB directory, one writer at a time, any number of readers.
//!
//! Every write is described where it is made ([`commit`](Store::commit),
//! [`unwind_to`](Store::unwind_to), [`prune`](Store::prune), [`init_genesis`](Store::init_genesis));
//! the format and what a crash may lose are described in [`crate::schema`].

mod commit;
mod difference;
mod genesis;
mod heads;
mod history;
mod intervals;
mod open;
mod orphans;
mod proof;
mod prune;
mod read;
mod safe_heads;
mod simulate;
mod stats;
mod tries;
mod unwind;
mod verify;
mod views;
mod warm;
mod witness;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use alloy_eips::BlockNumHash;
use parking_lot::{Mutex, RwLock};

use crate::Options;
use crate::cache::Caches;
use crate::error::{Result, StateError};
use crate::schema::Database;
use intervals::Interval;
use tries::TurnedBack;

pub use commit::CommittedBlock;
pub use difference::Difference;
pub use genesis::GenesisState;
pub use heads::Heads;
pub use orphans::ORPHANS_KEPT;
pub use proof::{AccountProof, StorageProof};
pub use prune::{PruneBound, PruneProgress};
pub use read::TransactionLocation;
pub use safe_heads::SafeHeadEntry;
pub use stats::{ColumnStats, StoreStats};
pub use verify::{VerifyProgress, VerifyReport};
pub use witness::TouchedAccount;

/// The store of a node. Cheap to clone; all clones are the same store.
#[derive(Debug, Clone)]
pub struct Store(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    options: Options,
    db: Database,
    /// Held by whoever writes state: commit, unwind, prune, genesis. The interval of the next
    /// commit, if it is known.
    writer: Mutex<Option<Interval>>,
    /// Held while later blocks are turned back, one reader at a time.
    turned_back: Mutex<TurnedBack>,
    /// `None` until genesis. Held for writing while an unwind runs, so that no view is made of a
    /// half-unwound state, and for a moment at the end of a commit.
    tip: RwLock<Option<Tip>>,
    /// The tip is at most here. Raised before a commit begins.
    bound: AtomicU64,
    /// Raised before an unwind begins.
    epoch: AtomicU64,
    /// First block whose state can be read. Raised before pruning deletes.
    state_floor: AtomicU64,
    /// First block whose body can be read, but for genesis.
    block_floor: AtomicU64,
}

/// What the store holds, as views see it.
#[derive(Debug, Clone)]
struct Tip {
    block: BlockNumHash,
    genesis: BlockNumHash,
    caches: Arc<Caches>,
}

impl Store {
    pub(crate) fn db(&self) -> &Database {
        &self.0.db
    }

    pub(crate) fn tip_bound(&self) -> u64 {
        self.0.bound.load(Ordering::SeqCst)
    }

    pub(crate) fn epoch(&self) -> u64 {
        self.0.epoch.load(Ordering::SeqCst)
    }

    fn state_floor(&self) -> u64 {
        self.0.state_floor.load(Ordering::SeqCst)
    }

    fn block_floor(&self) -> u64 {
        self.0.block_floor.load(Ordering::SeqCst)
    }

    fn published(&self) -> Result<Tip> {
        self.0.tip.read().clone().ok_or(StateError::Genesis("the store has no genesis block yet"))
    }

    /// Makes every view so far answer [`StateError::Unavailable`]. To be called before blocks that
    /// were never committed are given up: views that hold their layers must not read on once other
    /// blocks have taken their numbers.
    pub fn invalidate_views(&self) {
        self.0.epoch.fetch_add(1, Ordering::SeqCst);
    }

    /// Number and hash of the last committed block.
    pub fn tip(&self) -> Result<BlockNumHash> {
        Ok(self.published()?.block)
    }

    /// The genesis block, `None` before [`Self::init_genesis`].
    pub fn genesis(&self) -> Option<BlockNumHash> {
        self.0.tip.read().as_ref().map(|tip| tip.genesis)
    }

    /// Options that the store was opened with.
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// Directory of the store.
    pub fn path(&self) -> &std::path::Path {
        &self.0.path
    }

    pub(crate) fn check_state_floor(&self, block: u64) -> Result<()> {
        if self.state_floor() > block {
            return Err(StateError::Unavailable { block, reason: "it has been pruned" });
        }
        Ok(())
    }
}
