//! The specification of one chain: rules, fork schedule, fee parameters.

use alloy_eips::eip1559::BaseFeeParams;
use alloy_eips::eip7840::BlobParams;
use alloy_genesis::{ChainConfig, Genesis, GenesisAccount};
use alloy_hardforks::{EthereumHardfork, EthereumHardforks, ForkCondition};
use alloy_op_hardforks::{OpHardfork, OpHardforks};
use alloy_primitives::{Address, B256, U256, keccak256};
use op_alloy_consensus::{decode_holocene_extra_data, decode_jovian_extra_data};

use crate::{BlobSchedule, GenesisError, Header};

/// Whose rules a chain follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rules {
    /// OP rules: deposits, L1 data fee, withdrawals root in the header.
    Optimism(OptimismParams),
    /// Ethereum rules, for conformance suites and tooling.
    Ethereum,
}

/// The `optimism` section of a genesis file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OptimismParams {
    /// Gas limit divided by gas target.
    pub eip1559_elasticity: u32,
    /// Largest relative change of the base fee, as a divisor, before Canyon.
    pub eip1559_denominator: u32,
    /// The same from Canyon on.
    #[serde(default = "canyon_denominator")]
    pub eip1559_denominator_canyon: u32,
}

const fn canyon_denominator() -> u32 {
    250
}

impl Default for OptimismParams {
    fn default() -> Self {
        Self {
            eip1559_elasticity: 6,
            eip1559_denominator: 50,
            eip1559_denominator_canyon: canyon_denominator(),
        }
    }
}

/// A parent header from which no base fee follows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("extra data of block {number} holds no EIP-1559 parameters: {reason}")]
pub struct BaseFeeError {
    /// Number of the parent.
    pub number: u64,
    /// What the decoder said.
    pub reason: String,
}

/// One chain, as its genesis file describes it. Forks never change while a node runs.
#[derive(Debug, Clone)]
pub struct ChainSpec {
    rules: Rules,
    config: ChainConfig,
    op_times: [Option<u64>; 10],
    cairn_time: Option<u64>,
    blobs: BlobSchedule,
    config_hash: B256,
    storage_only_accounts: bool,
}

const OP_FORKS: [(OpHardfork, &str); 10] = [
    (OpHardfork::Bedrock, "bedrockBlock"),
    (OpHardfork::Regolith, "regolithTime"),
    (OpHardfork::Canyon, "canyonTime"),
    (OpHardfork::Ecotone, "ecotoneTime"),
    (OpHardfork::Fjord, "fjordTime"),
    (OpHardfork::Granite, "graniteTime"),
    (OpHardfork::Holocene, "holoceneTime"),
    (OpHardfork::Isthmus, "isthmusTime"),
    (OpHardfork::Jovian, "jovianTime"),
    (OpHardfork::Karst, "karstTime"),
];

