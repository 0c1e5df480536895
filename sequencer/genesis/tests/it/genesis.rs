use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use alloy_genesis::Genesis;
use alloy_primitives::{B256, U256, b256};
use alloy_trie::TrieAccount;
use alloy_trie::root::state_root_unhashed;
use cairn_genesis::predeploys::{PROXY_ADMIN, WETH, predeploy};
use cairn_genesis::{DevGenesisError, DevOptions, dev_accounts, dev_genesis};
use cairn_primitives::ChainSpec;
use op_alloy_consensus::decode_jovian_extra_data;

use crate::chain::{Chain, MemoryState};

/// Changes when a contract, an address, an account or a storage slot of the genesis changes. Chains
/// with another root are other chains: their stores cannot be opened any more.
const STATE_ROOT: B256 =
    b256!("0x3f233decdf37f86030ed165be4579db3da7f970e11793afceb1ec1c3b72ef6bc");

#[test]
fn state_root_of_the_default_genesis_is_pinned() {
    let genesis = dev_genesis(&DevOptions::default()).unwrap();
    let state = MemoryState::of_genesis(&genesis);
    assert_eq!(state.root(), STATE_ROOT);
    // A second opinion on the leaves.
    let leaves = genesis.alloc.into_iter();
    assert_eq!(
        state_root_unhashed(leaves.map(|(a, leaf)| (a, TrieAccount::from(leaf)))),
        STATE_ROOT
    );
}

#[test]
fn json_round_trip_keeps_the_genesis_and_its_specification() {
    let options =
        DevOptions { cairn_time: Some(7), timestamp: 1_700_000_000, ..Default::default() };
    let genesis = dev_genesis(&options).unwrap();
    let read: Genesis = serde_json::from_str(&serde_json::to_string(&genesis).unwrap()).unwrap();
    assert_eq!(read, genesis);
    let (written, read) =
        (ChainSpec::from_genesis(&genesis).unwrap(), ChainSpec::from_genesis(&read).unwrap());
    assert_eq!(written.config_hash(), read.config_hash());
    assert!(read.is_optimism());
    assert!(!read.is_cairn_active(6) && read.is_cairn_active(7));
}

#[test]
fn chain_has_no_precompiles_of_ours_unless_asked_for() {
    let spec = ChainSpec::from_genesis(&dev_genesis(&DevOptions::default()).unwrap()).unwrap();
    assert!(!spec.is_cairn_active(u64::MAX));
}

#[test]
fn header_carries_the_fee_parameters_of_jovian() {
    let options = DevOptions { min_base_fee: 77, ..DevOptions::default() };
    let header = Chain::new(&options).genesis;
    assert_eq!(decode_jovian_extra_data(&header.extra_data), Ok((6, 250, 77)));
    assert_eq!(header.base_fee_per_gas, Some(1_000_000));
    assert_eq!(header.gas_limit, 1_000_000_000);
    assert!(header.withdrawals_root.is_some() && header.requests_hash.is_some());
}

#[test]
fn base_fee_of_idle_blocks_stays_at_its_minimum() {
    let chain = Chain::new(&DevOptions::default());
    let next = chain.config.spec().next_base_fee(&chain.genesis, 1).unwrap();
    assert_eq!(next, chain.genesis.base_fee_per_gas);
}

#[test]
fn every_address_of_the_predeploy_range_holds_a_proxy_but_two() {
    let genesis = dev_genesis(&DevOptions::default()).unwrap();
    let proxy = genesis.alloc[&PROXY_ADMIN].code.clone();
    let others: BTreeSet<_> = (0..2048)
        .map(predeploy)
        .filter(|address| genesis.alloc.get(address).and_then(|a| a.code.clone()) != proxy)
        .collect();
    assert_eq!(others, BTreeSet::from([WETH, predeploy(0x42)]));
}

#[test]
fn accounts_of_the_mnemonic_are_funded_and_no_others() {
    let options = DevOptions { accounts: 25, balance: U256::from(5), ..DevOptions::default() };
    let genesis = dev_genesis(&options).unwrap();
    let funded: BTreeSet<_> = genesis
        .alloc
        .iter()
        .filter(|(_, account)| !account.balance.is_zero())
        .map(|(address, account)| (*address, account.balance))
        .collect();
    let wanted = dev_accounts(25).unwrap().into_iter().map(|a| (a.address, U256::from(5)));
    assert_eq!(funded, wanted.collect());
}

#[test]
fn ten_thousand_accounts_take_seconds_at_most() {
    let started = Instant::now();
    let options = DevOptions { accounts: 10_000, ..DevOptions::default() };
    let genesis = dev_genesis(&options).unwrap();
    let took = started.elapsed();
    println!("{} accounts in the genesis after {took:?}", genesis.alloc.len());
    assert!(genesis.alloc.len() > 12_000);
    assert!(took < Duration::from_secs(30), "{took:?}");
}

#[test]
fn options_that_make_no_chain_are_refused() {
    let small = DevOptions { gas_limit: 999_999, ..DevOptions::default() };
    assert_eq!(
        dev_genesis(&small),
        Err(DevGenesisError::GasLimit { gas_limit: 999_999, least: 1_000_000 })
    );
    let elasticity = DevOptions { elasticity: 0, ..DevOptions::default() };
    let denominator = DevOptions { base_fee_denominator: 0, ..DevOptions::default() };
    for options in [elasticity, denominator] {
        assert_eq!(dev_genesis(&options), Err(DevGenesisError::FeeParameters));
    }
    let phrase = DevOptions { mnemonic: "nonsense".into(), ..DevOptions::default() };
    assert!(matches!(dev_genesis(&phrase), Err(DevGenesisError::Mnemonic(_))));
}

#[test]
fn chain_without_accounts_belongs_to_the_first_account_all_the_same() {
    let none = dev_genesis(&DevOptions { accounts: 0, ..DevOptions::default() }).unwrap();
    let some = dev_genesis(&DevOptions::default()).unwrap();
    assert_eq!(none.alloc[&PROXY_ADMIN], some.alloc[&PROXY_ADMIN]);
}
