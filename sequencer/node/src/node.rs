//! Assembly of a node from its parts.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use alloy_genesis::Genesis;
use cairn_chain::{
    AttributesSource, BlockRef, BlockTiming, Chain, ChainOptions, DevAttributes, LocalTransactions,
    Sequencer, SequencerOptions, TimestampRule, open_store,
};
use cairn_evm::EvmConfig;
use cairn_genesis::DEV_SYSTEM;
use cairn_pool::{BlockConditions, Recovery, RecoveryConfig, SharedPool};
use cairn_primitives::ChainSpec;
use cairn_state::{Keep, Options};
use eyre::WrapErr;

use crate::config::{RunArgs, journal_dir, pool_dir, state_dir};
use crate::rollup::{Role, Rollup};

/// Copy of the genesis file in a data directory.
const GENESIS_FILE: &str = "genesis.json";

/// A running node without its servers.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) chain: Chain,
    pub(crate) pool: SharedPool,
    pub(crate) recovery: Arc<Recovery>,
    pub(crate) sequencer: Option<Sequencer>,
}

/// Reads a genesis file.
pub(crate) fn read_genesis(path: &Path) -> eyre::Result<Genesis> {
    let text = std::fs::read_to_string(path)
        .wrap_err_with(|| format!("genesis file {}", path.display()))?;
    serde_json::from_str(&text).wrap_err_with(|| format!("genesis file {}", path.display()))
}

/// The genesis file that a data directory keeps of its chain.
pub(crate) fn stored_genesis(datadir: &Path) -> eyre::Result<Option<Genesis>> {
    let path = datadir.join(GENESIS_FILE);
    if path.exists() { read_genesis(&path).map(Some) } else { Ok(None) }
}

/// Opens the chain of a data directory, writing genesis where there is none. The directory keeps
/// the genesis file, so that later commands need no other.
pub(crate) fn open_chain(
    datadir: &Path,
    genesis: &Genesis,
    state: Options,
    options: ChainOptions,
) -> eyre::Result<Chain> {
    std::fs::create_dir_all(datadir)?;
    let kept = datadir.join(GENESIS_FILE);
    if !kept.exists() {
        let unfinished = datadir.join("genesis.json.new");
        std::fs::write(&unfinished, serde_json::to_vec_pretty(genesis)?)?;
        std::fs::rename(&unfinished, &kept)?;
    }
    let spec = Arc::new(ChainSpec::from_genesis(genesis)?);
    let store = open_store(&state_dir(datadir), state, &spec, genesis)?;
    Ok(Chain::open(store, EvmConfig::new(spec), options)?)
}

impl Node {
    /// Opens the chain, replays the journal and starts building blocks. A chain under Ethereum
    /// rules has no sequencer, nor has a verifier. Must be called within a tokio runtime.
    pub(crate) fn start(
        args: &RunArgs,
        datadir: &Path,
        genesis: &Genesis,
        rollup: Option<&Rollup>,
    ) -> eyre::Result<Self> {
        let (block_time, timing) = block_time(args, rollup)?;
        let timestamps = if block_time < Duration::from_secs(1) {
            TimestampRule::NonDecreasing
        } else {
            TimestampRule::Increasing
        };
        let keep = args.history.map_or(Keep::All, Keep::Last);
        let state = Options { state_history: keep, block_data: keep, ..Options::default() };
        let retention = rollup.map(Rollup::retention);
        let options = ChainOptions { timestamps, retention, ..ChainOptions::default() };
        let chain = open_chain(datadir, genesis, state, options)?;
        if let Some(rollup) = rollup {
            rollup.check(&chain, genesis)?;
        }
        warm(&chain)?;
        let pool =
            SharedPool::new(args.pool.config(), Arc::new(chain.clone()), next_conditions(&chain)?);
        let recovery = Recovery::spawn(pool.clone(), &RecoveryConfig::default())?;
        let (local, waiting) =
            LocalTransactions::open(&pool_dir(datadir), pool.config().max_tx_bytes)?;
        let options = SequencerOptions {
            block_time,
            timing,
            da_limit: rollup.map(Rollup::da_limit).unwrap_or_default(),
            local_transactions: Some(local.clone()),
            ..SequencerOptions::new(journal_dir(datadir))
        };
        let sequencer = match attributes_source(&chain, rollup)? {
            Some(source) => Some(Sequencer::start(chain.clone(), pool.clone(), source, options)?),
            None => None,
        };
        let report = recovery.restore(waiting);
        tracing::info!(
            target: "node", restored = report.restored, rejected = report.rejected.len(),
            "local transactions"
        );
        local.forget(report.rejected)?;
        Ok(Self { chain, pool, recovery: Arc::new(recovery), sequencer })
    }

    /// Seals nothing more, waits until the store has every sealed block.
    pub(crate) fn stop(self) -> eyre::Result<()> {
        if let Some(sequencer) = &self.sequencer {
            sequencer.shutdown();
        }
        self.chain.close()?;
        Ok(())
    }
}

/// Loads the upper levels of the account trie, so that the first blocks after a start are not
/// slower than the rest. In the background: the node serves meanwhile.
fn warm(chain: &Chain) -> eyre::Result<()> {
    let store = chain.store().clone();
    std::thread::Builder::new().name("cairn-warm".into()).spawn(move || {
        if let Err(error) = store.warm() {
            tracing::warn!(target: "node", %error, "trie not warmed");
        }
    })?;
    Ok(())
}

/// Time between blocks, and which timestamps they have: what the rollup says, if it is one.
fn block_time(args: &RunArgs, rollup: Option<&Rollup>) -> eyre::Result<(Duration, BlockTiming)> {
    if let Some(rollup) = rollup {
        eyre::ensure!(
            args.block_time_ms.is_none(),
            "block-time-ms is set, and the rollup configuration says the block time"
        );
        return rollup.block_time();
    }
    let block_time = Duration::from_millis(args.block_time_ms.unwrap_or(1000));
    eyre::ensure!(!block_time.is_zero(), "block-time-ms must be at least 1");
    Ok((block_time, BlockTiming::WallClock))
}

/// What a sequencer builds on; `None` on a node that builds nothing.
fn attributes_source(
    chain: &Chain,
    rollup: Option<&Rollup>,
) -> eyre::Result<Option<Box<dyn AttributesSource>>> {
    if let Some(rollup) = rollup {
        return Ok((rollup.role() == Role::Sequencer).then(|| rollup.origins(chain)));
    }
    if !chain.spec().is_optimism() {
        return Ok(None);
    }
    let (_, genesis) = chain
        .header(BlockRef::Earliest)?
        .ok_or_else(|| eyre::eyre!("the store has no genesis block"))?;
    Ok(Some(Box::new(DevAttributes::new(chain.spec().clone(), &genesis, DEV_SYSTEM))))
}

/// Conditions of the block after the head, until the sequencer opens one.
fn next_conditions(chain: &Chain) -> eyre::Result<BlockConditions> {
    let (_, head) =
        chain.header(BlockRef::Latest)?.ok_or_else(|| eyre::eyre!("the store has no head"))?;
    let spec = chain.spec();
    let base_fee = spec.next_base_fee(&head, head.timestamp)?.unwrap_or(0);
    let blob_fee = head
        .excess_blob_gas
        .zip(spec.blob_params(head.timestamp))
        .map_or(0, |(excess, params)| params.calc_blob_fee(excess));
    let number = head.number.saturating_add(1);
    Ok(BlockConditions::new(spec, number, head.timestamp, base_fee, blob_fee, head.gas_limit))
}