impl ChainSpec {
    /// Reads a genesis file. Rules are OP when it has an `optimism` section.
    pub fn from_genesis(genesis: &Genesis) -> Result<Self, GenesisError> {
        let config = genesis.config.clone();
        let rules = match config.extra_fields.get("optimism") {
            None => Rules::Ethereum,
            Some(section) => {
                Rules::Optimism(serde_json::from_value(section.clone()).map_err(|e| {
                    GenesisError::Field { field: "optimism", reason: e.to_string() }
                })?)
            }
        };
        let time = |field: &'static str| match config.extra_fields.get(field) {
            None | Some(serde_json::Value::Null) => Ok(None),
            Some(value) => value.as_u64().map(Some).ok_or_else(|| GenesisError::Field {
                field,
                reason: format!("{value} is no timestamp"),
            }),
        };
        let mut op_times = [None; 10];
        for (slot, (_, field)) in op_times.iter_mut().zip(OP_FORKS) {
            *slot = time(field)?;
        }
        let cairn_time = time("cairnTime")?;
        // The whole configuration section, canonically ordered: two nodes that disagree on any
        // fork must not share a store.
        let config_hash = keccak256(serde_json::to_value(&config)?.to_string());
        let blobs = BlobSchedule::from_config(&config);
        let storage_only_accounts = matches!(rules, Rules::Ethereum)
            || genesis.alloc.is_empty()
            || genesis.alloc.values().any(is_storage_only);
        let spec =
            Self { rules, config, op_times, cairn_time, blobs, config_hash, storage_only_accounts };
        spec.check_fork_order()?;
        Ok(spec)
    }

    /// Chain id (EIP-155).
    pub const fn chain_id(&self) -> u64 {
        self.config.chain_id
    }

    /// Rules of the chain.
    pub const fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Whether there may be accounts with storage, but with neither nonce nor code. Since Spurious
    /// Dragon (EIP-161) only a genesis file makes them, and an OP chain is younger.
    pub const fn may_have_storage_only_accounts(&self) -> bool {
        self.storage_only_accounts
    }

    /// Whether the chain follows OP rules.
    pub const fn is_optimism(&self) -> bool {
        matches!(self.rules, Rules::Optimism(_))
    }

    /// Keccak-256 of the configuration section, by which a store knows its chain.
    pub const fn config_hash(&self) -> B256 {
        self.config_hash
    }

    /// The configuration section as it was read.
    pub const fn config(&self) -> &ChainConfig {
        &self.config
    }

    /// Blob parameters by time. Empty under OP rules, which admit no blob transactions.
    pub const fn blob_schedule(&self) -> &BlobSchedule {
        &self.blobs
    }

    /// Blob parameters at a timestamp.
    pub fn blob_params(&self, timestamp: u64) -> Option<BlobParams> {
        if self.is_optimism() { None } else { self.blobs.at(timestamp) }
    }

    /// Whether Cairn's own precompiles are active.
    pub fn is_cairn_active(&self, timestamp: u64) -> bool {
        self.cairn_time.is_some_and(|time| time <= timestamp)
    }

    /// The contract whose deposit events become requests (EIP-6110).
    pub const fn deposit_contract(&self) -> Option<Address> {
        self.config.deposit_contract_address
    }

    /// Proof-of-stake at that block. Under Ethereum rules a difficulty of zero tells, as it does
    /// in a header whose parent passed the terminal total difficulty.
    pub fn is_post_merge(&self, header_difficulty: U256) -> bool {
        self.is_optimism() || header_difficulty.is_zero()
    }

    /// Base fee of the block after `parent` whose timestamp is `timestamp` (EIP-1559; parameters
    /// from the parent's extra data since Holocene; minimum base fee and DA footprint since
    /// Jovian). `None` before London.
    pub fn next_base_fee(
        &self,
        parent: &Header,
        timestamp: u64,
    ) -> Result<Option<u64>, BaseFeeError> {
        if !self.is_london_active_at_block(parent.number + 1) {
            return Ok(None);
        }
        let Rules::Optimism(params) = &self.rules else {
            return Ok(parent
                .next_block_base_fee(BaseFeeParams::ethereum())
                .or(Some(alloy_eips::eip1559::INITIAL_BASE_FEE)));
        };
        let bad = |e: op_alloy_consensus::EIP1559ParamError| BaseFeeError {
            number: parent.number,
            reason: e.to_string(),
        };
        let default = params.base_fee_params(self.is_canyon_active_at_timestamp(timestamp));
        let explicit = |elasticity: u32, denominator: u32| {
            if denominator == 0 {
                default
            } else {
                BaseFeeParams::new(denominator.into(), elasticity.into())
            }
        };
        if self.is_jovian_active_at_timestamp(parent.timestamp) {
            let (elasticity, denominator, minimum) =
                decode_jovian_extra_data(&parent.extra_data).map_err(bad)?;
            let metered = parent.gas_used.max(parent.blob_gas_used.unwrap_or(0));
            let fee = alloy_eips::eip1559::calc_next_block_base_fee(
                metered,
                parent.gas_limit,
                parent.base_fee_per_gas.unwrap_or(0),
                explicit(elasticity, denominator),
            );
            return Ok(Some(fee.max(minimum)));
        }
        let params = if self.is_holocene_active_at_timestamp(parent.timestamp) {
            let (elasticity, denominator) =
                decode_holocene_extra_data(&parent.extra_data).map_err(bad)?;
            explicit(elasticity, denominator)
        } else {
            default
        };
        Ok(parent.next_block_base_fee(params))
    }

    fn check_fork_order(&self) -> Result<(), GenesisError> {
        let op = self.op_times[1..].iter().zip(&OP_FORKS[1..]);
        let mut times: Vec<(&'static str, Option<u64>)> =
            op.map(|(time, (_, name))| (*name, *time)).collect();
        if !self.is_optimism() {
            times = vec![
                ("shanghaiTime", self.config.shanghai_time),
                ("cancunTime", self.config.cancun_time),
                ("pragueTime", self.config.prague_time),
                ("osakaTime", self.config.osaka_time),
            ];
        }
        for pair in times.windows(2) {
            let [(earlier, before), (later, after)] = pair else {
                continue;
            };
            if let Some(later_time) = *after
                && before.is_none_or(|time| time > later_time)
            {
                return Err(GenesisError::ForkOrder { earlier, later, later_time });
            }
        }
        Ok(())
    }
}

