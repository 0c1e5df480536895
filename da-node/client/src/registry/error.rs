//! What can go wrong with the registry on L1.

use alloy::eips::BlockId;
use alloy_primitives::{Address, TxHash};
use cairn_primitives::da::bls::BlsError;
use cairn_primitives::da::{Epoch, SnapshotError};

/// An error of L1. While the registry cannot be read the node goes on with what it has read.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The provider failed, or answered with an error. Try again.
    #[error("L1: {0}")]
    Provider(String),
    /// L1 has no block of that number yet, or answers nonsense. Try again.
    #[error("L1 has no block {0}")]
    NoBlock(u64),
    /// There is no registry at the address as of that block. Wait, or correct the address.
    #[error("no operator registry at {registry} as of L1 block {block:?}")]
    NoRegistry {
        /// Address that was called.
        registry: Address,
        /// Block as of which.
        block: BlockId,
    },
    /// There is no batch inbox at the address. Wait, or correct the address.
    #[error("no batch inbox at {0}")]
    NoInbox(Address),
    /// The inbox reports signers to another registry than the configured one. Stop.
    #[error("batch inbox {inbox} reports to registry {found}, not {expected}")]
    OtherRegistry {
        /// Address of the inbox.
        inbox: Address,
        /// Registry configured.
        expected: Address,
        /// Registry of the inbox.
        found: Address,
    },
    /// Another chain than configured. Stop.
    #[error("L1 has chain id {found}, not {expected}")]
    WrongChain {
        /// Chain id configured.
        expected: u64,
        /// Chain id of the provider.
        found: u64,
    },
    /// The registry holds a key that is none: it does not check what it promises.
    #[error("key of operator {operator} in epoch {epoch}: {source}")]
    Key {
        /// Its operator.
        operator: Address,
        /// Epoch of the snapshot.
        epoch: Epoch,
        /// What is wrong with it.
        source: BlsError,
    },
    /// A snapshot that no quorum can be made of.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A number beyond what this program computes with.
    #[error("the registry's {what} is out of range")]
    Range {
        /// Which value.
        what: &'static str,
    },
    /// The transaction was mined and reverted.
    #[error("transaction {0} reverted")]
    Reverted(TxHash),
}

impl From<alloy::transports::TransportError> for RegistryError {
    fn from(error: alloy::transports::TransportError) -> Self {
        Self::Provider(error.to_string())
    }
}

impl From<alloy::contract::Error> for RegistryError {
    fn from(error: alloy::contract::Error) -> Self {
        Self::Provider(error.to_string())
    }
}
