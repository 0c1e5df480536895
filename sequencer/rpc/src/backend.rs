//! What every method works with: chain, pool, settings, and the threads for slow work.

use std::sync::Arc;

use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::B256;
use cairn_chain::{BlockRef, Chain, Sequencer};
use cairn_pool::{Recovery, SharedPool};
use cairn_primitives::{ChainSpec, Header};
use cairn_rollup::RollupHandle;
use cairn_state::StateView;

use crate::blocking::BlockingPool;
use crate::eth::GasPriceCache;
use crate::logs::Filters;
use crate::rollup::SequencerEndpoint;
use crate::{RpcConfig, RpcError};

/// Everything that methods need. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Backend {
    /// The chain.
    pub chain: Chain,
    /// The transaction pool.
    pub pool: SharedPool,
    /// Where raw transactions are submitted.
    pub recovery: Arc<Recovery>,
    /// Settings.
    pub config: Arc<RpcConfig>,
    /// The rollup that the chain is, if it is one.
    pub(crate) rollup: Option<RollupHandle>,
    /// The sequencer of this node.
    pub(crate) sequencer: Option<Sequencer>,
    /// Where transactions go that this node does not include itself.
    pub(crate) upstream: Option<SequencerEndpoint>,
    /// Installed filters.
    pub(crate) filters: Arc<Filters>,
    pub(crate) gas_price: Arc<GasPriceCache>,
    reading: BlockingPool,
    scanning: BlockingPool,
    executing: BlockingPool,
}

/// A block with the state after it.
#[derive(Debug, Clone)]
pub struct StateAt {
    /// Header of the block; of the open block it lacks roots, bloom and hash.
    pub header: Header,
    /// Hash of the block, `None` for the open block.
    pub hash: Option<B256>,
    /// State after its last transaction.
    pub state: StateView,
}

impl Backend {
    /// Joins the parts.
    pub fn new(chain: Chain, pool: SharedPool, recovery: Arc<Recovery>, config: RpcConfig) -> Self {
        let limits = &config.limits;
        let (threads, waiting) = (limits.read_threads, limits.waiting_calls);
        let reading = BlockingPool::new("reading", threads, waiting);
        let scanning = BlockingPool::new("scanning", limits.scan_threads, waiting);
        let executing = BlockingPool::new("executing", limits.execution_threads, waiting);
        let filters = Arc::new(Filters::new(&config.methods));
        let config = Arc::new(config);
        let gas_price = Arc::default();
        Self {
            chain,
            pool,
            recovery,
            config,
            rollup: None,
            sequencer: None,
            upstream: None,
            filters,
            gas_price,
            reading,
            scanning,
            executing,
        }
    }

    /// Serves the `optimism` methods of a rollup.
    #[must_use]
    pub fn with_rollup(self, rollup: RollupHandle) -> Self {
        Self { rollup: Some(rollup), ..self }
    }

    /// Lets operators start and stop the sequencer, on loopback ports that name `admin`.
    #[must_use]
    pub fn with_sequencer(self, sequencer: Sequencer) -> Self {
        Self { sequencer: Some(sequencer), ..self }
    }

    /// Passes submitted transactions on to the sequencer instead of pooling them.
    #[must_use]
    pub fn with_upstream(self, upstream: SequencerEndpoint) -> Self {
        Self { upstream: Some(upstream), ..self }
    }

    /// The chain's specification.
    pub fn spec(&self) -> &Arc<ChainSpec> {
        self.chain.spec()
    }

    /// Runs work that may read from the disk.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, RpcError> + Send + 'static,
    ) -> Result<T, RpcError> {
        self.reading.run(work).await
    }

    /// Runs work that reads many blocks.
    pub(crate) async fn scan<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, RpcError> + Send + 'static,
    ) -> Result<T, RpcError> {
        self.scanning.run(work).await
    }

    /// Runs work that executes transactions.
    pub async fn execute<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, RpcError> + Send + 'static,
    ) -> Result<T, RpcError> {
        self.executing.run(work).await
    }

    /// Header and state of a block. `pending` is the open block, or the newest block while none
    /// is open; its state holds every transaction executed so far.
    pub fn state_at(&self, block: BlockId) -> Result<StateAt, RpcError> {
        if block == BlockId::pending()
            && let Some((header, state)) = self.chain.pending_tip()
        {
            return Ok(StateAt { header: Arc::unwrap_or_clone(header), hash: None, state });
        }
        let not_found = || match block {
            BlockId::Hash(_) => RpcError::server("header for hash not found"),
            BlockId::Number(_) => RpcError::header_not_found(),
        };
        let at = block_ref(block);
        let (hash, header) = self.chain.header(at)?.ok_or_else(not_found)?;
        let state = self.chain.state_at(BlockRef::Hash(hash))?.ok_or_else(not_found)?;
        Ok(StateAt { header, hash: Some(hash), state })
    }

    /// State of the newest or the open block if making the view touches no disk.
    pub(crate) fn state_in_memory(&self, block: BlockId) -> Option<StateView> {
        let head = self.chain.heads().unsafe_head;
        self.chain.pending_header()?;
        // Sealed in between, it is read from the store, which costs microseconds.
        let open = self.chain.pending_state().ok().filter(|state| state.block() == head)?;
        match block {
            BlockId::Number(BlockNumberOrTag::Pending) => Some(open),
            BlockId::Number(BlockNumberOrTag::Latest) => Some(open.without_pending()),
            _ => None,
        }
    }

    /// State alone, without the header.
    pub fn state(&self, block: BlockId) -> Result<StateView, RpcError> {
        if block == BlockId::pending() {
            return Ok(self.chain.pending_state()?);
        }
        let state = self.chain.state_at(block_ref(block))?;
        state.ok_or_else(|| match block {
            BlockId::Hash(_) => RpcError::server("header for hash not found"),
            BlockId::Number(_) => RpcError::header_not_found(),
        })
    }
}

/// A block parameter in the chain's words. `pending` becomes the newest block: who can show the
/// open block asks for it first.
pub fn block_ref(block: BlockId) -> BlockRef {
    match block {
        BlockId::Hash(hash) => BlockRef::Hash(hash.block_hash),
        BlockId::Number(number) => match number {
            BlockNumberOrTag::Latest | BlockNumberOrTag::Pending => BlockRef::Latest,
            BlockNumberOrTag::Safe => BlockRef::Safe,
            BlockNumberOrTag::Finalized => BlockRef::Finalized,
            BlockNumberOrTag::Earliest => BlockRef::Earliest,
            BlockNumberOrTag::Number(number) => BlockRef::Number(number),
        },
    }
}
