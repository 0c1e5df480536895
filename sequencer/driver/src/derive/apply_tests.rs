use alloy_primitives::{B256, Bytes};
use cairn_l1::NextStep;
use cairn_primitives::TxEnvelope;
use cairn_rollup::{L1BlockRef, RollupAttributes};

use super::*;
use crate::testing::TestChain;

/// Attributes as derivation gives them, for the block after that one.
fn derived(chain: &TestChain, parent: u64, transactions: Vec<Bytes>) -> DerivedAttributes {
    let (hash, header) = chain.header(parent);
    let attributes = chain.attributes(&header);
    let deposits = attributes.deposits.iter().map(|deposit| match deposit {
        TxEnvelope::Deposit(deposit) => deposit.inner().clone(),
        other => panic!("{other:?}"),
    });
    let block = attributes.block;
    DerivedAttributes {
        attributes: RollupAttributes {
            timestamp: block.timestamp,
            fee_recipient: block.fee_recipient,
            prev_randao: block.prev_randao,
            parent_beacon_block_root: block.parent_beacon_block_root.unwrap(),
            gas_limit: block.gas_limit,
            extra_data: block.extra_data,
            deposits: deposits.collect(),
            transactions,
            no_tx_pool: true,
        },
        parent: L2BlockRef { hash, number: parent, ..L2BlockRef::default() },
        l1_origin: BlockNumHash::default(),
        sequence_number: 0,
        derived_from: L1BlockRef::default(),
        last_in_span: true,
    }
}

fn block(applied: Applied) -> BlockNumHash {
    match applied {
        Applied::Block(block) => block,
        Applied::Invalid => panic!("the attributes are valid"),
    }
}

#[test]
fn attributes_become_a_block_once_and_replace_what_is_unsafe() {
    let chain = TestChain::new();
    chain.extend(7);
    let other = chain.extend(7);
    let attributes = derived(&chain, 0, Vec::new());
    let made = block(apply(&chain.chain, &attributes).unwrap());
    assert_eq!((made.number, chain.chain.heads().unsafe_head), (1, made));
    assert_eq!(chain.chain.header(cairn_chain::BlockRef::Hash(other.hash)).unwrap(), None);
    let next = chain.extend(8);
    let again = block(apply(&chain.chain, &attributes).unwrap());
    assert_eq!((again, chain.chain.heads().unsafe_head), (made, next), "it is found as it is");
}

#[test]
fn a_batch_that_does_not_execute_is_invalid_and_changes_nothing() {
    let chain = TestChain::new();
    let head = chain.extend(7);
    let deposit = chain.attributes(&chain.header(0).1).deposits.remove(0);
    let deposit = alloy_eips::Encodable2718::encoded_2718(&deposit).into();
    for transaction in [Bytes::new(), Bytes::from_static(&[2, 0xc0]), deposit] {
        let applied = apply(&chain.chain, &derived(&chain, 0, vec![transaction])).unwrap();
        assert!(matches!(applied, Applied::Invalid));
        assert_eq!(chain.chain.heads().unsafe_head, head);
    }
}

#[test]
fn what_derivation_cannot_go_on_from_says_how_to_go_on() {
    let chain = TestChain::new();
    let first = chain.extend(7);
    let fails = |attributes: &DerivedAttributes| match apply(&chain.chain, attributes) {
        Err(error) => (error.next_step(), error),
        Ok(_) => panic!("it is applied"),
    };
    // No block of L1 leads to them, so nothing else comes of another attempt.
    let mut impossible = derived(&chain, 1, Vec::new());
    impossible.attributes.extra_data = Bytes::new();
    let (step, error) = fails(&impossible);
    assert!(matches!(error, DriverError::Derive(DeriveError::Attributes { number: 2, .. })));
    assert_eq!(step, NextStep::Stop);
    let mut orphan = derived(&chain, 1, Vec::new());
    orphan.parent.hash = B256::repeat_byte(9);
    let (step, error) = fails(&orphan);
    assert!(matches!(error, DriverError::Derive(DeriveError::UnknownParent(_))), "{error}");
    assert_eq!(step, NextStep::Reset);
    chain.make_safe(first.hash, None);
    let (step, error) = fails(&derived(&chain, 0, Vec::new()));
    assert!(matches!(error, DriverError::Derive(DeriveError::BelowSafe { .. })), "{error}");
    assert_eq!(step, NextStep::Reset);
    assert_eq!(chain.chain.heads().unsafe_head, first);
}
