//! A random chain over a store, with a plain model of its state beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use alloy_consensus::{Signed, TxLegacy};
use alloy_genesis::GenesisAccount;
use alloy_primitives::{Address, B256, Bytes, Signature, U256, keccak256};
use alloy_trie::{TrieAccount, root};
use cairn_primitives::{
    Account, Block, BlockBody, Header, Receipt, RecoveredBlock, StateReader, TxEnvelope, TxType,
};
use cairn_state::*;
use rand::{Rng, SeedableRng, rngs::StdRng};

/// Accounts and slots of them.
type Touched = BTreeSet<(Address, BTreeSet<U256>)>;

/// The state as plain maps.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Model {
    pub(crate) accounts: BTreeMap<Address, (Account, BTreeMap<U256, U256>)>,
}

impl Model {
    /// The root by a full rebuild that shares nothing with the store.
    pub(crate) fn root(&self) -> B256 {
        root::state_root_unhashed(self.accounts.iter().map(|(address, (account, slots))| {
            let slots = slots.iter().map(|(slot, value)| (B256::from(*slot), *value));
            let storage = root::storage_root_unhashed(slots);
            let Account { nonce, balance, code_hash } = *account;
            let leaf = TrieAccount::new(nonce, balance, storage, code_hash);
            (*address, leaf)
        }))
    }

    pub(crate) fn account(&self, address: Address) -> Option<Account> {
        self.accounts.get(&address).map(|(account, _)| *account)
    }

    pub(crate) fn slot(&self, address: Address, slot: U256) -> U256 {
        let slots = self.accounts.get(&address).map(|(_, slots)| slots);
        slots.and_then(|slots| slots.get(&slot)).copied().unwrap_or_default()
    }
}

pub(crate) fn identity() -> ChainIdentity {
    let config_hash = B256::repeat_byte(0xc4);
    ChainIdentity { name: "test (chain id 1337)".into(), config_hash, genesis_hash: None }
}

/// Small caches, so that evictions happen.
pub(crate) fn options() -> Options {
    Options {
        block_cache_bytes: 4 << 20,
        write_buffer_bytes: 8 << 20,
        read_cache_bytes: 64 << 10,
        node_cache_bytes: 64 << 10,
        interval_blocks: 5,
        interval_changes: 100,
        ..Options::default()
    }
}

pub(crate) fn open(path: &Path) -> Store {
    Store::open(path, options(), &identity()).unwrap()
}

pub(crate) fn address(n: u64) -> Address {
    Address::from_word(keccak256(n.to_be_bytes()))
}

/// A chain being built: blocks executed in memory, some of them committed.
pub(crate) struct Chain {
    pub(crate) store: Store,
    pub(crate) rng: StdRng,
    /// State after each block, by number.
    pub(crate) models: Vec<Model>,
    /// Blocks that are not committed, oldest first.
    pub(crate) open: Vec<CommittedBlock>,
    /// Addresses and slots are drawn from this many.
    pub(crate) pool: u64,
    /// Whether blocks change slots.
    pub(crate) storage: bool,
}

impl Chain {
    /// A new store with a genesis of `accounts` accounts.
    pub(crate) fn create(path: &Path, seed: u64, accounts: u64) -> Self {
        let store = open(path);
        let mut model = Model::default();
        let mut alloc = Vec::new();
        for n in 0..accounts {
            let code = (n % 5 == 0).then(|| Bytes::from(n.to_be_bytes().to_vec()));
            let slots: BTreeMap<U256, U256> =
                (0..n % 7).map(|slot| (U256::from(slot), U256::from(n + 1))).collect();
            let account = Account {
                nonce: n,
                balance: U256::from(n) << 70,
                code_hash: keccak256(code.clone().unwrap_or_default()),
            };
            let source = GenesisAccount::default()
                .with_nonce(Some(n))
                .with_balance(account.balance)
                .with_code(code)
                .with_storage(Some(
                    slots.iter().map(|(slot, value)| ((*slot).into(), (*value).into())).collect(),
                ));
            alloc.push((address(n), source));
            model.accounts.insert(address(n), (account, slots));
        }
        let header =
            |state: &GenesisState| Header { state_root: state.state_root, ..Header::default() };
        store.init_genesis(alloc, header).unwrap();
        assert_eq!(store.header(0).unwrap().unwrap().state_root, model.root());
        let rng = StdRng::seed_from_u64(seed);
        Self { store, rng, models: vec![model], open: Vec::new(), pool: 60, storage: true }
    }

    pub(crate) fn layers(&self) -> Vec<Arc<Layer>> {
        self.open.iter().rev().map(|block| block.layer.clone()).collect()
    }

    pub(crate) fn view(&self) -> StateView {
        self.store.view(self.layers()).unwrap()
    }

    pub(crate) fn model(&self) -> &Model {
        self.models.last().unwrap()
    }

