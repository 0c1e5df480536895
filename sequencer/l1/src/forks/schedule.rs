//! # Format
//! A chain configuration in geth's form, or a genesis file with one in `config`: fork times as `cancunTime`,
//! `pragueTime`, `osakaTime`, `bpo1Time`, …, and for each of these forks an entry of `blobSchedule` under its name
//! (`cancun`, `bpo1`) with `target`, `max` and `baseFeeUpdateFraction`. op-node takes the same file.

use std::collections::BTreeMap;

use alloy_eips::eip7840::BlobParams;
use alloy_genesis::ChainConfig;
use alloy_hardforks::{ethereum, hoodi, sepolia};
use serde_json::Value;

use super::L1Forks;

/// Blob parameters of an L1 by time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobSchedule {
    /// What holds before all that follows.
    first: BlobParams,
    /// By activation time.
    forks: BTreeMap<u64, BlobParams>,
}

/// A chain configuration that says no schedule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// No JSON, or no chain configuration.
    #[error("not a chain configuration: {0}")]
    Malformed(String),
    /// It is of another chain.
    #[error("the configuration is of chain {found}, not {expected}")]
    OtherChain {
        /// Chain id of L1.
        expected: u64,
        /// What the configuration says.
        found: u64,
    },
    /// A fork without its blob parameters.
    #[error("{fork} has a time and no entry in blobSchedule")]
    Missing {
        /// Its name.
        fork: &'static str,
    },
    /// Parameters that no fee can be computed with.
    #[error("{fork}: target {target}, max {max}, update fraction {fraction}")]
    Params {
        /// Name of the fork.
        fork: &'static str,
        /// Blobs per block.
        target: u64,
        /// Blobs per block.
        max: u64,
        /// Of the blob base fee.
        fraction: u128,
    },
    /// No fork with blobs.
    #[error("no fork with blobs has a time")]
    NoFork,
}

/// What L1 says of its forks and the schedule does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Disagreement {
    pub(super) time: u64,
    pub(super) scheduled: BlobParams,
    pub(super) told: BlobParams,
}

impl BlobSchedule {
    /// That of Ethereum's mainnet, of Sepolia or of Hoodi.
    pub fn known(chain_id: u64) -> Option<Self> {
        use ethereum::{
            MAINNET_BPO1_TIMESTAMP, MAINNET_BPO2_TIMESTAMP, MAINNET_OSAKA_TIMESTAMP,
            MAINNET_PRAGUE_TIMESTAMP,
        };
        let [prague, osaka, bpo1, bpo2] = match chain_id {
            1 => [
                MAINNET_PRAGUE_TIMESTAMP,
                MAINNET_OSAKA_TIMESTAMP,
                MAINNET_BPO1_TIMESTAMP,
                MAINNET_BPO2_TIMESTAMP,
            ],
            11_155_111 => [
                sepolia::SEPOLIA_PRAGUE_TIMESTAMP,
                sepolia::SEPOLIA_OSAKA_TIMESTAMP,
                sepolia::SEPOLIA_BPO1_TIMESTAMP,
                sepolia::SEPOLIA_BPO2_TIMESTAMP,
            ],
            560_048 => [
                hoodi::HOODI_PRAGUE_TIMESTAMP,
                hoodi::HOODI_OSAKA_TIMESTAMP,
                hoodi::HOODI_BPO1_TIMESTAMP,
                hoodi::HOODI_BPO2_TIMESTAMP,
            ],
            _ => return None,
        };
        let forks = BTreeMap::from([
            (prague, BlobParams::prague()),
            (osaka, BlobParams::osaka()),
            (bpo1, BlobParams::bpo1()),
            (bpo2, BlobParams::bpo2()),
        ]);
        Some(Self { first: BlobParams::cancun(), forks })
    }

