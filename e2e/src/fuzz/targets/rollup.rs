//! What the inputs of the rollup's targets are made of: transactions of every type, blocks, batches.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxEnvelope, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::Authorization;
use alloy_eips::{BlockNumHash, eip7702::SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use cairn_rollup::batch::{BatchBlock, SingularBatch};
use cairn_rollup::testing::{CHAIN_ID, GENESIS_TIME, LEAST_GAS, singular, span};
use cairn_rollup::{L2BlockRef, RollupConfig};

/// A transaction of one of six kinds, as far as decoding goes: its signature is nobody's.
pub(super) fn transaction(nonce: u64, gas_limit: u64) -> Bytes {
    let to = Address::with_last_byte(nonce as u8);
    let input = Bytes::from(vec![nonce as u8; nonce as usize % 7]);
    let (value, chain_id) = (U256::from(nonce), CHAIN_ID);
    let (max_fee_per_gas, max_priority_fee_per_gas) = (1_000_000_000, nonce.into());
    let keys = vec![B256::with_last_byte(9); nonce as usize % 3];
    let access_list = AccessList(vec![AccessListItem { address: to, storage_keys: keys }]);
    let signature = Signature::new(U256::from(nonce + 1), U256::MAX >> (nonce % 9), nonce % 2 == 1);
    let legacy = |chain_id, to| {
        let (gas_price, input) = (max_fee_per_gas, input.clone());
        TxLegacy { chain_id, nonce, gas_price, gas_limit, to, value, input }
    };
    let tx: TxEnvelope = match nonce % 6 {
        0 => legacy(None, to.into()).into_signed(signature).into(),
        1 => legacy(Some(chain_id), TxKind::Create).into_signed(signature).into(),
        2 => TxEip2930 {
            chain_id,
            nonce,
            gas_price: max_fee_per_gas,
            gas_limit,
            to: to.into(),
            value,
            access_list,
            input,
        }
        .into_signed(signature)
        .into(),
        3 => TxEip7702 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to,
            value,
            access_list,
            authorization_list: vec![authorization(nonce)],
            input,
        }
        .into_signed(signature)
        .into(),
        kind => TxEip1559 {
            chain_id,
            nonce,
            gas_limit,
            max_fee_per_gas,
            max_priority_fee_per_gas,
            to: if kind == 4 { to.into() } else { TxKind::Create },
            value,
            access_list: AccessList::default(),
            input,
        }
        .into_signed(signature)
        .into(),
    };
    tx.encoded_2718().into()
}

fn authorization(nonce: u64) -> SignedAuthorization {
    let inner = Authorization { chain_id: U256::from(CHAIN_ID), address: Address::ZERO, nonce };
    SignedAuthorization::new_unchecked(inner, 1, U256::from(5), U256::from(6))
}

/// Blocks that follow each other, with none to three transactions; every third has a new origin.
pub(super) fn blocks(count: u64, block_time: u64) -> Vec<BatchBlock> {
    let hash = |number: u64| B256::from(U256::from(number).to_be_bytes());
    let block = |number: u64| {
        let block = L2BlockRef {
            hash: hash(number),
            number,
            parent_hash: hash(number - 1),
            timestamp: GENESIS_TIME + block_time * number,
            l1_origin: BlockNumHash::new(number / 3, hash(1000 + number / 3)),
            sequence_number: number % 3,
        };
        let transactions = (0..number % 4).map(|n| transaction(number * 5 + n, LEAST_GAS));
        BatchBlock { block, transactions: transactions.collect() }
    };
    (7..7 + count).map(block).collect()
}

/// Batches as they stand in a channel: one span batch, or a singular batch for each block.
pub(super) fn batches(config: &RollupConfig, blocks: &[BatchBlock], as_span: bool) -> Vec<Vec<u8>> {
    if as_span {
        return vec![span(config, blocks)];
    }
    singular(blocks).iter().map(SingularBatch::encode).collect()
}
