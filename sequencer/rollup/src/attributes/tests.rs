use alloy_consensus::{Sealable, SignableTransaction, TxEip1559};
use alloy_eips::eip2718::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, hex};
use cairn_primitives::{Block, L1Attributes, TxEnvelope};
use op_alloy_consensus::TxDeposit;

use super::*;
use crate::l1::L1Block;
use crate::testing::{GENESIS_TIME, LEAST_GAS, config as base_config, execute};
use crate::{
    Eip1559Params, L2BlockError, L2BlockRef, OperatorFeeParams, RollupConfig, SystemConfig,
};

fn config() -> RollupConfig {
    let mut config = base_config();
    config.forks.jovian_time = Some(GENESIS_TIME);
    config
}

fn system_config() -> SystemConfig {
    let mut scalar = B256::with_last_byte(3);
    scalar.0[0] = 1;
    scalar.0[27] = 4;
    SystemConfig {
        batcher: Address::repeat_byte(5),
        scalar,
        gas_limit: 30_000_000,
        eip1559: Eip1559Params { denominator: 250, elasticity: 6 },
        operator_fee: OperatorFeeParams { scalar: 7, constant: 8 },
        min_base_fee: 9,
        da_footprint_gas_scalar: 10,
        ..SystemConfig::default()
    }
}

fn origin() -> L1Block {
    L1Block {
        number: 100,
        hash: B256::repeat_byte(1),
        timestamp: GENESIS_TIME,
        prev_randao: B256::repeat_byte(2),
        parent_beacon_block_root: B256::repeat_byte(3),
        deposits: vec![TxDeposit { gas_limit: 21_000, ..TxDeposit::default() }],
        ..L1Block::default()
    }
}

fn parent(origin: u64) -> L2BlockRef {
    L2BlockRef {
        hash: B256::repeat_byte(0x44),
        number: 6,
        timestamp: GENESIS_TIME + 12,
        l1_origin: alloy_eips::BlockNumHash { number: origin, hash: B256::repeat_byte(1) },
        sequence_number: 2,
        ..L2BlockRef::default()
    }
}

fn build(config: &RollupConfig, system: &SystemConfig, parent: &L2BlockRef) -> RollupAttributes {
    let origin = origin();
    RollupAttributes::new(
        config,
        AttributesInput { parent, origin: &origin, system_config: system },
    )
}

/// The block that attributes and one transaction make.
fn block(attributes: &RollupAttributes, parent: &L2BlockRef) -> Block {
    let transactions = vec![transaction().encoded_2718().into()];
    execute(parent, &RollupAttributes { transactions, ..attributes.clone() }).unwrap()
}

fn transaction() -> TxEnvelope {
    let to = TxKind::Call(Address::ZERO);
    let tx = TxEip1559 { to, gas_limit: LEAST_GAS, ..TxEip1559::default() };
    TxEnvelope::Eip1559(tx.into_signed(Signature::new(U256::from(1), U256::from(1), false)))
}

#[test]
fn first_block_of_an_epoch_has_its_deposits() {
    let first = build(&config(), &system_config(), &parent(99));
    assert_eq!((first.deposits.len(), first.timestamp), (2, GENESIS_TIME + 14));
    assert_eq!(L1Attributes::from_deposit(&first.deposits[0]).unwrap().sequence_number, 0);
    let next = build(&config(), &system_config(), &parent(100));
    assert_eq!(next.deposits.len(), 1);
    let attributes = L1Attributes::from_deposit(&next.deposits[0]).unwrap();
    assert_eq!(attributes.sequence_number, 3);
    assert_eq!(attributes.origin, origin().origin());
    assert_eq!(attributes.system, system_config().attributes());
    assert_eq!((next.prev_randao, next.gas_limit), (B256::repeat_byte(2), 30_000_000));
    assert_eq!(next.parent_beacon_block_root, B256::repeat_byte(3));
    assert!(next.no_tx_pool);
}

#[test]
fn extra_data_holds_the_parameters_or_the_chains_constants() {
    let data = |config: &RollupConfig, system: &SystemConfig| {
        hex::encode(&build(config, system, &parent(100)).extra_data)
    };
    let unset = SystemConfig { eip1559: Eip1559Params::default(), ..system_config() };
    assert_eq!(data(&config(), &system_config()), "01000000fa000000060000000000000009");
    assert_eq!(data(&config(), &unset), "01000000fa000000060000000000000009");
    let isthmus = base_config();
    assert_eq!(data(&isthmus, &system_config()), "00000000fa00000006");
    // In the block that activates Jovian the header is new and the setter is the old one.
    let mut activating = base_config();
    activating.forks.jovian_time = Some(GENESIS_TIME + 14);
    assert_eq!(data(&activating, &system_config()).len(), 34);
    let built = build(&activating, &system_config(), &parent(100));
    assert_eq!(built.deposits[0].input.len(), 176);
}