    /// Changes as a random block makes them; `model` follows.
    pub(crate) fn random_changes(&mut self, view: &StateView, model: &mut Model) -> StateChanges {
        let mut changes = StateChangesBuilder::new();
        // Half of the blocks remove and wipe nothing.
        let first = if self.rng.random_bool(0.5) { 2 } else { 0 };
        for _ in 0..self.rng.random_range(0..self.pool.min(40)) {
            let address = address(self.rng.random_range(0..self.pool));
            let kind = self.rng.random_range(first..if self.storage { 10 } else { 4 });
            self.random_change(view, model, &mut changes, address, kind);
        }
        changes.build()
    }

    fn random_change(
        &mut self,
        view: &StateView,
        model: &mut Model,
        changes: &mut StateChangesBuilder,
        address: Address,
        kind: u32,
    ) {
        let before = view.account(address).unwrap();
        let rng = &mut self.rng;
        match kind {
            0 => {
                model.accounts.remove(&address);
                changes.account(address, before, None);
            }
            1 => {
                let (account, slots) = model.accounts.entry(address).or_default();
                slots.clear();
                account.nonce += 1;
                changes.wipe_storage(address);
                changes.account(address, before, Some(*account));
            }
            2..=4 => {
                let (account, _) = model.accounts.entry(address).or_default();
                account.balance = U256::from(rng.random::<u128>());
                if rng.random_bool(0.2) {
                    let code = Bytes::from(vec![rng.random_range(0..8u8); 40]);
                    account.code_hash = keccak256(&code);
                    changes.code(account.code_hash, code);
                }
                changes.account(address, before, Some(*account));
            }
            _ => {
                let (account, slots) = model.accounts.entry(address).or_default();
                changes.account(address, before, Some(*account));
                for _ in 0..rng.random_range(1..12) {
                    let slot = U256::from(rng.random_range(0..self.pool));
                    let old = view.storage(address, slot).unwrap();
                    let value = U256::from(rng.random_range(0..4u64)) << rng.random_range(0..250);
                    changes.storage(address, slot, old, value);
                    match value.is_zero() {
                        true => slots.remove(&slot),
                        false => slots.insert(slot, value),
                    };
                }
            }
        }
    }

    /// Executes a random block in memory.
    pub(crate) fn extend(&mut self) -> &CommittedBlock {
        let view = self.view();
        let mut model = self.model().clone();
        let changes = self.random_changes(&view, &mut model);
        self.seal(changes, model)
    }

    /// Makes a block in memory of changes that lead to `model`.
    pub(crate) fn seal(&mut self, changes: StateChanges, model: Model) -> &CommittedBlock {
        let view = self.view();
        let (changes, update) = match self.in_steps(&view, &changes) {
            Some(steps) => {
                let (joined, update) = steps.into_parts();
                assert_eq!(joined.accounts(), changes.accounts());
                assert_eq!(slots(&joined), slots(&changes));
                (Arc::new(joined), update)
            }
            None => {
                let update = view.state_update(&changes).unwrap();
                (Arc::new(changes), update)
            }
        };
        assert_eq!(update.root(), model.root(), "block {}", view.block().number + 1);
        self.models.push(model);
        let transactions = self.rng.random_range(0..4u64);
        let block = block(view.block(), update.root(), transactions);
        let layer = Layer::new(block.num_hash(), view.block().hash, changes, update);
        self.open.push(CommittedBlock {
            receipts: Arc::new(receipts(&block)),
            block,
            layer: Arc::new(layer),
        });
        self.open.last().unwrap()
    }

    /// Makes the changes in up to three publications of an open block, of which the earlier ones hold
    /// whatever comes to mind and the last one puts it right, and roots each.
    fn in_steps(&mut self, view: &StateView, changes: &StateChanges) -> Option<HeadStart> {
        let (mut pending, mut start) = (PendingLayers::new(), None);
        let mut touched = BTreeSet::new();
        for _ in 0..self.rng.random_range(0..3) {
            let delta = self.on_the_way(view, &mut touched);
            pending.push(&delta);
            start = pending.view(view).head_start(start).unwrap();
        }
        let mut last = changes.delta().clone();
        for (address, slots) in touched {
            if last.account(&address).is_none() {
                last.set_account(address, view.account(address).unwrap());
            }
            for slot in slots {
                if last.storage(&address, &slot).is_none() {
                    last.set_storage(address, slot, view.storage(address, slot).unwrap());
                }
            }
        }
        pending.push(&last);
        pending.view(view).head_start(start).unwrap()
    }

