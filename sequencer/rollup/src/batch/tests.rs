//! Vectors, round trips and hostile input for both batch versions.

use alloy_consensus::{
    Signed, TxEip1559, TxEip2930, TxEip7702, TxLegacy, transaction::RlpEcdsaEncodableTx,
};
use alloy_eips::{
    eip2930::{AccessList, AccessListItem},
    eip7702::{Authorization, SignedAuthorization},
};
use alloy_primitives::{Address, Signature, TxKind, U256, hex};
use proptest::prelude::*;

use super::*;
pub(crate) use crate::testing::{CHAIN_ID, GENESIS_TIME, config};

/// Fields that every kind of transaction has.
#[derive(Debug, Clone)]
pub(crate) struct Common {
    nonce: u64,
    gas_limit: u64,
    to: Option<[u8; 20]>,
    value: [u8; 32],
    prices: [u128; 2],
    input: Vec<u8>,
    keys: Vec<[u8; 32]>,
    signature: Signature,
}

fn signed<T: RlpEcdsaEncodableTx>(tx: T, signature: Signature) -> Bytes {
    let mut out = Vec::new();
    Signed::new_unchecked(tx, signature, B256::ZERO).eip2718_encode(&mut out);
    out.into()
}

/// A transaction of the kind, 0 being legacy without and 1 with the chain.
pub(crate) fn transaction(kind: u8, common: Common) -> Bytes {
    let Common { nonce, gas_limit, to, value, prices: [tip, cap], input, keys, signature } = common;
    let chain_id = CHAIN_ID;
    let to = to.map(Address::from);
    let kind_of_to = to.map_or(TxKind::Create, TxKind::Call);
    let (value, input) = (U256::from_be_bytes(value), Bytes::from(input));
    let keys: Vec<_> = keys.into_iter().map(B256::from).collect();
    let item = AccessListItem { address: Address::repeat_byte(3), storage_keys: keys.clone() };
    let access_list = AccessList(if keys.is_empty() { vec![] } else { vec![item] });
    match kind {
        0 | 1 => signed(
            TxLegacy {
                chain_id: (kind == 1).then_some(chain_id),
                nonce,
                gas_price: cap,
                gas_limit,
                to: kind_of_to,
                value,
                input,
            },
            signature,
        ),
        2 => signed(
            TxEip2930 {
                chain_id,
                nonce,
                gas_price: cap,
                gas_limit,
                to: kind_of_to,
                value,
                access_list,
                input,
            },
            signature,
        ),
        3 => signed(
            TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: cap,
                max_priority_fee_per_gas: tip,
                to: kind_of_to,
                value,
                access_list,
                input,
            },
            signature,
        ),
        _ => signed(
            TxEip7702 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: cap,
                max_priority_fee_per_gas: tip,
                to: to.unwrap_or_default(),
                value,
                access_list,
                authorization_list: keys.iter().map(|key| authorization(key, nonce)).collect(),
                input,
            },
            signature,
        ),
    }
}

fn authorization(key: &B256, nonce: u64) -> SignedAuthorization {
    let address = Address::from_word(*key);
    let inner = Authorization { chain_id: U256::from(CHAIN_ID), address, nonce };
    SignedAuthorization::new_unchecked(inner, 1, U256::from_be_bytes(key.0), U256::from(9))
}

fn any_word() -> impl Strategy<Value = [u8; 32]> {
    (any::<[u8; 32]>(), 0usize..=32).prop_map(|(mut word, zeros)| {
        word[..zeros].fill(0);
        word
    })
}

pub(crate) fn any_transaction() -> impl Strategy<Value = Bytes> {
    let common = (
        (any::<u64>(), any::<u64>(), any::<Option<[u8; 20]>>(), any_word()),
        (any::<[u128; 2]>(), prop::collection::vec(any::<u8>(), 0..70)),
        prop::collection::vec(any::<[u8; 32]>(), 0..3),
        (any_word(), any_word(), any::<bool>()),
    )
        .prop_map(|((nonce, gas_limit, to, value), (prices, input), keys, (r, s, odd))| Common {
            nonce,
            gas_limit,
            to,
            value,
            prices,
            input,
            keys,
            signature: Signature::new(U256::from_be_bytes(r), U256::from_be_bytes(s), odd),
        });
    (0u8..5, common).prop_map(|(kind, common)| transaction(kind, common))
}

/// Blocks from block 100 on that follow each other.
pub(crate) fn any_blocks(max: usize) -> impl Strategy<Value = Vec<BatchBlock>> {
    let block = (any::<bool>(), prop::collection::vec(any_transaction(), 0..4));
    (50u64..u64::from(u32::MAX), prop::collection::vec(block, 1..max)).prop_map(
        |(origin, blocks)| {
            let mut l1 = origin;
            let mut sequence_number = 3;
            let block = |(index, (changed, transactions)): (usize, (bool, Vec<Bytes>))| {
                (l1, sequence_number) =
                    if changed { (l1 + 1, 0) } else { (l1, sequence_number + 1) };
                let number = 100 + index as u64;
                let block = L2BlockRef {
                    hash: B256::with_last_byte(number as u8),
                    number,
                    parent_hash: B256::with_last_byte(number as u8 - 1),
                    timestamp: GENESIS_TIME + 2 * number,
                    l1_origin: BlockNumHash::new(l1, B256::repeat_byte(l1 as u8)),
                    sequence_number,
                };
                BatchBlock { block, transactions }
            };
            blocks.into_iter().enumerate().map(block).collect()
        },
    )
}

/// What a span batch of the blocks must decode to.
fn span_of(blocks: &[BatchBlock]) -> SpanBatch {
    let check = |hash: B256| hash.0[..20].try_into().unwrap();
    SpanBatch {
        parent_check: check(blocks[0].block.parent_hash),
        l1_origin_check: check(blocks.last().unwrap().block.l1_origin.hash),
        blocks: blocks
            .iter()
            .map(|block| SpanBatchBlock {
                epoch: block.block.l1_origin.number,
                timestamp: block.block.timestamp,
                transactions: block.transactions.clone(),
            })
            .collect(),
    }
}

fn encode_span(blocks: &[BatchBlock]) -> Vec<u8> {
    let mut builder = SpanBatchBuilder::new(&config());
    for block in blocks {
        builder.push(block).unwrap();
    }
    let encoded = builder.encode().unwrap();
    assert!(encoded.len() <= builder.max_encoded_len());
    assert!(encoded.len() + MAX_SLACK >= builder.max_encoded_len());
    encoded
}

const MAX_SLACK: usize = 30;

mod hostile;
mod vectors;

proptest! {
    #[test]
    fn span_batches_round_trip(blocks in any_blocks(8)) {
        let encoded = encode_span(&blocks);
        let decoded = Batch::decode(&encoded, &config());
        prop_assert_eq!(decoded, Ok(Batch::Span(span_of(&blocks))));
        // What stands behind the content is passed over.
        let longer = [encoded.as_slice(), &[1, 2, 3]].concat();
        prop_assert_eq!(Batch::decode(&longer, &config()), Ok(Batch::Span(span_of(&blocks))));
    }

    #[test]
    fn singular_batches_round_trip(blocks in any_blocks(2)) {
        let batch = SingularBatch::from(&blocks[0]);
        prop_assert_eq!(Batch::decode(&batch.encode(), &config()), Ok(Batch::Singular(batch)));
    }
}