impl OptimismParams {
    const fn base_fee_params(&self, canyon: bool) -> BaseFeeParams {
        let denominator =
            if canyon { self.eip1559_denominator_canyon } else { self.eip1559_denominator };
        BaseFeeParams::new(denominator as u128, self.eip1559_elasticity as u128)
    }
}

fn at_time(time: Option<u64>) -> ForkCondition {
    time.map_or(ForkCondition::Never, ForkCondition::Timestamp)
}

fn at_block(block: Option<u64>) -> ForkCondition {
    block.map_or(ForkCondition::Never, ForkCondition::Block)
}

fn is_storage_only(account: &GenesisAccount) -> bool {
    let unused =
        account.nonce.unwrap_or(0) == 0 && account.code.as_ref().is_none_or(|code| code.is_empty());
    unused && account.storage.as_ref().is_some_and(|storage| !storage.is_empty())
}

impl EthereumHardforks for ChainSpec {
    fn ethereum_fork_activation(&self, fork: EthereumHardfork) -> ForkCondition {
        use EthereumHardfork as F;
        let c = &self.config;
        if self.is_optimism() {
            // OP chains start after the merge; later Ethereum forks ride on OP forks.
            return match fork {
                F::Shanghai => self.op_fork_activation(OpHardfork::Canyon),
                F::Cancun => self.op_fork_activation(OpHardfork::Ecotone),
                F::Prague => self.op_fork_activation(OpHardfork::Isthmus),
                F::Osaka => self.op_fork_activation(OpHardfork::Karst),
                F::Dao => ForkCondition::Never,
                fork if fork <= F::Paris => ForkCondition::Block(0),
                _ => ForkCondition::Never,
            };
        }
        match fork {
            F::Frontier => ForkCondition::Block(0),
            F::Homestead => at_block(c.homestead_block),
            F::Dao => at_block(c.dao_fork_block.filter(|_| c.dao_fork_support)),
            F::Tangerine => at_block(c.eip150_block),
            F::SpuriousDragon => at_block(c.eip155_block),
            F::Byzantium => at_block(c.byzantium_block),
            F::Constantinople => at_block(c.constantinople_block),
            F::Petersburg => at_block(c.petersburg_block),
            F::Istanbul => at_block(c.istanbul_block),
            F::MuirGlacier => at_block(c.muir_glacier_block),
            F::Berlin => at_block(c.berlin_block),
            F::London => at_block(c.london_block),
            F::ArrowGlacier => at_block(c.arrow_glacier_block),
            F::GrayGlacier => at_block(c.gray_glacier_block),
            F::Paris => match c.terminal_total_difficulty {
                Some(total_difficulty) => ForkCondition::TTD {
                    activation_block_number: c.merge_netsplit_block.unwrap_or(0),
                    total_difficulty,
                    fork_block: c.merge_netsplit_block,
                },
                None => ForkCondition::Never,
            },
            F::Shanghai => at_time(c.shanghai_time),
            F::Cancun => at_time(c.cancun_time),
            F::Prague => at_time(c.prague_time),
            F::Osaka => at_time(c.osaka_time),
            F::Bpo1 => at_time(c.bpo1_time),
            F::Bpo2 => at_time(c.bpo2_time),
            F::Bpo3 => at_time(c.bpo3_time),
            F::Bpo4 => at_time(c.bpo4_time),
            F::Bpo5 => at_time(c.bpo5_time),
            _ => ForkCondition::Never,
        }
    }
}

