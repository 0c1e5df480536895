//! Random chains: the executor, the chain and the store against one map and a full rebuild.
//!
//! Both sides run the same EVM. What is held against each other is everything behind it: merging
//! of transactions into a block's changes, destruction and re-creation of accounts before and
//! after EIP-6780, layers in memory, commits, reads, incremental roots, unwinding.

mod actions;
mod contracts;
mod naive;

use std::sync::Arc;

use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Transaction};
use alloy_eips::Encodable2718;
use alloy_eips::eip4895::Withdrawal;
use alloy_genesis::{Genesis, GenesisAccount};
use alloy_hardforks::EthereumHardforks;
use alloy_primitives::{Address, B256, U256};
use alloy_rlp::Encodable;
use cairn_chain::{BlockRef, Chain, ChainOptions, Execution, Imported, open_store, ordered_root};
use cairn_conformance::Fork;
use cairn_evm::{BlockExecutor, EvmConfig};
use cairn_primitives::{
    Block, BlockBody, ChainSpec, Header, RecoveredBlock, StateReader, TxEnvelope,
};
use cairn_state::Options;
use proptest::prelude::*;

use self::actions::{Action, COINBASE, FACTORY, MACHINES, Place, SENDERS, Step, machine, sender};
use self::naive::Naive;

const ETHER: u128 = 1_000_000_000_000_000_000;

fn genesis(fork: Fork) -> Genesis {
    let rich = GenesisAccount::default().with_balance(U256::from(1000 * ETHER));
    let slot = |slot: u8, value: u8| (B256::with_last_byte(slot), B256::with_last_byte(value));
    let storage = Some([slot(0, 1), slot(1, 2), slot(9, 9)].into());
    let machine_account = GenesisAccount::default()
        .with_nonce(Some(1))
        .with_code(Some(contracts::machine().into()))
        .with_storage(storage);
    let factory =
        GenesisAccount::default().with_nonce(Some(1)).with_code(Some(contracts::factory().into()));
    let senders = (0..SENDERS).map(|index| (sender(index), rich.clone()));
    let machines = (0..MACHINES).map(|index| (machine(index), machine_account.clone()));
    Genesis {
        config: fork.config(1),
        gas_limit: 30_000_000,
        alloc: senders.chain(machines).chain([(FACTORY, factory)]).collect(),
        ..Genesis::default()
    }
}

/// Both sides of the comparison.
struct Pair {
    chain: Chain,
    /// States after each block, genesis first.
    naive: Vec<Naive>,
    _directory: tempfile::TempDir,
}

impl Pair {
    fn new(fork: Fork) -> Self {
        const MIB: usize = 1 << 20;
        let genesis = genesis(fork);
        let spec = Arc::new(ChainSpec::from_genesis(&genesis).unwrap());
        let directory = tempfile::tempdir().unwrap();
        let options = Options {
            block_cache_bytes: MIB,
            write_buffer_bytes: 8 * MIB,
            read_cache_bytes: MIB,
            node_cache_bytes: MIB,
            ..Options::default()
        };
        let store = open_store(directory.path(), options, &spec, &genesis).unwrap();
        let chain = Chain::open(store, EvmConfig::new(spec), ChainOptions::default()).unwrap();
        Self { chain, naive: vec![Naive::new(&genesis)], _directory: directory }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Block(actions, withdrawals) => self.extend(actions, withdrawals),
            Step::Unwind(blocks) => {
                let height = self.naive.len() - 1;
                let left = height.saturating_sub(usize::from(*blocks));
                self.chain.unwind_to(left as u64).unwrap();
                self.naive.truncate(left + 1);
            }
        }
        self.compare();
    }

    /// Builds the next block, imports it, and runs it on the other side.
    fn extend(&mut self, actions: &[Action], withdrawals: &[(Place, u8)]) {
        let (block, gas_used) = self.build(actions, withdrawals);
        let mut naive = self.naive.last().unwrap().clone();
        assert_eq!(naive.execute(self.chain.evm(), block.header(), &block), gas_used);
        assert_eq!(self.chain.import_recovered(block).unwrap(), Imported::Head);
        self.naive.push(naive);
    }

    fn build(&self, actions: &[Action], withdrawals: &[(Place, u8)]) -> (RecoveredBlock, u64) {
        let evm = self.chain.evm();
        let (_, parent) = self.chain.header(BlockRef::Latest).unwrap().unwrap();
        let withdrawals = withdrawals.iter().map(|(place, amount)| Withdrawal {
            address: place.address(),
            amount: (*amount).into(),
            ..Withdrawal::default()
        });
        let spec = self.chain.spec();
        let mut header = child(spec, &parent);
        let withdrawals: Option<Vec<_>> =
            spec.is_shanghai_active_at_timestamp(header.timestamp).then(|| withdrawals.collect());
        let state = self.chain.latest_state().unwrap();
        let mut executor = BlockExecutor::new(evm, evm.env(&header), state.clone());
        executor.begin(header.parent_hash, header.parent_beacon_block_root).unwrap();
        let (transactions, senders) = self.execute(&mut executor, actions);
        let outcome = executor.finish(&[], withdrawals.as_deref()).unwrap();
        let execution = Execution::new(spec, header.timestamp, outcome, &state).unwrap();

        header.gas_used = execution.outcome.gas_used;
        header.state_root = execution.update.root();
        header.receipts_root = execution.receipts_root;
        header.logs_bloom = execution.logs_bloom;
        header.transactions_root = ordered_root(&transactions, |tx, out| tx.encode_2718(out));
        header.withdrawals_root =
            withdrawals.as_ref().map(|list| ordered_root(list, |item, out| item.encode(out)));
        let withdrawals = withdrawals.map(Into::into);
        let body = BlockBody { transactions, withdrawals, ..BlockBody::default() };
        let gas_used = header.gas_used;
        (RecoveredBlock::new(Block { header, body }, senders), gas_used)
    }

    /// Executes the actions that are valid transactions.
    fn execute(
        &self,
        executor: &mut BlockExecutor<cairn_state::StateView>,
        actions: &[Action],
    ) -> (Vec<TxEnvelope>, Vec<Address>) {
        let state = self.chain.latest_state().unwrap();
        let (mut transactions, mut senders) = (Vec::<TxEnvelope>::new(), Vec::new());
        for action in actions {
            let sender = action.sender();
            let before = state.account(sender).unwrap().map_or(0, |account| account.nonce);
            let sent = senders.iter().filter(|it| **it == sender).count() as u64;
            let tx = action.transaction(before + sent);
            match executor.execute(&tx, sender, tx.encoded_2718().into()) {
                Ok(outcome) => {
                    assert!(outcome.gas_used <= tx.gas_limit());
                    transactions.push(tx);
                    senders.push(sender);
                }
                Err(error) => assert!(!error.is_fatal(), "{error}"),
            }
        }
        (transactions, senders)
    }

    /// Compares root, accounts, slots and code at the head.
    fn compare(&self) {
        let naive = self.naive.last().unwrap();
        let (_, header) = self.chain.header(BlockRef::Latest).unwrap().unwrap();
        assert_eq!(header.number as usize + 1, self.naive.len());
        assert_eq!(header.state_root, naive.root(), "root of block {}", header.number);
        compare_state(&self.chain.latest_state().unwrap(), naive);
    }

    /// Compares every block's state as history has it, and the store with itself.
    fn finish(self) {
        self.chain.flush().unwrap();
        for (number, naive) in self.naive.iter().enumerate() {
            let number = BlockRef::Number(number as u64);
            compare_state(&self.chain.state_at(number).unwrap().unwrap(), naive);
        }
        let report = self.chain.store().verify(|_| ()).unwrap();
        assert_eq!(report.difference, None);
        assert_eq!(report.state_root, self.naive.last().unwrap().root());
        self.chain.close().unwrap();
    }
}

