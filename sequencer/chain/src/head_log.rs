//! Safe and finalized heads as derivation moves them, and the safe-head index.
//!
//! Derivation moves the heads with every block, hundreds of times a second while it catches up. They
//! move in memory at once; the persistence thread stores them, with the new entries of the index, in
//! one synced write now and then, never ahead of the blocks that the store has. A crash loses the
//! newest moves, and derivation makes them again; nothing that is stored is ever wrong.

use std::time::{Duration, Instant};

use alloy_eips::BlockNumHash;
use alloy_primitives::B256;
use cairn_state::{SafeHeadEntry, StateError, Store};

use crate::chain::Inner;
use crate::error::ChainError;
use crate::{BlockRef, Chain, Head, Heads};

/// How long moved heads wait for their write while blocks are written all the time.
const WRITE_DUE: Duration = Duration::from_secs(1);

/// What derivation has established.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HeadUpdate {
    /// The newest block that follows from L1.
    pub safe: Option<B256>,
    /// The L1 block that it followed from: the newest one that had been read.
    pub derived_from: Option<BlockNumHash>,
    /// The newest block that follows from finalized L1 blocks.
    pub finalized: Option<B256>,
}

/// What is not stored yet.
#[derive(Debug)]
pub(crate) struct HeadLog {
    stored: cairn_state::Heads,
    stored_at: Instant,
    /// Newest entry of the index, stored or not.
    last: Option<SafeHeadEntry>,
    /// Entries that are not stored, oldest first.
    entries: Vec<SafeHeadEntry>,
}

impl HeadLog {
    pub(crate) fn new(stored: cairn_state::Heads, last: Option<SafeHeadEntry>) -> Self {
        Self { stored, stored_at: Instant::now(), last, entries: Vec::new() }
    }

    /// Notes that `entry.safe` followed from `entry.l1`.
    fn note(&mut self, entry: SafeHeadEntry) -> Result<(), ChainError> {
        let Some(last) = self.last else {
            self.last = Some(entry);
            self.entries.push(entry);
            return Ok(());
        };
        if entry.safe.number <= last.safe.number {
            // Known already: derivation reads again from before the newest entry.
            return Ok(());
        }
        let same = entry.l1 == last.l1;
        if !same && entry.l1.number <= last.l1.number {
            return Err(ChainError::L1Reorganised { got: entry.l1, indexed: last.l1 });
        }
        if same && self.entries.last().is_some_and(|newest| newest.l1 == entry.l1) {
            self.entries.pop();
        }
        self.last = Some(entry);
        self.entries.push(entry);
        Ok(())
    }

    /// Forgets entries of blocks above `number`. The store has forgotten its own.
    pub(crate) fn cut(&mut self, store: &Store, number: u64) -> Result<(), StateError> {
        self.retain(store, |entry| entry.safe.number <= number)
    }

    fn retain(
        &mut self,
        store: &Store,
        keep: impl Fn(&SafeHeadEntry) -> bool,
    ) -> Result<(), StateError> {
        self.entries.retain(keep);
        self.last = match self.entries.last() {
            Some(newest) => Some(*newest),
            None => store.safe_head_at_l1(u64::MAX)?,
        };
        Ok(())
    }
}

impl Inner {
    /// Stores heads and entries, as far as the store has their blocks. The caller keeps blocks
    /// where they are ([`Persistence::pause`](crate::persistence::Persistence::pause)).
    pub(crate) fn write_heads(&self) -> Result<(), StateError> {
        let heads = self.storable_heads()?;
        let (entries, stored) = {
            let log = self.head_log.lock();
            let ready = log.entries.iter().take_while(|e| e.safe.number <= heads.latest.number);
            (ready.copied().collect::<Vec<_>>(), log.stored)
        };
        let moved = heads.safe != stored.safe || heads.finalized != stored.finalized;
        if !moved && entries.is_empty() {
            return Ok(());
        }
        self.store.advance_heads(heads, &entries)?;
        let mut log = self.head_log.lock();
        log.stored = heads;
        log.stored_at = Instant::now();
        log.entries.retain(|entry| !entries.contains(entry));
        Ok(())
    }

    /// [`Self::write_heads`], if the last write is a while ago.
    pub(crate) fn write_due_heads(&self) -> Result<(), StateError> {
        if self.head_log.lock().stored_at.elapsed() < WRITE_DUE {
            return Ok(());
        }
        self.write_heads()
    }

