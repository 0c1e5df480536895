//! The shared handle of the chain: what everyone reads, and the few who write.

use std::sync::Arc;
use std::time::Duration;

use alloy_eips::BlockNumHash;
use alloy_primitives::B256;
use cairn_evm::EvmConfig;
use cairn_primitives::{ChainSpec, Header, Receipt, RecoveredBlock};
use cairn_state::{StateError, StateView, Store};
use parking_lot::{Mutex, RwLock};
use tokio::sync::{broadcast, oneshot};

use crate::error::ChainError;
use crate::events::{ChainEvent, ChainEvents, HeadWaker};
use crate::head_log::HeadLog;
use crate::header::TimestampRule;
use crate::heads::{Head, Heads};
use crate::import::SideBlocks;
use crate::pending::{PendingBlock, PendingState, Preconfirmation};
use crate::persistence::Persistence;
use crate::recent::RecentBlocks;
use crate::{BlockRef, ExecutedBlock, Retention, TxPosition};

/// Limits of a chain.
#[derive(Debug, Clone)]
pub struct ChainOptions {
    /// Unpersisted blocks at which writers wait for the disk.
    pub unpersisted_max: usize,
    /// Blocks that one write to the store may hold.
    pub persist_batch: usize,
    /// How long to wait between attempts while the disk is full.
    pub disk_full_retry: Duration,
    /// Whether timestamps may repeat (several blocks a second).
    pub timestamps: TimestampRule,
    /// What must not be pruned; without it the options of the store alone decide.
    pub retention: Option<Arc<dyn Retention>>,
}

impl Default for ChainOptions {
    fn default() -> Self {
        Self {
            unpersisted_max: 16,
            persist_batch: 8,
            disk_full_retry: Duration::from_millis(500),
            timestamps: TimestampRule::Increasing,
            retention: None,
        }
    }
}

/// The chain of a node. Clones share it.
#[derive(Debug, Clone)]
pub struct Chain {
    pub(crate) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) store: Store,
    pub(crate) evm: EvmConfig,
    pub(crate) options: ChainOptions,
    pub(crate) recent: RwLock<RecentBlocks>,
    pub(crate) heads: RwLock<Heads>,
    pub(crate) pending: PendingState,
    pub(crate) events: ChainEvents,
    pub(crate) persistence: Persistence,
    /// Blocks that an unwind removed, for the sequencer to put their transactions back.
    pub(crate) orphans: Mutex<Vec<RecoveredBlock>>,
    /// Held by whoever appends or removes blocks.
    pub(crate) writer: Mutex<SideBlocks>,
    pub(crate) head_log: Mutex<HeadLog>,
    pub(crate) head_waker: HeadWaker,
    genesis: BlockNumHash,
}

impl Chain {
    /// Opens the chain of an initialised store and starts its persistence thread.
    pub fn open(store: Store, evm: EvmConfig, options: ChainOptions) -> Result<Self, ChainError> {
        let tip = store.tip()?;
        let stored = store.heads()?;
        let genesis = store.genesis().unwrap_or(tip);
        let orphans = store.orphans()?;
        let last_entry = store.safe_head_at_l1(u64::MAX)?;
        // The heads may be ahead of blocks that a crash took before the store had them.
        let at_most_tip = |head: BlockNumHash| if head.number > tip.number { tip } else { head };
        let heads = Heads {
            unsafe_head: tip,
            safe: at_most_tip(stored.safe),
            finalized: at_most_tip(stored.finalized),
        };
        let inner = Arc::new(Inner {
            store,
            evm,
            options,
            recent: RwLock::new(RecentBlocks::new(tip.number)),
            heads: RwLock::new(heads),
            pending: PendingState::default(),
            events: ChainEvents::default(),
            persistence: Persistence::default(),
            orphans: Mutex::new(orphans),
            writer: Mutex::new(SideBlocks::default()),
            head_log: Mutex::new(HeadLog::new(stored, last_entry)),
            head_waker: HeadWaker::default(),
            genesis,
        });
        crate::persistence::start(&inner)?;
        Ok(Self { inner })
    }

