//! `rollup.json`: the parameters of one rollup, with op-node's field names.

use alloy_eips::BlockNumHash;
use alloy_primitives::Address;
use serde::{Deserialize, Serialize};

use crate::SystemConfig;

/// Seconds by which an L2 block may be ahead of its L1 origin (Fjord makes it a constant).
pub const MAX_SEQUENCER_DRIFT: u64 = 1800;
/// L1 blocks for which a channel is open (Granite).
pub const CHANNEL_TIMEOUT: u64 = 50;

/// Parameters of one rollup. All nodes of a chain have the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollupConfig {
    /// Where both chains begin.
    pub genesis: RollupGenesis,
    /// Seconds between L2 blocks.
    pub block_time: u64,
    /// Seconds by which an L2 block may be ahead of its L1 origin and hold more than deposits.
    pub max_sequencer_drift: u64,
    /// L1 blocks after an origin within which its batches must be on L1.
    pub seq_window_size: u64,
    /// L1 blocks after a channel's first frame within which its last must come. Before Granite;
    /// afterwards `channel_timeout_granite` holds.
    pub channel_timeout: u64,
    /// The same since Granite.
    #[serde(default = "granite_channel_timeout")]
    pub channel_timeout_granite: u64,
    /// Chain id of L1.
    pub l1_chain_id: u64,
    /// Chain id of L2.
    pub l2_chain_id: u64,
    /// Fork timestamps; absent means never.
    #[serde(flatten)]
    pub forks: ForkTimes,
    /// The batch inbox: where batches are sent.
    pub batch_inbox_address: Address,
    /// The `OptimismPortal`: whose events are deposits.
    pub deposit_contract_address: Address,
    /// The `SystemConfig`: whose events change the system configuration.
    pub l1_system_config_address: Address,
    /// Said by op-node's files; not used.
    #[serde(default)]
    pub protocol_versions_address: Address,
    /// EIP-1559 constants.
    pub chain_op_config: ChainOpConfig,
    /// What only Cairn has.
    pub cairn: CairnConfig,
}

/// Where both chains begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollupGenesis {
    /// The first L1 block whose data counts is the one after it.
    pub l1: BlockNumHash,
    /// L2's genesis block.
    pub l2: BlockNumHash,
    /// Its timestamp.
    pub l2_time: u64,
    /// System configuration as of the L1 block.
    pub system_config: SystemConfig,
}

/// Timestamps of the forks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ForkTimes {
    /// Regolith.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regolith_time: Option<u64>,
    /// Canyon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canyon_time: Option<u64>,
    /// Delta.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta_time: Option<u64>,
    /// Ecotone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ecotone_time: Option<u64>,
    /// Fjord.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fjord_time: Option<u64>,
    /// Granite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granite_time: Option<u64>,
    /// Holocene.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holocene_time: Option<u64>,
    /// Isthmus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub isthmus_time: Option<u64>,
    /// Jovian.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jovian_time: Option<u64>,
    /// Karst.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub karst_time: Option<u64>,
}

/// EIP-1559 constants of the chain, used while the system configuration says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainOpConfig {
    /// Gas limit divided by gas target.
    pub eip1559_elasticity: u32,
    /// Largest relative change of the base fee, as a divisor, before Canyon.
    pub eip1559_denominator: u32,
    /// The same from Canyon on.
    pub eip1559_denominator_canyon: u32,
}

/// Contracts and forks that only Cairn has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct CairnConfig {
    /// `OperatorRegistry` of the DA network.
    pub da_registry: Address,
    /// The certificate verifier that the inbox asks: the router.
    pub certificate_verifier: Address,
    /// `DisputeGameFactory`: where output roots are proposed.
    pub dispute_game_factory: Address,
    /// Type of the games that proposals are.
    pub output_game_type: u32,
    /// Timestamp of Cairn's own precompiles; absent means never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cairn_time: Option<u64>,
}

/// A `rollup.json` that no chain can run with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RollupConfigError {
    /// Derivation here begins with Isthmus.
    #[error("{fork} must be active at genesis (time {genesis}), not at {time:?}")]
    ForkNotAtGenesis {
        /// Name of the field.
        fork: &'static str,
        /// Genesis time.
        genesis: u64,
        /// Configured time.
        time: Option<u64>,
    },
    /// A fork whose activation block holds upgrade transactions, which this node does not make.
    #[error("{fork} must be active at genesis (time {genesis}) or never, not at {time}")]
    ForkAfterGenesis {
        /// Name of the field.
        fork: &'static str,
        /// Genesis time.
        genesis: u64,
        /// Configured time.
        time: u64,
    },
    /// A value that makes no sense.
    #[error("{field} is {value}: {reason}")]
    Value {
        /// Name of the field.
        field: &'static str,
        /// Its value.
        value: u64,
        /// What is wrong with it.
        reason: &'static str,
    },
}

const fn granite_channel_timeout() -> u64 {
    CHANNEL_TIMEOUT
}

impl RollupConfig {
    /// Checks what every node relies on.
    pub fn check(&self) -> Result<(), RollupConfigError> {
        let genesis = self.genesis.l2_time;
        let forks = [
            ("granite_time", self.forks.granite_time),
            ("holocene_time", self.forks.holocene_time),
            ("isthmus_time", self.forks.isthmus_time),
        ];
        for (fork, time) in forks {
            if time.is_none_or(|time| time > genesis) {
                return Err(RollupConfigError::ForkNotAtGenesis { fork, genesis, time });
            }
        }
        for (fork, time) in
            [("jovian_time", self.forks.jovian_time), ("karst_time", self.forks.karst_time)]
        {
            if let Some(time) = time.filter(|time| *time > genesis) {
                return Err(RollupConfigError::ForkAfterGenesis { fork, genesis, time });
            }
        }
        let positive = [
            ("block_time", self.block_time),
            ("seq_window_size", self.seq_window_size),
            ("channel_timeout_granite", self.channel_timeout_granite),
        ];
        for (field, value) in positive {
            if value == 0 {
                return Err(RollupConfigError::Value { field, value, reason: "must be positive" });
            }
        }
        Ok(())
    }

    /// Whether Jovian's rules hold at that L2 time.
    pub fn is_jovian(&self, timestamp: u64) -> bool {
        self.forks.jovian_time.is_some_and(|time| timestamp >= time)
    }

    /// Seconds by which a block may be ahead of its origin.
    pub const fn sequencer_drift_max(&self) -> u64 {
        MAX_SEQUENCER_DRIFT
    }

    /// L1 blocks for which a channel is open.
    pub const fn channel_lifetime(&self) -> u64 {
        self.channel_timeout_granite
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{GENESIS_TIME, jovian};

    #[test]
    fn forks_with_upgrade_transactions_are_active_at_genesis_or_never() {
        let mut config = jovian();
        assert_eq!(config.check(), Ok(()));
        config.forks.jovian_time = None;
        assert_eq!(config.check(), Ok(()));
        let (genesis, time) = (GENESIS_TIME, GENESIS_TIME + 1);
        config.forks.jovian_time = Some(time);
        let fork = "jovian_time";
        let error = RollupConfigError::ForkAfterGenesis { fork, genesis, time };
        assert_eq!(config.check(), Err(error));
        config.forks.jovian_time = None;
        config.forks.isthmus_time = None;
        let fork = "isthmus_time";
        let error = RollupConfigError::ForkNotAtGenesis { fork, genesis, time: None };
        assert_eq!(config.check(), Err(error));
    }
}
