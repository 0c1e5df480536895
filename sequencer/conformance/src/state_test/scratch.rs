//! The store of one worker.

use std::sync::Arc;

use alloy_eips::BlockNumHash;
use alloy_primitives::B256;
use alloy_trie::EMPTY_ROOT_HASH;
use cairn_chain::Execution;
use cairn_evm::{BlockOutcome, EvmConfig};
use cairn_primitives::{Block, BlockBody, Header, RecoveredBlock};
use cairn_state::{
    ChainIdentity, CommittedBlock, Layer, Options, StateChanges, StateUpdate, StateView, Store,
};
use tempfile::TempDir;

use crate::failure::{CaseError, same};

const MIB: usize = 1 << 20;

/// Cases after which a worker starts a new store: deleted keys would slow its scans down.
const CASES_PER_STORE: u32 = 256;

/// A store with an empty genesis block, made when it is asked for.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    open: Option<(Store, TempDir)>,
    cases: u32,
}

impl Scratch {
    /// The store. It is at its genesis.
    pub(super) fn store(&mut self) -> Result<Store, CaseError> {
        self.cases += 1;
        if self.cases > CASES_PER_STORE {
            self.discard();
        }
        if let Some((store, _)) = &self.open {
            return Ok(store.clone());
        }
        let directory = tempfile::tempdir()?;
        let store = Store::open(directory.path(), options(), &identity())?;
        store.init_genesis([], |state| Header {
            state_root: state.state_root,
            ..Header::default()
        })?;
        self.open = Some((store.clone(), directory));
        Ok(store)
    }

    /// Throws the store away.
    pub(crate) fn discard(&mut self) {
        self.open = None;
        self.cases = 0;
    }
}

/// Small caches: a case has a few hundred keys.
fn options() -> Options {
    Options {
        block_cache_bytes: 8 * MIB,
        write_buffer_bytes: 16 * MIB,
        read_cache_bytes: 2 * MIB,
        node_cache_bytes: 2 * MIB,
        max_open_files: 128,
        ..Options::default()
    }
}

fn identity() -> ChainIdentity {
    ChainIdentity { name: "state tests".into(), config_hash: B256::ZERO, genesis_hash: None }
}

/// Commits changes as a block without transactions.
pub(super) fn commit_changes(
    store: &Store,
    parent: &StateView,
    changes: Arc<StateChanges>,
) -> Result<BlockNumHash, CaseError> {
    let update = parent.state_update(&changes)?;
    let block = RecoveredBlock::new(block(parent, &update, BlockBody::default()), Vec::new());
    let layer = Layer::new(block.num_hash(), parent.block().hash, changes, update);
    let receipts = Arc::default();
    Ok(store.commit(&[CommittedBlock { block, receipts, layer: Arc::new(layer) }])?)
}

/// Turns what a block's execution gave into a block on `parent`.
pub(super) fn root_of(
    evm: &EvmConfig,
    timestamp: u64,
    outcome: BlockOutcome,
    parent: &StateView,
) -> Result<Execution, CaseError> {
    Ok(Execution::new(evm.spec(), timestamp, outcome, parent)?)
}

/// A block on `parent` with the root of an update.
pub(super) fn block(parent: &StateView, update: &StateUpdate, body: BlockBody) -> Block {
    let header = Header {
        parent_hash: parent.block().hash,
        number: parent.block().number + 1,
        state_root: update.root(),
        ..Header::default()
    };
    Block { header, body }
}

/// Rebuilds the state from the store's flat values and compares root, tries and code.
pub(super) fn verify(store: &Store, root: B256) -> Result<(), CaseError> {
    let report = store.verify(|_| ())?;
    if let Some(difference) = report.difference {
        return Err(CaseError::Unsound(difference));
    }
    same("root rebuilt from the store", &report.state_root, &root)
}

/// Takes all blocks back and looks that nothing is left.
pub(super) fn unwind(store: &Store) -> Result<(), CaseError> {
    store.unwind_to(0)?;
    verify(store, EMPTY_ROOT_HASH)
}