fn compare_state(state: &cairn_state::StateView, naive: &Naive) {
    for (address, account) in naive.accounts() {
        assert_eq!(state.account(address).unwrap(), Some(account), "account {address}");
        if account.has_code() {
            assert_eq!(state.code(account.code_hash).unwrap(), naive.code(account.code_hash));
        }
        for (slot, value) in naive.slots(address) {
            assert_eq!(state.storage(address, slot).unwrap(), value, "{address} slot {slot}");
        }
    }
}

/// A header on `parent` without what execution gives.
fn child(spec: &ChainSpec, parent: &Header) -> Header {
    let timestamp = parent.timestamp + 12;
    let cancun = spec.is_cancun_active_at_timestamp(timestamp);
    Header {
        parent_hash: parent.hash_slow(),
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: COINBASE,
        number: parent.number + 1,
        gas_limit: parent.gas_limit,
        timestamp,
        base_fee_per_gas: spec.next_base_fee(parent, timestamp).unwrap(),
        blob_gas_used: cancun.then_some(0),
        excess_blob_gas: cancun.then_some(0),
        parent_beacon_block_root: cancun.then_some(B256::ZERO),
        ..Header::default()
    }
}

fn run(fork: Fork, steps: &[Step]) {
    let mut pair = Pair::new(fork);
    steps.iter().for_each(|step| pair.step(step));
    pair.finish();
}

/// Each case opens a store, which takes the time of some twenty synced writes.
const CASES: u32 = 24;

fn config() -> ProptestConfig {
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: asked.unwrap_or(CASES),
        max_shrink_iters: 200,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn chains_where_contracts_vanish_agree_with_a_full_rebuild(steps in actions::steps()) {
        run(Fork::Shanghai, &steps);
    }

    #[test]
    fn chains_after_eip_6780_agree_with_a_full_rebuild(steps in actions::steps()) {
        run(Fork::Cancun, &steps);
    }
}

/// The random chains prove little unless the contracts do what they are made for.
#[test]
fn a_destroyed_machine_comes_back_without_its_storage() {
    use actions::{create2, destroy, store};
    for (fork, vanishes) in [(Fork::Shanghai, true), (Fork::Cancun, false)] {
        let mut pair = Pair::new(fork);
        let address = Place::Created2(2).address();
        let read = |pair: &Pair, slot: u8| {
            pair.chain.latest_state().unwrap().storage(address, U256::from(slot)).unwrap()
        };
        let exists =
            |pair: &Pair| pair.chain.latest_state().unwrap().account(address).unwrap().is_some();
        pair.step(&Step::Block(vec![create2(2), store(Place::Created2(2), 0, 2)], vec![]));
        assert_eq!((read(&pair, 0), read(&pair, 5)), (U256::from(2), U256::from(7)));
        pair.step(&Step::Block(vec![destroy(Place::Created2(2), Place::Coinbase)], vec![]));
        assert_eq!(exists(&pair), !vanishes, "{fork}");
        pair.step(&Step::Block(vec![create2(2)], vec![]));
        let left = if vanishes { U256::ZERO } else { U256::from(2) };
        assert_eq!((read(&pair, 0), read(&pair, 5)), (left, U256::from(7)), "{fork}");
        // An odd salt: created and destroyed in one transaction, at every fork.
        pair.step(&Step::Block(vec![create2(3)], vec![]));
        let state = pair.chain.latest_state().unwrap();
        assert_eq!(state.account(Place::Created2(3).address()).unwrap(), None, "{fork}");
        pair.step(&Step::Unwind(3));
        assert_eq!(read(&pair, 0), U256::from(2));
        pair.finish();
    }
}
