//! Import of blocks built elsewhere, with full validation, and reorganisation of the chain.
//!
//! Blocks execute only on the tip. A block on another fork is kept unexecuted until its fork is
//! longer than the canonical chain; then the chain is unwound to the common ancestor and the fork
//! executed in order. If a block of the fork is invalid, the old chain is put back.

use std::collections::VecDeque;

use alloy_primitives::B256;
use alloy_primitives::map::B256Map;
use cairn_primitives::{Block, Header, RecoverError, RecoveredBlock};
use cairn_state::ORPHANS_KEPT;
use rayon::prelude::*;

use crate::chain::Chain;
use crate::error::{ChainError, ImportError};
use crate::events::ChainEvent;
use crate::execute::{Execution, check_body, execute_block};
use crate::header::validate_header;
use crate::{BlockRef, ExecutedBlock};

/// Blocks of forks that are kept; beyond, the oldest is forgotten.
const SIDE_BLOCKS_MAX: usize = 256;

/// Transactions that one task of the pool recovers: half a millisecond of work, or some of them where
/// the processor has no lanes for it.
pub(crate) const RECOVERY_CHUNK: usize = 64;

/// What became of an imported block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Imported {
    /// It is the new unsafe head.
    Head,
    /// The chain has it already.
    Known,
    /// It belongs to a fork that is not longer than the chain.
    Side,
}

/// Unexecuted blocks of forks.
#[derive(Debug, Default)]
pub(crate) struct SideBlocks {
    blocks: B256Map<RecoveredBlock>,
    order: VecDeque<B256>,
}

impl SideBlocks {
    fn insert(&mut self, block: RecoveredBlock) {
        let hash = block.hash();
        if self.blocks.insert(hash, block).is_none() {
            self.order.push_back(hash);
        }
        while self.order.len() > SIDE_BLOCKS_MAX {
            if let Some(oldest) = self.order.pop_front() {
                self.blocks.remove(&oldest);
            }
        }
    }

    fn get(&self, hash: &B256) -> Option<&RecoveredBlock> {
        self.blocks.get(hash)
    }
}

/// Recovers all senders of a block, in parallel when there are many.
pub fn recover_senders(block: Block) -> Result<RecoveredBlock, RecoverError> {
    if block.body.transactions.len() <= RECOVERY_CHUNK {
        return RecoveredBlock::recover(block);
    }
    let chunks = block.body.transactions.par_chunks(RECOVERY_CHUNK);
    let chunks: Vec<_> = chunks.map(cairn_primitives::recover_senders).collect();
    let senders = (0..)
        .zip(chunks.into_iter().flatten())
        .map(|(index, sender)| sender.map_err(|_| RecoverError { index }))
        .collect::<Result<_, _>>()?;
    Ok(RecoveredBlock::new(block, senders))
}

impl Chain {
    /// Validates a block, executes it if it extends the chain, and makes it the unsafe head.
    pub fn import(&self, block: Block) -> Result<Imported, ImportError> {
        self.import_recovered(recover_senders(block)?)
    }

    /// [`Self::import`] for a block whose senders are known.
    pub fn import_recovered(&self, block: RecoveredBlock) -> Result<Imported, ImportError> {
        self.wait_for_room()?;
        let mut side = self.inner.writer.lock();
        if self.number_of(block.hash())?.is_some() {
            return Ok(Imported::Known);
        }
        let head = self.heads().unsafe_head;
        if block.header().parent_hash == head.hash {
            let executed = self.execute(&block)?;
            self.append(executed.clone());
            self.inner.events.send(ChainEvent::Extended([executed].into()));
            return Ok(Imported::Head);
        }
        let parent = self.known_header(&side, block.header().parent_hash)?;
        let parent = parent.ok_or(ImportError::UnknownParent {
            number: block.number(),
            parent: block.header().parent_hash,
        })?;
        validate_header(self.spec(), block.header(), &parent, self.inner.options.timestamps)?;
        side.insert(block.clone());
        if block.number() <= head.number {
            return Ok(Imported::Side);
        }
        self.switch_to(&mut side, block)?;
        Ok(Imported::Head)
    }

    /// Removes all blocks above `number` from the chain. Finalized blocks stay.
    pub fn unwind_to(&self, number: u64) -> Result<(), ImportError> {
        let _side = self.inner.writer.lock();
        let removed = self.unwind(number)?;
        let event = ChainEvent::Reorged { removed: removed.into(), added: [].into() };
        self.inner.events.send(event);
        Ok(())
    }

    /// Executes a block on the tip and compares everything that its header claims.
    fn execute(&self, block: &RecoveredBlock) -> Result<ExecutedBlock, ImportError> {
        let number = block.number();
        let head = BlockRef::Hash(block.header().parent_hash);
        let (_, parent) = self
            .header(head)?
            .ok_or(ImportError::UnknownParent { number, parent: block.header().parent_hash })?;
        validate_header(self.spec(), block.header(), &parent, self.inner.options.timestamps)?;
        let encoded = check_body(block, self.spec())?;
        let parent_state = self.state_at_number(parent.number)?;
        let outcome = execute_block(self.evm(), block, &encoded, &parent_state)
            .map_err(|source| ImportError::Execution { number, source })?;
        let execution =
            Execution::new(self.spec(), block.header().timestamp, outcome, &parent_state)?;
        execution.check(block, self.spec())?;
        Ok(execution.into_executed(block.clone()))
    }

    /// Makes an executed block the unsafe head. The caller holds the writer lock and tells the
    /// subscribers.
    pub(crate) fn append(&self, block: ExecutedBlock) {
        let at = block.block.num_hash();
        metrics::gauge!("cairn_chain_unsafe_block").set(at.number as f64);
        self.inner.recent.write().push(block);
        self.inner.heads.write().unsafe_head = at;
        self.inner.persistence.wake();
    }