#[test]
fn a_block_gives_back_its_place_and_its_configuration() {
    for config in [config(), base_config()] {
        let parent = parent(99);
        let block = block(&build(&config, &system_config(), &parent), &parent);
        let hash = block.header.hash_slow();
        let expected = L2BlockRef {
            hash,
            number: 7,
            parent_hash: parent.hash,
            timestamp: GENESIS_TIME + 14,
            l1_origin: origin().id(),
            sequence_number: 0,
        };
        assert_eq!(L2BlockRef::from_block(&config, &block, hash), Ok(expected));
        let jovian = config.is_jovian(GENESIS_TIME);
        let expected = SystemConfig {
            min_base_fee: if jovian { 9 } else { 0 },
            da_footprint_gas_scalar: if jovian { 10 } else { 0 },
            ..system_config()
        };
        assert_eq!(SystemConfig::of_block(&config, &block), Ok(expected));
    }
}

#[test]
fn genesis_has_the_configured_origin() {
    let config = config();
    let genesis = Block::default();
    let block_ref = L2BlockRef::from_block(&config, &genesis, B256::ZERO).unwrap();
    assert_eq!(block_ref.l1_origin, config.genesis.l1);
    let system = SystemConfig::of_block(&config, &genesis).unwrap();
    assert_eq!(system, config.genesis.system_config);
}

#[test]
fn blocks_without_attributes_or_parameters_are_errors() {
    let parent = parent(99);
    let good = block(&build(&config(), &system_config(), &parent), &parent);
    let mut none = good.clone();
    none.body.transactions.remove(0);
    none.body.transactions.remove(0);
    let from = |block: &Block| L2BlockRef::from_block(&config(), block, B256::ZERO);
    assert_eq!(from(&none), Err(L2BlockError::NoAttributes(7)));
    let mut other = good.clone();
    other.body.transactions.remove(0);
    assert!(matches!(from(&other), Err(L2BlockError::Attributes { number: 7, .. })));
    let mut short = good;
    short.header.extra_data = Bytes::from_static(&[1, 2]);
    let error = SystemConfig::of_block(&config(), &short);
    assert_eq!(error, Err(L2BlockError::ExtraData { number: 7, length: 2 }));
}

/// What `mismatch` says of a changed block.
fn changed(change: impl FnOnce(&mut Block)) -> Option<Mismatch> {
    let parent = parent(99);
    let mut attributes = build(&config(), &system_config(), &parent);
    attributes.transactions.push(transaction().encoded_2718().into());
    let mut block = block(&attributes, &parent);
    change(&mut block);
    mismatch(&attributes, parent.hash, &block)
}

#[test]
fn consolidation_names_the_first_field_that_differs() {
    use Mismatch as M;
    assert_eq!(changed(|_| {}), None);
    assert!(matches!(changed(|b| b.header.parent_hash = B256::ZERO), Some(M::Parent { .. })));
    assert!(matches!(changed(|b| b.header.timestamp += 1), Some(M::Timestamp { .. })));
    assert!(matches!(changed(|b| b.header.mix_hash = B256::ZERO), Some(M::PrevRandao { .. })));
    let fee = changed(|b| b.header.beneficiary = Address::ZERO);
    assert!(matches!(fee, Some(M::FeeRecipient { expected: SEQUENCER_FEE_VAULT, .. })));
    assert!(matches!(changed(|b| b.header.gas_limit += 1), Some(M::GasLimit { .. })));
    let extra = changed(|b| b.header.extra_data = Bytes::new());
    assert!(matches!(extra, Some(M::ExtraData { .. })));
    let root = changed(|b| b.header.parent_beacon_block_root = None);
    assert!(matches!(root, Some(M::ParentBeaconBlockRoot { actual: None, .. })));
    assert_eq!(changed(|b| b.body.withdrawals = None), Some(M::Withdrawals(None)));
    let count = changed(|b| b.body.transactions.truncate(2));
    assert_eq!(count, Some(M::TransactionCount { expected: 3, actual: 2 }));
    assert_eq!(changed(|b| b.body.transactions.swap(0, 1)), Some(M::Transaction(0)));
    assert_eq!(changed(|b| b.body.transactions[1] = transaction()), Some(M::Transaction(1)));
    let deposit = TxEnvelope::Deposit(TxDeposit::default().seal_slow());
    assert_eq!(changed(|b| b.body.transactions[2] = deposit), Some(M::Transaction(2)));
}

#[test]
fn deposits_only_drops_the_transactions() {
    let mut attributes = build(&config(), &system_config(), &parent(99));
    attributes.transactions.push(Bytes::from_static(b"x"));
    attributes.no_tx_pool = false;
    let only = attributes.deposits_only();
    assert_eq!((only.transactions.len(), only.deposits.len(), only.no_tx_pool), (0, 2, true));
}
