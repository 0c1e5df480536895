//! Why there is no deployment.

use std::path::PathBuf;

use alloy_primitives::{Address, B256, U256};

/// A deployment that did not come to its end. What is on L1 by then stays there and is found by the
/// next run.
#[derive(Debug, thiserror::Error)]
pub enum DeployError {
    /// A value of the configuration that no chain can run with.
    #[error("{field} is {value}: {reason}")]
    Config {
        /// Key in the file, with its section.
        field: &'static str,
        /// Its value.
        value: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An account that only a development chain has a default for.
    #[error("{field} is not set, and chain {l1_chain_id} is no development chain")]
    MissingRole {
        /// Key in the file, with its section.
        field: &'static str,
        /// Chain id of L1.
        l1_chain_id: u64,
    },
    /// The RPC is that of another chain.
    #[error("L1 has chain id {found}, the configuration says {expected}")]
    WrongChain {
        /// Chain id in the configuration.
        expected: u64,
        /// Chain id that L1 says.
        found: u64,
    },
    /// L1 does not answer, or not what was asked. Try again.
    #[error("{action}: {reason}")]
    Rpc {
        /// The JSON-RPC method.
        action: &'static str,
        /// What came instead of an answer.
        reason: String,
    },
    /// The deployer cannot pay for what is missing.
    #[error("{account} has {balance} wei, and up to {needed} wei may be needed")]
    InsufficientBalance {
        /// The deployer.
        account: Address,
        /// What it has.
        balance: U256,
        /// Gas limits of the missing transactions at the highest price offered.
        needed: U256,
    },
    /// Transactions of the deployer are not mined. Try again later.
    #[error("{account} has {pending} transactions that were not mined in {seconds} s")]
    NotMined {
        /// The deployer.
        account: Address,
        /// How many.
        pending: u64,
        /// How long was waited.
        seconds: u64,
    },
    /// L1 has no deterministic deployment proxy and does not take the transaction that creates it.
    #[error("no deterministic deployment proxy at {proxy}: {reason}")]
    NoDeploymentProxy {
        /// Its address.
        proxy: Address,
        /// What L1 said.
        reason: String,
    },
    /// A transaction failed, and what it is for is not there.
    #[error("{step} failed in transaction {transaction}")]
    Reverted {
        /// What the transaction was for.
        step: String,
        /// Its hash.
        transaction: B256,
    },
    /// As many transactions were sent as were allowed. Run again to go on.
    #[error("stopped after {sent} transactions")]
    Stopped {
        /// How many.
        sent: u64,
    },
    /// What is missing does not come to be, though no transaction fails: L1 is reorganised again
    /// and again, or answers from different states. Try again.
    #[error("{missing} steps are still missing after {rounds} rounds")]
    Unsettled {
        /// How many.
        missing: usize,
        /// How often they were sent.
        rounds: u32,
    },
    /// The anchor on L1 is not the genesis that its L1 origin gives: L1 was reorganised after it was
    /// set. Deploy anew, with another salt.
    #[error("the anchor is {found}, the output root of the genesis is {expected}")]
    WrongAnchor {
        /// Output root of the genesis.
        expected: B256,
        /// What the registry has.
        found: B256,
    },
    /// The folder holds another chain.
    #[error("{path} belongs to another deployment")]
    OtherDeployment {
        /// The file that differs.
        path: PathBuf,
    },
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The genesis of these settings starts no chain.
    #[error("genesis: {0}")]
    Genesis(String),
}

impl DeployError {
    /// Whether the same run may succeed later with nothing changed.
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::Rpc { .. }
                | Self::NotMined { .. }
                | Self::Stopped { .. }
                | Self::Unsettled { .. }
        )
    }

    pub(crate) fn config(
        field: &'static str,
        value: impl ToString,
        reason: impl Into<String>,
    ) -> Self {
        Self::Config { field, value: value.to_string(), reason: reason.into() }
    }
}
