//! What the inputs of the rollup's targets are made of: a configuration, transactions of every type, blocks.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxEnvelope, TxLegacy};
use alloy_eips::eip2718::Encodable2718;
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::Authorization;
use alloy_eips::{BlockNumHash, eip7702::SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use cairn_rollup::batch::{BatchBlock, SingularBatch, SpanBatchBuilder};
use cairn_rollup::{
    CairnConfig, ChainOpConfig, ForkTimes, L2BlockRef, RollupConfig, RollupGenesis, SystemConfig,
};

/// Chain id of L2.
pub(super) const CHAIN_ID: u64 = 901;
/// Timestamp of L2's genesis block.
pub(super) const GENESIS_TIME: u64 = 1_700_000_000;
/// Whose batches count.
pub(super) const BATCHER: Address = Address::repeat_byte(0xba);
/// Gas below which no transaction of these chains executes.
pub(super) const LEAST_GAS: u64 = 21_000;

/// A rollup of which everything is active from genesis.
pub(super) fn config() -> RollupConfig {
    let at_genesis = Some(GENESIS_TIME);
    RollupConfig {
        genesis: RollupGenesis {
            l1: BlockNumHash::default(),
            l2: BlockNumHash::default(),
            l2_time: GENESIS_TIME,
            system_config: SystemConfig {
                batcher: BATCHER,
                gas_limit: 30_000_000,
                scalar: B256::with_last_byte(7),
                ..SystemConfig::default()
            },
        },
        block_time: 2,
        max_sequencer_drift: 1800,
        seq_window_size: 3600,
        channel_timeout: 300,
        channel_timeout_granite: 50,
        l1_chain_id: 31337,
        l2_chain_id: CHAIN_ID,
        forks: ForkTimes {
            granite_time: at_genesis,
            holocene_time: at_genesis,
            isthmus_time: at_genesis,
            jovian_time: at_genesis,
            ..ForkTimes::default()
        },
        batch_inbox_address: Address::ZERO,
        deposit_contract_address: Address::ZERO,
        l1_system_config_address: Address::ZERO,
        protocol_versions_address: Address::ZERO,
        chain_op_config: ChainOpConfig {
            eip1559_elasticity: 6,
            eip1559_denominator: 50,
            eip1559_denominator_canyon: 250,
        },
        cairn: CairnConfig::default(),
    }
}

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

/// `version ‖ content` of a span batch.
pub(super) fn span(config: &RollupConfig, blocks: &[BatchBlock]) -> eyre::Result<Vec<u8>> {
    let mut builder = SpanBatchBuilder::new(config);
    for block in blocks {
        builder.push(block)?;
    }
    builder.encode().ok_or_else(|| eyre::eyre!("no block"))
}

/// Batches as they stand in a channel: one span batch, or a singular batch for each block.
pub(super) fn batches(
    config: &RollupConfig,
    blocks: &[BatchBlock],
    as_span: bool,
) -> eyre::Result<Vec<Vec<u8>>> {
    if as_span {
        return Ok(vec![span(config, blocks)?]);
    }
    Ok(blocks.iter().map(|block| SingularBatch::from(block).encode()).collect())
}

/// What is compressed: batches as RLP strings.
pub(super) fn plain(batches: &[Vec<u8>]) -> Vec<u8> {
    let mut out = Vec::new();
    for batch in batches {
        alloy_rlp::Encodable::encode(batch.as_slice(), &mut out);
    }
    out
}