    /// The chain's specification.
    pub fn spec(&self) -> &Arc<ChainSpec> {
        self.inner.evm.spec()
    }

    /// The EVM of the chain.
    pub fn evm(&self) -> &EvmConfig {
        &self.inner.evm
    }

    /// The store. Recent blocks may not be in it yet: read blocks through the chain.
    pub fn store(&self) -> &Store {
        &self.inner.store
    }

    /// Number and hash of the genesis block.
    pub fn genesis(&self) -> BlockNumHash {
        self.inner.genesis
    }

    /// The three heads.
    pub fn heads(&self) -> Heads {
        *self.inner.heads.read()
    }

    /// Changes of the canonical chain from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<ChainEvent> {
        self.inner.events.subscribe()
    }

    /// Number and hash of a block, `None` where the chain has none. A hash may name a canonical
    /// block only.
    pub fn resolve(&self, block: BlockRef) -> Result<Option<BlockNumHash>, ChainError> {
        let heads = self.heads();
        Ok(match block {
            BlockRef::Latest => Some(heads.unsafe_head),
            BlockRef::Safe => Some(heads.safe),
            BlockRef::Finalized => Some(heads.finalized),
            BlockRef::Earliest => Some(self.inner.genesis),
            BlockRef::Number(number) => self.hash_of(number)?.map(|hash| (number, hash).into()),
            BlockRef::Hash(hash) => self.number_of(hash)?.map(|number| (number, hash).into()),
        })
    }

    /// Hash of the canonical block with that number.
    pub fn hash_of(&self, number: u64) -> Result<Option<B256>, ChainError> {
        if let Some(block) = self.inner.recent.read().by_number(number) {
            return Ok(Some(block.block.hash()));
        }
        Ok(self.inner.store.canonical_hash(number)?)
    }

    /// Number of the canonical block with that hash.
    pub fn number_of(&self, hash: B256) -> Result<Option<u64>, ChainError> {
        if let Some(block) = self.inner.recent.read().by_hash(&hash) {
            return Ok(Some(block.block.number()));
        }
        Ok(self.inner.store.number_of(hash)?)
    }

    /// An executed block that is still in memory: one of the newest 32, or not persisted yet.
    pub fn recent(&self, hash: B256) -> Option<ExecutedBlock> {
        self.inner.recent.read().by_hash(&hash).cloned()
    }

    /// Header with its hash.
    pub fn header(&self, block: BlockRef) -> Result<Option<(B256, Header)>, ChainError> {
        let Some(at) = self.resolve(block)? else { return Ok(None) };
        if let Some(block) = self.inner.recent.read().by_hash(&at.hash) {
            return Ok(Some((at.hash, block.block.header().clone())));
        }
        Ok(self.inner.store.header(at.number)?.map(|header| (at.hash, header)))
    }

    /// Block with senders.
    pub fn block(&self, block: BlockRef) -> Result<Option<RecoveredBlock>, ChainError> {
        let Some(at) = self.resolve(block)? else { return Ok(None) };
        if let Some(block) = self.inner.recent.read().by_hash(&at.hash) {
            return Ok(Some(block.block.clone()));
        }
        Ok(self.inner.store.block(at.number)?)
    }

    /// Receipts of a block, one for each transaction.
    pub fn receipts(&self, block: BlockRef) -> Result<Option<Arc<Vec<Receipt>>>, ChainError> {
        let Some(at) = self.resolve(block)? else { return Ok(None) };
        if let Some(block) = self.inner.recent.read().by_hash(&at.hash) {
            return Ok(Some(block.receipts.clone()));
        }
        Ok(self.inner.store.receipts(at.number)?.map(Arc::new))
    }

    /// Where a transaction of a sealed block stands.
    pub fn transaction(&self, hash: B256) -> Result<Option<TxPosition>, ChainError> {
        if let Some((block, index)) = self.inner.recent.read().transaction(&hash) {
            return Ok(Some(TxPosition { block: block.block.clone(), index }));
        }
        let Some(at) = self.inner.store.transaction_location(hash)? else { return Ok(None) };
        let block = self.block(BlockRef::Number(at.block))?;
        let index = at.index as usize;
        Ok(block.map(|block| TxPosition { block, index }))
    }

    /// State after the block. Unsealed transactions are not in it: see [`Self::pending`].
    pub fn state_at(&self, block: BlockRef) -> Result<Option<StateView>, ChainError> {
        let Some(at) = self.resolve(block)? else { return Ok(None) };
        Ok(Some(self.state_at_number(at.number)?))
    }

    /// State after the newest block.
    pub fn latest_state(&self) -> Result<StateView, ChainError> {
        let head = self.heads().unsafe_head;
        self.state_at_number(head.number)
    }

    /// State after the last executed transaction of the open block, or after the newest block when
    /// no block is open.
    pub fn pending_state(&self) -> Result<StateView, ChainError> {
        match self.inner.pending.state() {
            Some(state) => Ok(state),
            None => self.latest_state(),
        }
    }

    /// Snapshot of the open block, `None` while no block is being built.
    pub fn pending(&self) -> Option<PendingBlock> {
        self.inner.pending.snapshot()
    }

    /// Number of transactions that the open block has executed, deposits left out.
    pub fn pending_count(&self) -> usize {
        self.inner.pending.count()
    }

    /// Header of the open block and the state after its last transaction, without the list of
    /// transactions that [`Self::pending`] copies.
    pub fn pending_tip(&self) -> Option<(Arc<Header>, StateView)> {
        self.inner.pending.tip()
    }

    /// Header of the open block, without its transactions.
    pub fn pending_header(&self) -> Option<Arc<Header>> {
        self.inner.pending.header()
    }

    /// A transaction that the open block has executed.
    pub fn preconfirmed(&self, hash: &B256) -> Option<Preconfirmation> {
        self.inner.pending.transaction(hash)
    }

    /// Resolves when the transaction has been executed and journaled; the receiver closes when it
    /// was dropped instead.
    pub fn wait_for(&self, hash: B256) -> oneshot::Receiver<Preconfirmation> {
        self.inner.pending.wait_for(hash)
    }

    /// Moves the safe or the finalized head and stores it. Neither moves behind the other, nor ahead
    /// of the unsafe head. [`Self::advance_heads`] is for derivation, which moves them often.
    pub fn set_head(&self, head: Head, block: B256) -> Result<(), ChainError> {
        let _writer = self.inner.writer.lock();
        let number = self.number_of(block)?.ok_or(ChainError::UnknownBlock(block))?;
        let at = BlockNumHash { number, hash: block };
        let mut heads = self.inner.heads.write();
        match head {
            Head::Safe if number >= heads.finalized.number => heads.safe = at,
            Head::Finalized if number <= heads.safe.number => heads.finalized = at,
            _ => return Err(ChainError::HeadOrder { head, number }),
        }
        drop(heads);
        let _gate = self.inner.persistence.pause();
        Ok(self.inner.write_heads()?)
    }

    pub(crate) fn state_at_number(&self, number: u64) -> Result<StateView, ChainError> {
        loop {
            let store = &self.inner.store;
            if number <= store.tip()?.number {
                return Ok(store.view_at(number)?);
            }
            let layers: Vec<_> = {
                let recent = self.inner.recent.read();
                let blocks = recent.unpersisted().rev();
                blocks.filter(|b| b.block.number() <= number).map(|b| b.layer.clone()).collect()
            };
            if layers.is_empty() {
                if number <= store.tip()?.number {
                    // Persisted after the first look at the store.
                    continue;
                }
                return Err(ChainError::UnknownNumber(number));
            }
            match store.view(layers) {
                // The store has moved beyond the block in between, and has it now.
                Err(StateError::NotOnTip { .. }) if number <= store.tip()?.number => {}
                view => return Ok(view?),
            }
        }
    }
}
