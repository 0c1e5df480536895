//! Forks and networks by the names that the suites give them.

use alloy_eips::eip7840::BlobParams;
use alloy_genesis::ChainConfig;
use alloy_primitives::{Address, U256, address};

/// Timestamp at which the transition networks change forks.
const TRANSITION_TIME: u64 = 15_000;

/// The mainnet deposit contract, which the suites use (EIP-6110).
const DEPOSIT_CONTRACT: Address = address!("0x00000000219ab540356cbb839cbe05303d7705fa");

/// A fork with a section in the test files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fork {
    /// EIP-158 and EIP-155, from where on our signature rules hold.
    SpuriousDragon,
    /// Byzantium.
    Byzantium,
    /// Constantinople.
    Constantinople,
    /// Petersburg, `ConstantinopleFix` in the files.
    Petersburg,
    /// Istanbul.
    Istanbul,
    /// Berlin.
    Berlin,
    /// London.
    London,
    /// The merge; also named `Merge`.
    Paris,
    /// Shanghai.
    Shanghai,
    /// Cancun.
    Cancun,
    /// Prague.
    Prague,
    /// Osaka.
    Osaka,
}

/// A chain that a test file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// One fork from genesis on.
    Fork(Fork),
    /// The second fork starts at timestamp 15,000.
    Transition(Fork, Fork),
}

const NAMES: [(&str, Fork); 14] = [
    ("EIP158", Fork::SpuriousDragon),
    ("Byzantium", Fork::Byzantium),
    ("Constantinople", Fork::Constantinople),
    ("ConstantinopleFix", Fork::Petersburg),
    ("Petersburg", Fork::Petersburg),
    ("Istanbul", Fork::Istanbul),
    ("Berlin", Fork::Berlin),
    ("London", Fork::London),
    ("Paris", Fork::Paris),
    ("Merge", Fork::Paris),
    ("Shanghai", Fork::Shanghai),
    ("Cancun", Fork::Cancun),
    ("Prague", Fork::Prague),
    ("Osaka", Fork::Osaka),
];

impl Fork {
    /// The fork with that name in the files.
    pub fn from_name(name: &str) -> Option<Self> {
        let known = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        known.map(|(_, fork)| *fork)
    }

    /// Whether blocks of this fork are proof-of-stake.
    pub fn is_post_merge(self) -> bool {
        self >= Self::Paris
    }

    /// A chain on which this fork and all before it are active from genesis on.
    pub fn config(self, chain_id: u64) -> ChainConfig {
        let mut config = ChainConfig {
            chain_id,
            homestead_block: Some(0),
            eip150_block: Some(0),
            eip155_block: Some(0),
            eip158_block: Some(0),
            deposit_contract_address: Some(DEPOSIT_CONTRACT),
            ..ChainConfig::default()
        };
        let all = NAMES.iter().map(|(_, fork)| *fork).filter(|fork| *fork <= self);
        all.for_each(|fork| fork.activate(&mut config, 0));
        config
    }

    /// Activates a fork: from genesis on, or at `time` where the fork goes by timestamp.
    fn activate(self, config: &mut ChainConfig, time: u64) {
        match self {
            Self::SpuriousDragon => {}
            Self::Byzantium => config.byzantium_block = Some(0),
            Self::Constantinople => config.constantinople_block = Some(0),
            Self::Petersburg => config.petersburg_block = Some(0),
            Self::Istanbul => {
                config.istanbul_block = Some(0);
                config.muir_glacier_block = Some(0);
            }
            Self::Berlin => config.berlin_block = Some(0),
            Self::London => {
                config.london_block = Some(0);
                config.arrow_glacier_block = Some(0);
                config.gray_glacier_block = Some(0);
            }
            Self::Paris => {
                config.merge_netsplit_block = Some(0);
                config.terminal_total_difficulty = Some(U256::ZERO);
                config.terminal_total_difficulty_passed = true;
            }
            Self::Shanghai => config.shanghai_time = Some(time),
            Self::Cancun => config.cancun_time = Some(time),
            Self::Prague => config.prague_time = Some(time),
            Self::Osaka => config.osaka_time = Some(time),
        }
    }

    /// Name of its entry in a genesis file's blob schedule, and its standard parameters.
    pub(crate) const fn blobs(self) -> Option<(&'static str, BlobParams)> {
        match self {
            Self::Cancun => Some(("cancun", BlobParams::cancun())),
            Self::Prague => Some(("prague", BlobParams::prague())),
            Self::Osaka => Some(("osaka", BlobParams::osaka())),
            _ => None,
        }
    }
}

impl std::fmt::Display for Fork {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = NAMES.iter().find(|(_, fork)| fork == self).map_or("", |(name, _)| *name);
        f.write_str(name)
    }
}

impl std::str::FromStr for Fork {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::from_name(name).ok_or_else(|| format!("{name:?} is no fork that the tests know"))
    }
}

impl Network {
    /// The network with that name, `None` for one that starts before the merge or is not known.
    pub fn from_name(name: &str) -> Option<Self> {
        if let Some(fork) = Fork::from_name(name) {
            return fork.is_post_merge().then_some(Self::Fork(fork));
        }
        let (from, to) = name.strip_suffix("AtTime15k")?.split_once("To")?;
        let (from, to) = (Fork::from_name(from)?, Fork::from_name(to)?);
        (from.is_post_merge() && from < to).then_some(Self::Transition(from, to))
    }

    /// The chain's configuration.
    pub fn config(self, chain_id: u64) -> ChainConfig {
        match self {
            Self::Fork(fork) => fork.config(chain_id),
            Self::Transition(from, to) => {
                let mut config = from.config(chain_id);
                let between = NAMES.iter().map(|(_, fork)| *fork);
                between
                    .filter(|fork| *fork > from && *fork <= to)
                    .for_each(|fork| fork.activate(&mut config, TRANSITION_TIME));
                config
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_before_the_merge_are_not_ours() {
        assert_eq!(Network::from_name("Merge"), Some(Network::Fork(Fork::Paris)));
        assert_eq!(Network::from_name("London"), None);
        assert_eq!(Network::from_name("ArrowGlacierToParisAtDiffC0000"), None);
        assert_eq!(Network::from_name("BerlinToLondonAt5"), None);
    }

    #[test]
    fn transition_networks_change_forks_by_time() {
        let network = Network::from_name("ShanghaiToCancunAtTime15k").unwrap();
        let config = network.config(1);
        assert_eq!(config.shanghai_time, Some(0));
        assert_eq!(config.cancun_time, Some(TRANSITION_TIME));
        assert_eq!(config.prague_time, None);
    }
}
