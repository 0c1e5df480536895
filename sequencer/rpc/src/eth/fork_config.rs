//! `eth_config` (EIP-7910): the fork that is active, the next one and the last one known.

use std::collections::{BTreeMap, BTreeSet};

use alloy_eip2124::ForkHash;
use alloy_eips::eip2935::HISTORY_STORAGE_ADDRESS;
use alloy_eips::eip4788::BEACON_ROOTS_ADDRESS;
use alloy_eips::eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS;
use alloy_eips::eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS;
use alloy_hardforks::EthereumHardforks;
use alloy_primitives::{Address, Bytes, U64};
use cairn_chain::BlockRef;
use cairn_primitives::ChainSpec;
use serde::Serialize;

use super::precompile_names::precompiles;
use crate::view::quantity;
use crate::{Args, Backend, Methods, RpcError};

pub(super) fn register(methods: &mut Methods) {
    methods.reading("eth_config", 0, config);
}

#[derive(Debug, Serialize)]
struct Configs {
    current: Option<ForkConfig>,
    next: Option<ForkConfig>,
    last: Option<ForkConfig>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ForkConfig {
    activation_time: u64,
    blob_schedule: Option<BlobConfig>,
    chain_id: U64,
    fork_id: Bytes,
    precompiles: BTreeMap<&'static str, Address>,
    system_contracts: BTreeMap<&'static str, Address>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct BlobConfig {
    target: u64,
    max: u64,
    base_fee_update_fraction: u128,
}

fn config(backend: &Backend, _: &Args) -> Result<Configs, RpcError> {
    let spec = backend.spec();
    let head = backend.chain.header(BlockRef::Latest)?;
    let now = head.ok_or_else(RpcError::header_not_found)?.1.timestamp;
    let genesis = backend.chain.header(BlockRef::Number(backend.chain.genesis().number))?;
    let (genesis_hash, genesis) = genesis.ok_or_else(RpcError::header_not_found)?;
    let forks = ForkTimes::new(spec, genesis.timestamp);
    let assemble = |time: u64| {
        let mut hash = ForkHash::from(genesis_hash);
        forks.passed(time).for_each(|fork| hash += fork);
        ForkConfig {
            activation_time: if genesis.timestamp >= time { 0 } else { time },
            blob_schedule: spec.blob_params(time).map(|params| BlobConfig {
                target: params.target_blob_count,
                max: params.max_blob_count,
                base_fee_update_fraction: params.update_fraction,
            }),
            chain_id: quantity(spec.chain_id()),
            fork_id: Bytes::from(hash.0),
            precompiles: precompiles(spec, time),
            system_contracts: system_contracts(spec, time),
        }
    };
    let current = forks.times.range(..=now).next_back().copied().unwrap_or(0);
    let next = forks.times.range(now.saturating_add(1)..).next().copied();
    let last = next.and(forks.times.last().copied());
    Ok(Configs {
        current: Some(assemble(current)),
        next: next.map(assemble),
        last: last.map(assemble),
    })
}

/// Activations of a chain, as EIP-2124 counts them: without duplicates, and without those that
/// hold from genesis on.
struct ForkTimes {
    blocks: BTreeSet<u64>,
    /// Those at genesis included.
    times: BTreeSet<u64>,
    genesis_time: u64,
}

impl ForkTimes {
    fn new(spec: &ChainSpec, genesis_time: u64) -> Self {
        let config = spec.config();
        let blocks = [
            config.homestead_block,
            config.dao_fork_block,
            config.eip150_block,
            config.eip155_block,
            config.eip158_block,
            config.byzantium_block,
            config.constantinople_block,
            config.petersburg_block,
            config.istanbul_block,
            config.muir_glacier_block,
            config.berlin_block,
            config.london_block,
            config.arrow_glacier_block,
            config.gray_glacier_block,
            config.merge_netsplit_block,
        ];
        let times = [
            config.shanghai_time,
            config.cancun_time,
            config.prague_time,
            config.osaka_time,
            config.bpo1_time,
            config.bpo2_time,
            config.bpo3_time,
            config.bpo4_time,
            config.bpo5_time,
        ];
        // OP forks stand among the extra fields, named `…Time` like the rest.
        let extra = config
            .extra_fields
            .iter()
            .filter(|(name, _)| name.ends_with("Time"))
            .filter_map(|(_, value)| value.as_u64());
        Self {
            blocks: blocks.into_iter().flatten().filter(|block| *block > 0).collect(),
            times: times.into_iter().flatten().chain(extra).collect(),
            genesis_time,
        }
    }

    /// Activations up to a time, in the order of the fork hash.
    fn passed(&self, time: u64) -> impl Iterator<Item = u64> {
        let times = self.times.range(..=time).filter(|fork| **fork > self.genesis_time);
        self.blocks.iter().chain(times).copied()
    }
}

fn system_contracts(spec: &ChainSpec, time: u64) -> BTreeMap<&'static str, Address> {
    let mut contracts = BTreeMap::new();
    if spec.is_cancun_active_at_timestamp(time) {
        contracts.insert("BEACON_ROOTS_ADDRESS", BEACON_ROOTS_ADDRESS);
    }
    if spec.is_prague_active_at_timestamp(time) {
        contracts.insert("HISTORY_STORAGE_ADDRESS", HISTORY_STORAGE_ADDRESS);
    }
    // OP chains have none of the contracts that make requests.
    if spec.is_prague_active_at_timestamp(time) && !spec.is_optimism() {
        contracts.insert(
            "CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS",
            CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
        );
        contracts
            .insert("WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS", WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS);
        if let Some(address) = spec.deposit_contract() {
            contracts.insert("DEPOSIT_CONTRACT_ADDRESS", address);
        }
    }
    contracts
}
