//! The chain as the pool sees it.

use std::sync::Arc;

use alloy_primitives::{Address, B256, Bytes, U256};
use cairn_evm::{DaSize, rollup_fee};
use cairn_pool::{RollupCost, TipState};
use cairn_primitives::{Account, ReadError, StateReader};

use crate::Chain;

impl TipState for Chain {
    fn view(&self) -> Arc<dyn StateReader> {
        match self.pending_state() {
            Ok(view) => Arc::new(view),
            Err(error) => Arc::new(Unreadable(error.to_string())),
        }
    }

    fn rollup_cost(&self, encoded: &[u8], gas_limit: u64) -> RollupCost {
        let Some((timestamp, attributes)) = self.inner.pending.l1_attributes() else {
            return RollupCost::default();
        };
        let size = DaSize::estimate(encoded);
        let fee = rollup_fee(self.spec(), timestamp, &attributes, encoded, size, gas_limit);
        RollupCost { fee: fee.saturating_to(), da_size: Some(size.millionths()) }
    }
}

/// Stands in for a state that cannot be read, so that every read says why.
#[derive(Debug)]
struct Unreadable(String);

impl Unreadable {
    fn error<T>(&self) -> Result<T, ReadError> {
        Err(ReadError::Store(self.0.clone()))
    }
}

impl StateReader for Unreadable {
    fn account(&self, _: Address) -> Result<Option<Account>, ReadError> {
        self.error()
    }

    fn storage(&self, _: Address, _: U256) -> Result<U256, ReadError> {
        self.error()
    }

    fn code(&self, _: B256) -> Result<Bytes, ReadError> {
        self.error()
    }

    fn block_hash(&self, _: u64) -> Result<B256, ReadError> {
        self.error()
    }
}