impl OpHardforks for ChainSpec {
    fn op_fork_activation(&self, fork: OpHardfork) -> ForkCondition {
        let Some(at) = OP_FORKS.iter().position(|(known, _)| *known == fork) else {
            return ForkCondition::Never;
        };
        if !self.is_optimism() {
            return ForkCondition::Never;
        }
        if fork == OpHardfork::Bedrock {
            at_block(self.op_times[at])
        } else {
            at_time(self.op_times[at])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(json: serde_json::Value) -> Result<ChainSpec, GenesisError> {
        let genesis: Genesis = serde_json::from_value(serde_json::json!({
            "config": json, "difficulty": "0x0", "gasLimit": "0x1c9c380", "alloc": {}
        }))?;
        ChainSpec::from_genesis(&genesis)
    }

    fn jovian() -> ChainSpec {
        spec(serde_json::json!({
            "chainId": 901, "bedrockBlock": 0, "regolithTime": 0, "canyonTime": 0, "ecotoneTime": 0,
            "fjordTime": 0, "graniteTime": 0, "holoceneTime": 0, "isthmusTime": 0, "jovianTime": 0,
            "optimism": {"eip1559Elasticity": 6, "eip1559Denominator": 50}
        }))
        .unwrap()
    }

    #[test]
    fn storage_only_accounts_are_looked_for_unless_genesis_rules_them_out() {
        let with = |config: serde_json::Value, alloc: serde_json::Value| {
            let genesis = serde_json::json!({
                "config": config, "difficulty": "0x0", "gasLimit": "0x1c9c380", "alloc": alloc
            });
            let spec = ChainSpec::from_genesis(&serde_json::from_value(genesis).unwrap()).unwrap();
            spec.may_have_storage_only_accounts()
        };
        let op = serde_json::json!({
            "chainId": 901, "optimism": {"eip1559Elasticity": 6, "eip1559Denominator": 50}
        });
        let address = "0x0000000000000000000000000000000000000001";
        let slot = format!("0x{:064x}", 1);
        let plain = serde_json::json!({ address: {"balance": "0x1"} });
        let contract = serde_json::json!({
            address: {"balance": "0x0", "code": "0x00", "storage": {&slot: &slot}}
        });
        let storage = serde_json::json!({ address: {"balance": "0x0", "storage": {&slot: &slot}} });
        assert!(!with(op.clone(), plain.clone()));
        assert!(!with(op.clone(), contract));
        assert!(with(op.clone(), storage));
        assert!(with(op, serde_json::json!({})));
        assert!(with(serde_json::json!({"chainId": 1}), plain));
    }

    #[test]
    fn ethereum_forks_ride_on_op_forks() {
        let spec = jovian();
        assert!(spec.is_prague_active_at_timestamp(0));
        assert!(!spec.is_osaka_active_at_timestamp(u64::MAX));
        assert!(!spec.is_cairn_active(u64::MAX));
    }

    #[test]
    fn jovian_base_fee_takes_parameters_and_minimum_from_the_parent() {
        let spec = jovian();
        // Version 1, denominator 8, elasticity 2, minimum 1000 wei.
        let mut extra = vec![1];
        extra.extend(8u32.to_be_bytes());
        extra.extend(2u32.to_be_bytes());
        extra.extend(1000u64.to_be_bytes());
        let mut parent = Header {
            gas_limit: 1_000_000,
            base_fee_per_gas: Some(10_000),
            extra_data: extra.into(),
            ..Header::default()
        };
        assert_eq!(spec.next_base_fee(&parent, 1).unwrap(), Some(8_750));
        parent.base_fee_per_gas = Some(1_000);
        assert_eq!(spec.next_base_fee(&parent, 1).unwrap(), Some(1_000));
        // The DA footprint counts like gas: a full one raises the fee.
        parent.blob_gas_used = Some(1_000_000);
        assert_eq!(spec.next_base_fee(&parent, 1).unwrap(), Some(1_125));
    }

    #[test]
    fn parent_without_parameters_is_an_error() {
        let parent = Header { gas_limit: 1, base_fee_per_gas: Some(1), ..Header::default() };
        assert_eq!(jovian().next_base_fee(&parent, 1).unwrap_err().number, 0);
    }

    #[test]
    fn forks_out_of_order_are_refused() {
        let wrong = spec(serde_json::json!({
            "chainId": 1, "optimism": {"eip1559Elasticity": 6, "eip1559Denominator": 50},
            "regolithTime": 5, "canyonTime": 4
        }));
        assert!(matches!(wrong, Err(GenesisError::ForkOrder { later: "canyonTime", .. })));
    }

    #[test]
    fn chains_that_differ_in_a_fork_time_differ_in_hash() {
        let a = spec(serde_json::json!({"chainId": 1, "shanghaiTime": 4})).unwrap();
        let b = spec(serde_json::json!({"chainId": 1, "shanghaiTime": 5})).unwrap();
        assert_ne!(a.config_hash(), b.config_hash());
    }
}
