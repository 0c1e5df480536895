//! The chain specification in the words of the execution crates.

use std::sync::Arc;

use alloy_evm::eth::spec::EthExecutorSpec;
use alloy_hardforks::{EthereumHardfork, EthereumHardforks, ForkCondition};
use alloy_primitives::Address;
use cairn_primitives::ChainSpec;

/// [`ChainSpec`] with the traits of alloy-evm.
#[derive(Debug, Clone)]
pub(super) struct ExecutionSpec(pub(super) Arc<ChainSpec>);

impl ExecutionSpec {
    pub(super) fn is_prague(&self, timestamp: u64) -> bool {
        self.0.is_prague_active_at_timestamp(timestamp)
    }
}

impl EthereumHardforks for ExecutionSpec {
    fn ethereum_fork_activation(&self, fork: EthereumHardfork) -> ForkCondition {
        self.0.ethereum_fork_activation(fork)
    }
}

impl EthExecutorSpec for ExecutionSpec {
    fn deposit_contract_address(&self) -> Option<Address> {
        self.0.deposit_contract()
    }
}