    /// Changes of accounts that there are, seldom of others.
    fn on_the_way(&mut self, view: &StateView, touched: &mut Touched) -> Delta {
        let mut delta = Delta::new();
        for _ in 0..self.rng.random_range(0..30) {
            let address = address(self.rng.random_range(0..self.pool));
            if view.account(address).unwrap().is_none() && self.rng.random_bool(0.98) {
                continue;
            }
            let nonce = self.rng.random_range(0..3);
            let account = Account { nonce, balance: U256::from(7), ..Account::default() };
            delta.set_account(address, Some(account));
            let mut slots = BTreeSet::new();
            for _ in 0..if self.storage { self.rng.random_range(0..4) } else { 0 } {
                let slot = U256::from(self.rng.random_range(0..self.pool));
                delta.set_storage(address, slot, U256::from(self.rng.random_range(0..3)));
                slots.insert(slot);
            }
            if self.rng.random_bool(0.01) {
                delta.set_account(address, None);
            }
            touched.insert((address, slots));
        }
        delta
    }

    /// Commits the oldest `count` blocks in one call.
    pub(crate) fn commit(&mut self, count: usize) {
        let blocks: Vec<_> = self.open.drain(..count.min(self.open.len())).collect();
        self.store.commit(&blocks).unwrap();
    }

    pub(crate) fn commit_all(&mut self) {
        self.commit(usize::MAX);
    }

    /// Drops blocks above `number`, in memory and in the store.
    pub(crate) fn unwind(&mut self, number: u64) {
        let tip = self.store.tip().unwrap().number;
        self.open.truncate(number.saturating_sub(tip) as usize);
        if number < tip {
            self.open.clear();
            self.store.unwind_to(number).unwrap();
        }
        self.models.truncate(number as usize + 1);
    }

    /// Closes the store and opens it again. Uncommitted blocks are lost.
    pub(crate) fn reopen(self) -> Self {
        let Self { store, rng, mut models, pool, storage, open } = self;
        let path = store.path().to_path_buf();
        drop((store, open));
        let store = self::open(&path);
        models.truncate(store.tip().unwrap().number as usize + 1);
        Self { store, rng, models, open: Vec::new(), pool, storage }
    }
}

/// All slots whose values changed. A wipe of nothing is no change.
fn slots(changes: &StateChanges) -> Vec<(Address, SlotChange)> {
    let storage = changes.storage().iter();
    let slots = storage.flat_map(|change| change.slots.iter().map(|slot| (change.address, *slot)));
    slots.filter(|(_, slot)| slot.before != slot.after).collect()
}

pub(crate) fn block(
    parent: alloy_eips::BlockNumHash,
    root: B256,
    transactions: u64,
) -> RecoveredBlock {
    let number = parent.number + 1;
    let tx = |n: u64| {
        let tx = TxLegacy { nonce: n, gas_limit: number, ..TxLegacy::default() };
        let signature = Signature::new(U256::from(1), U256::from(2), false);
        TxEnvelope::Legacy(Signed::new_unhashed(tx, signature))
    };
    let header = Header { parent_hash: parent.hash, number, state_root: root, ..Header::default() };
    let body =
        BlockBody { transactions: (0..transactions).map(tx).collect(), ..Default::default() };
    let senders = (0..transactions).map(address).collect();
    RecoveredBlock::new(Block { header, body }, senders)
}

pub(crate) fn receipts(block: &RecoveredBlock) -> Vec<Receipt> {
    let receipt = |gas| Receipt::new(TxType::Legacy, true, gas, Vec::new());
    (0..block.transactions().len() as u64).map(receipt).collect()
}

/// Reads the whole pool through a view and compares it with a model.
pub(crate) fn assert_view(view: &StateView, model: &Model, pool: u64) {
    for n in 0..pool {
        let address = address(n);
        let account = view.account(address).unwrap();
        assert_eq!(account, model.account(address), "{n} in {view:?}");
        if let Some(account) = account.filter(Account::has_code) {
            assert_eq!(keccak256(view.code(account.code_hash).unwrap()), account.code_hash);
        }
        for slot in (0..pool).map(U256::from) {
            let value = view.storage(address, slot).unwrap();
            assert_eq!(value, model.slot(address, slot), "{n} {slot} in {view:?}");
        }
    }
}

/// Every entry of every column family, but for heads and floors.
pub(crate) fn dump(path: &Path) -> BTreeMap<(String, Vec<u8>), Vec<u8>> {
    let options = rocksdb::Options::default();
    let columns = rocksdb::DB::list_cf(&options, path).unwrap();
    let db = rocksdb::DB::open_cf_for_read_only(&options, path, &columns, false).unwrap();
    let mut entries = BTreeMap::new();
    for column in &columns {
        let cf = db.cf_handle(column).unwrap();
        let mut iter = db.raw_iterator_cf(cf);
        iter.seek_to_first();
        while let Some((key, value)) = iter.item() {
            entries.insert((column.clone(), key.to_vec()), value.to_vec());
            iter.next();
        }
        iter.status().unwrap();
    }
    entries
}
