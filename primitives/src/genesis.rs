//! Genesis blocks from geth-style `genesis.json` files.

use alloy_consensus::constants::EMPTY_WITHDRAWALS;
use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, Header};
use alloy_eips::eip1559::INITIAL_BASE_FEE;
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_genesis::Genesis;
use alloy_hardforks::EthereumHardforks;
use alloy_primitives::{B64, B256, Bloom};
use alloy_trie::EMPTY_ROOT_HASH;

use crate::ChainSpec;

/// Why a genesis file cannot start a chain.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    /// Not the JSON of a genesis file.
    #[error("genesis file: {0}")]
    Json(#[from] serde_json::Error),
    /// A field of the `optimism` section or a fork time has another type.
    #[error("genesis field `{field}`: {reason}")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Forks that build on each other are out of order.
    #[error("fork {later} at {later_time} starts before {earlier}, which it builds on")]
    ForkOrder {
        /// The fork that must come first.
        earlier: &'static str,
        /// The fork that builds on it.
        later: &'static str,
        /// Timestamp of the latter.
        later_time: u64,
    },
}

/// The genesis header for a state root.
///
/// `message_passer_root` is the storage root of the L2-to-L1 message passer; from Isthmus on it
/// stands in the withdrawals root (OP specification, Isthmus execution engine).
pub fn genesis_header(
    spec: &ChainSpec,
    genesis: &Genesis,
    state_root: B256,
    message_passer_root: B256,
) -> Header {
    let (number, time) = (genesis.number.unwrap_or(0), genesis.timestamp);
    let london = spec.is_london_active_at_block(number);
    let cancun = spec.is_cancun_active_at_timestamp(time);
    let prague = spec.is_prague_active_at_timestamp(time);
    let withdrawals_root = spec.is_shanghai_active_at_timestamp(time).then(|| {
        if spec.is_optimism() && prague { message_passer_root } else { EMPTY_WITHDRAWALS }
    });
    Header {
        parent_hash: genesis.parent_hash.unwrap_or(B256::ZERO),
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: genesis.coinbase,
        state_root,
        transactions_root: EMPTY_ROOT_HASH,
        receipts_root: EMPTY_ROOT_HASH,
        logs_bloom: Bloom::ZERO,
        difficulty: genesis.difficulty,
        number,
        gas_limit: genesis.gas_limit,
        gas_used: 0,
        timestamp: time,
        extra_data: genesis.extra_data.clone(),
        mix_hash: genesis.mix_hash,
        nonce: B64::from(genesis.nonce),
        base_fee_per_gas: london.then(|| {
            genesis.base_fee_per_gas.and_then(|fee| fee.try_into().ok()).unwrap_or(INITIAL_BASE_FEE)
        }),
        withdrawals_root,
        blob_gas_used: cancun.then(|| genesis.blob_gas_used.unwrap_or(0)),
        excess_blob_gas: cancun.then(|| genesis.excess_blob_gas.unwrap_or(0)),
        parent_beacon_block_root: cancun.then_some(B256::ZERO),
        requests_hash: prague.then_some(EMPTY_REQUESTS_HASH),
        ..Header::default()
    }
}