    /// Removes all blocks above `number`; gives back those that were in memory, newest first. The
    /// caller holds the writer lock.
    pub(crate) fn unwind(&self, number: u64) -> Result<Vec<ExecutedBlock>, ImportError> {
        let heads = self.heads();
        if number < heads.finalized.number {
            return Err(ImportError::BelowFinalized { number, finalized: heads.finalized.number });
        }
        let hash = self.hash_of(number)?.ok_or(ChainError::UnknownNumber(number))?;
        let at = (number, hash).into();
        self.keep_orphans(number, heads.unsafe_head.number)?;
        let _paused = self.inner.persistence.pause();
        // Views of the blocks that go must not read on once others have taken their numbers.
        self.inner.store.invalidate_views();
        let unwound = if number < self.persisted_block() {
            self.inner.store.unwind_to(number).map(|_| at)
        } else {
            Ok(at)
        };
        // A failed unwind leaves the store at some block in between; the chain follows it there.
        let at = match &unwound {
            Ok(at) => *at,
            Err(_) => self.inner.store.tip().map_err(ChainError::from)?,
        };
        let removed = self.inner.recent.write().truncate(at.number);
        let lowered = {
            let mut heads = self.inner.heads.write();
            heads.unsafe_head = at;
            let lowered = heads.safe.number > at.number;
            if lowered {
                heads.safe = at;
            }
            lowered
        };
        let cut = self.inner.head_log.lock().cut(&self.inner.store, at.number);
        self.inner.head_waker.wake();
        let result = unwound.map(drop).and(cut).and_then(|()| match lowered {
            true => self.inner.write_heads(),
            false => Ok(()),
        });
        if let Err(error) = result {
            // The caller has nothing to tell then, and what is gone is gone.
            let event = ChainEvent::Reorged { removed: removed.into(), added: [].into() };
            self.inner.events.send(event);
            return Err(ChainError::from(error).into());
        }
        Ok(removed)
    }

    /// Keeps the blocks that an unwind is about to remove, the newest ones if there are many, so
    /// that their transactions are not lost.
    fn keep_orphans(&self, target: u64, head: u64) -> Result<(), ChainError> {
        let most = u64::try_from(ORPHANS_KEPT).unwrap_or(u64::MAX);
        let first = target.max(head.saturating_sub(most)).saturating_add(1);
        let mut blocks = Vec::new();
        for number in first..=head {
            blocks.extend(self.block(BlockRef::Number(number))?);
        }
        let mut orphans = self.inner.orphans.lock();
        orphans.extend(blocks);
        let excess = orphans.len().saturating_sub(ORPHANS_KEPT);
        orphans.drain(..excess);
        Ok(())
    }

    /// Replaces the canonical chain by the fork that ends in `tip`.
    fn switch_to(&self, side: &mut SideBlocks, tip: RecoveredBlock) -> Result<(), ImportError> {
        let (number, heads) = (tip.number(), self.heads());
        let (ancestor, fork) = self.path_to(side, tip)?;
        if ancestor < heads.safe.number && ancestor >= heads.finalized.number {
            return Err(ImportError::BelowSafe { number, safe: heads.safe.number });
        }
        let mut old = Vec::new();
        for number in ancestor + 1..=heads.unsafe_head.number {
            old.extend(self.block(BlockRef::Number(number))?);
        }
        let orphaned_before = self.inner.orphans.lock().len();
        let removed = self.unwind(ancestor)?;
        let mut added = Vec::with_capacity(fork.len());
        for block in &fork {
            match self.execute(block) {
                Ok(executed) => {
                    self.append(executed.clone());
                    added.push(executed);
                }
                Err(error) => {
                    side.blocks.remove(&block.hash());
                    self.unwind(ancestor)?;
                    for block in &old {
                        let executed = self.execute(block)?;
                        self.append(executed);
                    }
                    // Everything is as it was: no head has moved, no transaction is orphaned.
                    self.inner.heads.write().safe = heads.safe;
                    self.inner.orphans.lock().truncate(orphaned_before);
                    let back = old.iter().map(RecoveredBlock::num_hash);
                    let added = added.iter().map(|block| block.block.num_hash());
                    self.inner.store.forget_orphans(back.chain(added)).map_err(ChainError::from)?;
                    return Err(error);
                }
            }
        }
        for block in old {
            side.insert(block);
        }
        let event = ChainEvent::Reorged { removed: removed.into(), added: added.into() };
        self.inner.events.send(event);
        Ok(())
    }

    /// Number of the newest canonical ancestor, and the blocks from there to `tip`, oldest first.
    fn path_to(
        &self,
        side: &SideBlocks,
        tip: RecoveredBlock,
    ) -> Result<(u64, Vec<RecoveredBlock>), ImportError> {
        let mut fork = vec![tip];
        loop {
            let first = &fork[fork.len() - 1];
            let parent = first.header().parent_hash;
            if let Some(number) = self.number_of(parent)? {
                fork.reverse();
                return Ok((number, fork));
            }
            let number = first.number();
            let block = side.get(&parent).ok_or(ImportError::UnknownParent { number, parent })?;
            fork.push(block.clone());
        }
    }

    fn known_header(&self, side: &SideBlocks, hash: B256) -> Result<Option<Header>, ChainError> {
        if let Some(block) = side.get(&hash) {
            return Ok(Some(block.header().clone()));
        }
        Ok(self.header(BlockRef::Hash(hash))?.map(|(_, header)| header))
    }
}