    /// That of a chain configuration or genesis file.
    ///
    /// # Errors
    /// [`ScheduleError`].
    pub fn parse(json: &str, chain_id: u64) -> Result<Self, ScheduleError> {
        let malformed = |error: serde_json::Error| ScheduleError::Malformed(error.to_string());
        let mut value: Value = serde_json::from_str(json).map_err(malformed)?;
        if let Some(config) = value.get_mut("config") {
            value = config.take();
        }
        let config: ChainConfig = serde_json::from_value(value).map_err(malformed)?;
        if config.chain_id != chain_id {
            return Err(ScheduleError::OtherChain { expected: chain_id, found: config.chain_id });
        }
        let mut forks = BTreeMap::new();
        for (fork, time, needed) in times(&config) {
            let Some(time) = time else { continue };
            match config.blob_schedule.get(fork) {
                // Two forks at one time: the later one holds.
                Some(params) => drop(forks.insert(time, checked(fork, *params)?)),
                None if needed => return Err(ScheduleError::Missing { fork }),
                None => {}
            }
        }
        let first = *forks.values().next().ok_or(ScheduleError::NoFork)?;
        Ok(Self { first, forks })
    }

    /// The parameters at a time. Before the first fork with blobs those of that fork: no block has blobs then,
    /// and nothing depends on them.
    pub fn at(&self, time: u64) -> BlobParams {
        self.forks.range(..=time).next_back().map_or(self.first, |(_, params)| *params)
    }

    /// Holds what L1 says against the schedule: both parameters, and when the one follows the other.
    pub(super) fn check(&self, told: &L1Forks) -> Result<(), Box<Disagreement>> {
        let current = (told.current.activation_time, told.current.blob_params());
        let next = told.next.as_ref().map(|next| (next.activation_time, next.blob_params()));
        let last = next.map(|(time, _)| (time.saturating_sub(1), current.1));
        for (time, told) in [Some(current), last, next].into_iter().flatten() {
            let scheduled = self.at(time);
            let same = (scheduled.target_blob_count, scheduled.max_blob_count)
                == (told.target_blob_count, told.max_blob_count)
                && scheduled.update_fraction == told.update_fraction;
            if !same {
                return Err(Box::new(Disagreement { time, scheduled, told }));
            }
        }
        Ok(())
    }
}