    /// The heads, none of them ahead of the store.
    fn storable_heads(&self) -> Result<cairn_state::Heads, StateError> {
        let tip = self.store.tip()?;
        let heads = *self.heads.read();
        let at_most_tip = |head: BlockNumHash| if head.number > tip.number { tip } else { head };
        let [safe, finalized] = [heads.safe, heads.finalized].map(at_most_tip);
        Ok(cairn_state::Heads { latest: tip, safe, finalized })
    }
}

impl Chain {
    /// Moves the safe and the finalized head forward. What they are at or ahead of already is passed
    /// over. Costs no write: see the module's documentation for when they are stored.
    ///
    /// # Errors
    /// [`ChainError::UnknownBlock`] for a block that is not canonical, [`ChainError::HeadOrder`] for
    /// a finalized block that is not safe, [`ChainError::L1Reorganised`] for an L1 block on another
    /// fork than those before: call [`Self::reset_heads`] first. Nothing has moved then.
    pub fn advance_heads(&self, update: &HeadUpdate) -> Result<Heads, ChainError> {
        let _writer = self.inner.writer.lock();
        let canonical = |hash: Option<B256>| -> Result<Option<BlockNumHash>, ChainError> {
            let Some(hash) = hash else { return Ok(None) };
            let at = self.resolve(BlockRef::Hash(hash))?.ok_or(ChainError::UnknownBlock(hash))?;
            Ok(Some(at))
        };
        let (safe, finalized) = (canonical(update.safe)?, canonical(update.finalized)?);
        let mut heads = self.heads();
        if let Some(safe) = safe.filter(|safe| safe.number > heads.safe.number) {
            heads.safe = safe;
        }
        if let Some(finalized) = finalized.filter(|at| at.number > heads.finalized.number) {
            if finalized.number > heads.safe.number {
                let number = finalized.number;
                return Err(ChainError::HeadOrder { head: Head::Finalized, number });
            }
            heads.finalized = finalized;
        }
        if let (Some(safe), Some(l1)) = (safe, update.derived_from) {
            self.inner.head_log.lock().note(SafeHeadEntry { l1, safe })?;
        }
        *self.inner.heads.write() = heads;
        metrics::gauge!("cairn_chain_safe_block").set(heads.safe.number as f64);
        metrics::gauge!("cairn_chain_finalized_block").set(heads.finalized.number as f64);
        Ok(heads)
    }

    /// Sets the safe head to a block that may be behind it, and forgets what the safe-head index has
    /// of L1 blocks above `l1`: derivation starts anew after a reorganisation of L1. Durable when it
    /// returns. Unsafe blocks stay: unwind those whose origin is gone ([`Self::unwind_to`]).
    ///
    /// # Errors
    /// [`ChainError::HeadOrder`] for a block behind the finalized head, [`ChainError::UnknownBlock`]
    /// for one that is not canonical. Nothing has changed then.
    pub fn reset_heads(&self, safe: B256, l1: u64) -> Result<Heads, ChainError> {
        let _writer = self.inner.writer.lock();
        let number = self.number_of(safe)?.ok_or(ChainError::UnknownBlock(safe))?;
        if number < self.heads().finalized.number {
            return Err(ChainError::HeadOrder { head: Head::Safe, number });
        }
        let _gate = self.inner.persistence.pause();
        let before = std::mem::replace(
            &mut self.inner.heads.write().safe,
            BlockNumHash { number, hash: safe },
        );
        let stored = self.inner.storable_heads()?;
        if let Err(error) = self.inner.store.reset_heads(stored, l1) {
            self.inner.heads.write().safe = before;
            return Err(error.into());
        }
        let mut log = self.inner.head_log.lock();
        log.stored = stored;
        log.retain(&self.inner.store, |entry| entry.l1.number <= l1)?;
        Ok(self.heads())
    }

    /// The safe head as of an L1 block: the entry of the newest L1 block not above `l1`. `None` where
    /// the index does not reach back so far.
    pub fn safe_head_at_l1(&self, l1: u64) -> Result<Option<SafeHeadEntry>, ChainError> {
        let newest = {
            let log = self.inner.head_log.lock();
            log.entries.iter().rev().find(|entry| entry.l1.number <= l1).copied()
        };
        match newest {
            Some(entry) => Ok(Some(entry)),
            None => Ok(self.inner.store.safe_head_at_l1(l1)?),
        }
    }
}
