//! Our store under `cairn-bench root`.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_genesis::GenesisAccount;
use alloy_primitives::{Address, B256, U256, keccak256};
use cairn_primitives::{Account, Block, Header, RecoveredBlock, StateReader};
use cairn_state::{
    ChainIdentity, CommittedBlock, Layer, Options, StateChangesBuilder, StateView, Store,
};
use eyre::{WrapErr, eyre};
use tempfile::TempDir;

use super::Step;
use super::plan::{self, Change};
use crate::progress::Bar;

/// A store with its default options in a folder that goes with it.
#[derive(Debug)]
pub(super) struct CairnStore {
    store: Store,
    folder: TempDir,
}

impl CairnStore {
    pub(super) fn load(accounts: u32, dir: Option<&Path>, bar: &Bar) -> eyre::Result<Self> {
        let mut builder = tempfile::Builder::new();
        builder.prefix("cairn-bench-root-");
        let folder = match dir {
            Some(dir) => builder.tempdir_in(dir),
            None => builder.tempdir(),
        };
        let folder = folder.wrap_err("no folder for the store")?;
        let identity = ChainIdentity {
            name: "cairn-bench".to_owned(),
            config_hash: B256::ZERO,
            genesis_hash: None,
        };
        let store = Store::open(folder.path(), Options::default(), &identity)?;
        let alloc = (0..accounts).map(|index| {
            bar.advance(1);
            let balance = U256::from(plan::first_balance(index));
            let account = GenesisAccount::default().with_nonce(Some(1)).with_balance(balance);
            (address(index), account)
        });
        store.init_genesis(alloc, |state| Header {
            state_root: state.state_root,
            ..Header::default()
        })?;
        // As a node does after a start.
        store.warm()?;
        Ok(Self { store, folder })
    }

    pub(super) fn round(&mut self, updates: &[Change]) -> eyre::Result<Step> {
        let view = self.store.latest()?;
        let changes = read_before(&view, updates)?;
        let start = Instant::now();
        let changes = Arc::new(changes.build());
        let update = view.state_update(&changes)?;
        let compute = start.elapsed();

        let start = Instant::now();
        let (root, parent) = (update.root(), view.block());
        let number = parent.number.checked_add(1).ok_or_else(|| eyre!("block number overflow"))?;
        let header =
            Header { parent_hash: parent.hash, number, state_root: root, ..Header::default() };
        let block = RecoveredBlock::new(Block { header, body: Default::default() }, Vec::new());
        let layer = Arc::new(Layer::new(block.num_hash(), parent.hash, changes, update));
        self.store.commit(&[CommittedBlock { block, receipts: Arc::default(), layer }])?;
        Ok(Step { root, compute, commit: start.elapsed() })
    }

    /// Time of the first proof of the state that the first round left, and of another one. That is
    /// the block from which most has to be turned back.
    pub(super) fn old_proofs(&self) -> eyre::Result<(Duration, Duration)> {
        let view = self.store.view_at(1)?;
        let prove = |index| {
            let start = Instant::now();
            let proof = view.proof(address(index), &[])?;
            let took = start.elapsed();
            match proof.account {
                Some(_) => eyre::Ok(took),
                None => Err(eyre!("account {index} is proven to be absent")),
            }
        };
        Ok((prove(0)?, prove(1)?))
    }

    /// Size of the store's files.
    pub(super) fn disk_bytes(&self) -> eyre::Result<u64> {
        let mut total = 0;
        for entry in std::fs::read_dir(self.folder.path())? {
            let data = entry?.metadata()?;
            total += if data.is_file() { data.len() } else { 0 };
        }
        Ok(total)
    }
}

fn address(index: u32) -> Address {
    Address::from_word(keccak256(plan::seed(index)))
}

/// What execution would have done before the root is asked for.
fn read_before(view: &StateView, updates: &[Change]) -> eyre::Result<StateChangesBuilder> {
    let mut changes = StateChangesBuilder::new();
    for update in updates {
        let address = address(update.index);
        let before = view.account(address)?;
        let before = before.ok_or_else(|| eyre!("{address} is not in the store"))?;
        let after = Account { balance: U256::from(update.balance), ..before };
        changes.account(address, Some(before), Some(after));
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_changes_the_root_and_the_store_stays_whole() {
        let bar = Bar::hidden();
        let mut store = CairnStore::load(500, None, &bar).expect("a store");
        let mut roots = std::collections::HashSet::new();
        for round in 0..3 {
            let step = store.round(&plan::changes(round, 500, 50)).expect("a round");
            assert!(roots.insert(step.root), "round {round} left the root as it was");
        }
        let report = store.store.verify(|_| ()).expect("it can be verified");
        assert_eq!((report.tip.number, report.accounts), (3, 500));
        assert!(report.difference.is_none(), "{:?}", report.difference);
        assert!(store.disk_bytes().expect("a size") > 0);
        store.old_proofs().expect("the first round's state can be proven");
    }
}