/// Forks that may change blob parameters, in order, and whether they must have some.
fn times(config: &ChainConfig) -> [(&'static str, Option<u64>, bool); 10] {
    [
        ("cancun", config.cancun_time, true),
        ("prague", config.prague_time, true),
        ("osaka", config.osaka_time, true),
        ("bpo1", config.bpo1_time, true),
        ("bpo2", config.bpo2_time, true),
        ("bpo3", config.bpo3_time, true),
        ("bpo4", config.bpo4_time, true),
        ("bpo5", config.bpo5_time, true),
        ("amsterdam", config.amsterdam_time, false),
        ("bogota", config.bogota_time, false),
    ]
}

const fn checked(fork: &'static str, params: BlobParams) -> Result<BlobParams, ScheduleError> {
    let BlobParams { target_blob_count: target, max_blob_count: max, .. } = params;
    let fraction = params.update_fraction;
    if max == 0 || target > max || fraction == 0 {
        return Err(ScheduleError::Params { fork, target, max, fraction });
    }
    Ok(params)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(target: u64, max: u64, fraction: u64) -> Value {
        json!({"target": target, "max": max, "baseFeeUpdateFraction": fraction})
    }

    fn config() -> Value {
        json!({
            "chainId": 7, "cancunTime": 0, "pragueTime": 100, "osakaTime": 200, "bpo1Time": 300,
            "blobSchedule": {
                "cancun": entry(3, 6, 3_338_477), "prague": entry(6, 9, 5_007_716),
                "osaka": entry(6, 9, 5_007_716), "bpo1": entry(10, 15, 8_346_193),
                "bpo2": entry(14, 21, 11_684_671),
            },
        })
    }

    fn parse(config: &Value) -> Result<BlobSchedule, ScheduleError> {
        BlobSchedule::parse(&config.to_string(), 7)
    }

    fn told(time: u64, params: &Value, next: Option<(u64, &Value)>) -> L1Forks {
        let fork = |(time, params): (u64, &Value)| json!({"activationTime": time, "blobSchedule": params, "precompiles": {}});
        let told = json!({"current": fork((time, params)), "next": next.map(fork)});
        serde_json::from_value(told).unwrap()
    }

    /// EIP-7691, EIP-7892 with the values of EIP-7594's clients; times as announced for Fusaka.
    #[test]
    fn known_chains_have_their_history() {
        let of = |chain, time| {
            let params = BlobSchedule::known(chain).unwrap().at(time);
            (params.target_blob_count, params.max_blob_count, params.update_fraction)
        };
        let (cancun, prague) = ((3, 6, 3_338_477), (6, 9, 5_007_716));
        let (bpo1, bpo2) = ((10, 15, 8_346_193), (14, 21, 11_684_671));
        assert_eq!(of(1, 1_710_338_135), cancun);
        assert_eq!(of(1, 1_746_612_310), cancun);
        assert_eq!(of(1, 1_746_612_311), prague);
        assert_eq!(of(1, 1_765_290_070), prague);
        assert_eq!(of(1, 1_765_290_071), bpo1);
        assert_eq!(of(1, 1_767_747_671), bpo2);
        assert_eq!(of(11_155_111, 1_761_017_183), prague);
        assert_eq!(of(11_155_111, 1_761_607_007), bpo1);
        assert_eq!(of(560_048, 1_762_365_719), prague);
        assert_eq!(of(560_048, u64::MAX), bpo2);
        assert_eq!(BlobSchedule::known(31_337), None);
    }

    #[test]
    fn a_chain_configuration_says_when_what_holds() {
        let schedule = parse(&config()).unwrap();
        let max = |time| schedule.at(time).max_blob_count;
        assert_eq!([0, 99, 100, 299, 300, u64::MAX].map(max), [6, 6, 9, 9, 15, 15]);
        let genesis = json!({"config": config(), "alloc": {}, "difficulty": "0x0"});
        assert_eq!(parse(&genesis), Ok(schedule));
    }

    #[test]
    fn a_configuration_without_a_schedule_is_refused() {
        assert!(matches!(BlobSchedule::parse("{", 7), Err(ScheduleError::Malformed(_))));
        assert!(matches!(BlobSchedule::parse("[]", 7), Err(ScheduleError::Malformed(_))));
        let other = ScheduleError::OtherChain { expected: 8, found: 7 };
        assert_eq!(BlobSchedule::parse(&config().to_string(), 8), Err(other));
        let mut missing = config();
        missing["bpo3Time"] = json!(400);
        assert_eq!(parse(&missing), Err(ScheduleError::Missing { fork: "bpo3" }));
        assert_eq!(parse(&json!({"chainId": 7})), Err(ScheduleError::NoFork));
        for (target, max, fraction) in [(0, 0, 1), (7, 6, 1), (3, 6, 0)] {
            let mut wrong = config();
            wrong["blobSchedule"]["prague"] = entry(target, max, fraction);
            let fraction = fraction.into();
            let error = ScheduleError::Params { fork: "prague", target, max, fraction };
            assert_eq!(parse(&wrong), Err(error));
        }
    }

    #[test]
    fn what_l1_says_must_be_what_is_scheduled() {
        let schedule = parse(&config()).unwrap();
        let (prague, bpo1) = (entry(6, 9, 5_007_716), entry(10, 15, 8_346_193));
        assert_eq!(schedule.check(&told(100, &prague, None)), Ok(()));
        assert_eq!(schedule.check(&told(200, &prague, Some((300, &bpo1)))), Ok(()));
        let time_of = |told| schedule.check(&told).unwrap_err().time;
        assert_eq!(time_of(told(200, &bpo1, None)), 200);
        assert_eq!(time_of(told(200, &entry(6, 9, 5_007_717), None)), 200);
        assert_eq!(time_of(told(200, &prague, Some((299, &bpo1)))), 299, "too early");
        assert_eq!(time_of(told(200, &prague, Some((301, &bpo1)))), 300, "too late");
        assert_eq!(time_of(told(300, &bpo1, Some((400, &prague)))), 400, "not scheduled");
    }
}
