//! Configurations.

use alloy_eips::BlockNumHash;
use alloy_primitives::{Address, B256};

use crate::{CairnConfig, ChainOpConfig, ForkTimes, RollupConfig, RollupGenesis, SystemConfig};

/// Timestamp of L2's genesis block.
pub const GENESIS_TIME: u64 = 1_700_000_000;
/// Chain id of L2.
pub const CHAIN_ID: u64 = 901;
/// Whose batches count in [`jovian`].
pub const BATCHER: Address = Address::repeat_byte(0xba);

/// A rollup on Isthmus whose genesis blocks and contracts are all zero.
pub fn config() -> RollupConfig {
    RollupConfig {
        genesis: RollupGenesis {
            l1: BlockNumHash::default(),
            l2: BlockNumHash::default(),
            l2_time: GENESIS_TIME,
            system_config: SystemConfig::default(),
        },
        block_time: 2,
        max_sequencer_drift: 1800,
        seq_window_size: 3600,
        channel_timeout: 300,
        channel_timeout_granite: 50,
        l1_chain_id: 31337,
        l2_chain_id: CHAIN_ID,
        forks: ForkTimes::default(),
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

/// The same with all forks from genesis on, a batcher and a gas limit.
pub fn jovian() -> RollupConfig {
    let mut config = config();
    let at_genesis = Some(GENESIS_TIME);
    config.forks = ForkTimes {
        granite_time: at_genesis,
        holocene_time: at_genesis,
        isthmus_time: at_genesis,
        jovian_time: at_genesis,
        ..ForkTimes::default()
    };
    config.genesis.system_config = SystemConfig {
        batcher: BATCHER,
        gas_limit: 30_000_000,
        scalar: B256::with_last_byte(7),
        ..SystemConfig::default()
    };
    config
}

/// A rollup with blocks of a second on a genesis block of L2 that somebody else made, all forks from the
/// start, its contracts told apart by their last byte.
pub fn on_genesis(l1: BlockNumHash, l2: B256, time: u64, gas_limit: u64) -> RollupConfig {
    let contract = Address::with_last_byte;
    let system_config = SystemConfig { batcher: contract(1), gas_limit, ..SystemConfig::default() };
    let l2 = BlockNumHash { number: 0, hash: l2 };
    RollupConfig {
        genesis: RollupGenesis { l1, l2, l2_time: time, system_config },
        block_time: 1,
        max_sequencer_drift: 600,
        forks: ForkTimes {
            granite_time: Some(0),
            holocene_time: Some(0),
            isthmus_time: Some(0),
            jovian_time: Some(0),
            ..ForkTimes::default()
        },
        batch_inbox_address: contract(2),
        deposit_contract_address: contract(3),
        l1_system_config_address: contract(4),
        cairn: CairnConfig {
            da_registry: contract(5),
            certificate_verifier: contract(6),
            dispute_game_factory: contract(7),
            output_game_type: 67,
            ..CairnConfig::default()
        },
        ..config()
    }
}
