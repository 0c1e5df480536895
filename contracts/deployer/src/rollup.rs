//! L2's genesis and `rollup.json`, as functions of the settings, the contracts and the L1 origin.

use alloy::eips::BlockNumHash;
use alloy_genesis::Genesis;
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_trie::root::{state_root_ref_unhashed, storage_root_unhashed};
use cairn_genesis::predeploys::L2_TO_L1_MESSAGE_PASSER;
use cairn_genesis::{DevOptions, dev_genesis};
use cairn_primitives::{ChainSpec, Header, genesis_header};
use cairn_rollup::{
    CHANNEL_TIMEOUT, CairnConfig, ChainOpConfig, Eip1559Params, ForkTimes, MAX_SEQUENCER_DRIFT,
    OperatorFeeParams, RollupConfig, RollupGenesis, SystemConfig,
};

use crate::config::Settings;
use crate::contracts::Contracts;
use crate::error::DeployError;
use crate::l1::Origin;

/// L2's beginning.
#[derive(Debug, Clone)]
pub(crate) struct L2 {
    pub(crate) genesis: Genesis,
    pub(crate) rollup: RollupConfig,
    /// Output root of the genesis block.
    pub(crate) output_root: B256,
}

impl L2 {
    pub(crate) fn new(
        settings: &Settings,
        contracts: &Contracts,
        origin: Origin,
    ) -> Result<Self, DeployError> {
        let genesis = genesis(settings, contracts, origin.timestamp)?;
        let header = header(&genesis)?;
        let hash = header.hash_slow();
        let rollup = RollupConfig {
            genesis: RollupGenesis {
                l1: origin.id,
                l2: BlockNumHash { number: header.number, hash },
                l2_time: header.timestamp,
                system_config: system_config(settings),
            },
            ..parameters(settings, contracts)
        };
        rollup.check().map_err(|e| DeployError::Genesis(e.to_string()))?;
        let output_root = output_root(&header, hash);
        Ok(Self { genesis, rollup, output_root })
    }
}

fn genesis(
    settings: &Settings,
    contracts: &Contracts,
    timestamp: u64,
) -> Result<Genesis, DeployError> {
    let l2 = &settings.config.l2;
    let options = DevOptions {
        chain_id: l2.chain_id,
        l1_chain_id: settings.l1_chain_id,
        timestamp,
        gas_limit: l2.gas_limit,
        base_fee: l2.min_base_fee,
        min_base_fee: l2.min_base_fee,
        elasticity: l2.eip1559_elasticity,
        base_fee_denominator: l2.eip1559_denominator,
        mnemonic: l2.mnemonic.clone(),
        accounts: settings.accounts,
        balance: l2.balance,
        owner: Some(settings.roles.owner),
        fee_recipient: Some(settings.roles.fee_recipient),
        l1_messenger: contracts.l1_cross_domain_messenger,
        l1_standard_bridge: contracts.l1_standard_bridge,
        l1_erc721_bridge: contracts.l1_erc721_bridge,
        cairn_time: l2.cairn_time,
    };
    let mut genesis = dev_genesis(&options).map_err(|e| DeployError::Genesis(e.to_string()))?;
    for account in &l2.prefunded {
        fund(&mut genesis, account.address, account.balance)?;
    }
    Ok(genesis)
}

fn fund(genesis: &mut Genesis, address: Address, balance: U256) -> Result<(), DeployError> {
    let account = genesis.alloc.entry(address).or_default();
    if account.code.is_some() {
        let reason = "is a contract of the genesis";
        return Err(DeployError::config("l2.prefunded", address, reason));
    }
    account.balance = balance;
    Ok(())
}

/// The header of the genesis block.
fn header(genesis: &Genesis) -> Result<Header, DeployError> {
    let spec = ChainSpec::from_genesis(genesis).map_err(|e| DeployError::Genesis(e.to_string()))?;
    let state_root = state_root_ref_unhashed(&genesis.alloc);
    let passer = genesis.alloc.get(&L2_TO_L1_MESSAGE_PASSER).and_then(|a| a.storage.as_ref());
    let slots = passer.into_iter().flatten().map(|(slot, value)| (*slot, (*value).into()));
    Ok(genesis_header(&spec, genesis, state_root, storage_root_unhashed(slots)))
}

/// Version 0: `keccak256(version (32) ‖ state root ‖ storage root of the message passer ‖ block hash)`
/// (OP specification: withdrawals).
fn output_root(header: &Header, hash: B256) -> B256 {
    let passer = header.withdrawals_root.unwrap_or_default();
    keccak256([B256::ZERO, header.state_root, passer, hash].map(|word| word.0).concat())
}

/// As of the L1 origin, and what `SystemConfig` was initialized with.
fn system_config(settings: &Settings) -> SystemConfig {
    let l2 = &settings.config.l2;
    let mut scalar = B256::ZERO;
    scalar.0[0] = 1;
    scalar.0[24..28].copy_from_slice(&l2.blob_base_fee_scalar.to_be_bytes());
    scalar.0[28..].copy_from_slice(&l2.base_fee_scalar.to_be_bytes());
    SystemConfig {
        batcher: settings.roles.batcher,
        overhead: B256::ZERO,
        scalar,
        gas_limit: l2.gas_limit,
        eip1559: Eip1559Params {
            denominator: l2.eip1559_denominator,
            elasticity: l2.eip1559_elasticity,
        },
        operator_fee: OperatorFeeParams::default(),
        min_base_fee: l2.min_base_fee,
        da_footprint_gas_scalar: l2.da_footprint_gas_scalar,
    }
}

/// All but the genesis.
fn parameters(settings: &Settings, contracts: &Contracts) -> RollupConfig {
    let l2 = &settings.config.l2;
    let at_once = Some(0);
    RollupConfig {
        genesis: RollupGenesis {
            l1: BlockNumHash::default(),
            l2: BlockNumHash::default(),
            l2_time: 0,
            system_config: SystemConfig::default(),
        },
        block_time: l2.block_time,
        max_sequencer_drift: MAX_SEQUENCER_DRIFT,
        seq_window_size: l2.seq_window_size,
        channel_timeout: CHANNEL_TIMEOUT,
        channel_timeout_granite: CHANNEL_TIMEOUT,
        l1_chain_id: settings.l1_chain_id,
        l2_chain_id: l2.chain_id,
        forks: ForkTimes {
            regolith_time: at_once,
            canyon_time: at_once,
            delta_time: at_once,
            ecotone_time: at_once,
            fjord_time: at_once,
            granite_time: at_once,
            holocene_time: at_once,
            isthmus_time: at_once,
            jovian_time: at_once,
            karst_time: None,
        },
        batch_inbox_address: contracts.batch_inbox,
        deposit_contract_address: contracts.optimism_portal,
        l1_system_config_address: contracts.system_config,
        protocol_versions_address: contracts.protocol_versions,
        chain_op_config: ChainOpConfig {
            eip1559_elasticity: l2.eip1559_elasticity,
            eip1559_denominator: l2.eip1559_denominator,
            eip1559_denominator_canyon: l2.eip1559_denominator,
        },
        cairn: CairnConfig {
            da_registry: contracts.operator_registry,
            certificate_verifier: contracts.certificate_verifier_router,
            dispute_game_factory: contracts.dispute_game_factory,
            output_game_type: settings.config.withdrawals.game_type,
            cairn_time: l2.cairn_time,
        },
    }
}
