//! What the protocol does around the transactions of a block, for callers that run their own
//! transactions in between: replays and simulations.

use std::sync::Arc;

use alloy_eips::eip6110::DEPOSIT_REQUEST_TYPE;
use alloy_eips::eip7685::Requests;
use alloy_evm::Evm;
use alloy_evm::block::SystemCaller;
use alloy_evm::block::state_changes::post_block_balance_increments;
use alloy_evm::eth::eip6110::accumulate_deposits_from_logs;
use alloy_hardforks::EthereumHardforks;
use alloy_primitives::map::AddressMap;
use alloy_primitives::{Address, B256, Log};
use cairn_primitives::{ChainSpec, Header};
use revm::DatabaseCommit;
use revm::context_interface::{ContextTr, JournalTr};

use crate::{BlockError, Env, EvmConfig, Vm, VmDbError, VmInspector};

impl<DB, I> Vm<DB, I>
where
    DB: alloy_evm::Database<Error: VmDbError> + DatabaseCommit,
    I: VmInspector<DB>,
{
    /// Runs the system calls before the first transaction (EIP-2935, EIP-4788).
    pub fn begin_block(
        &mut self,
        spec: &Arc<ChainSpec>,
        parent_hash: B256,
        parent_beacon_block_root: Option<B256>,
    ) -> Result<(), BlockError> {
        match self {
            Self::Ethereum(evm) => begin(spec, evm, parent_hash, parent_beacon_block_root),
            Self::Optimism(evm) => begin(spec, evm, parent_hash, parent_beacon_block_root),
        }
    }

    /// Requests after the last transaction (EIP-6110, EIP-7002, EIP-7251), `None` before Prague.
    /// OP chains have none by definition.
    pub fn end_block<'a>(
        &mut self,
        spec: &Arc<ChainSpec>,
        logs: impl IntoIterator<Item = &'a Log>,
    ) -> Result<Option<Requests>, BlockError> {
        if !spec.is_prague_active_at_timestamp(self.block().timestamp.saturating_to()) {
            return Ok(None);
        }
        let mut requests = Requests::default();
        let Self::Ethereum(evm) = self else {
            return Ok(Some(requests));
        };
        let failed = |error: &dyn std::fmt::Display| BlockError::SystemCall(error.to_string());
        if let Some(contract) = spec.deposit_contract() {
            let mut deposits = Vec::new();
            accumulate_deposits_from_logs(contract, logs, &mut deposits)
                .map_err(|error| failed(&error))?;
            if !deposits.is_empty() {
                requests.push_request_with_type(DEPOSIT_REQUEST_TYPE, deposits);
            }
        }
        SystemCaller::new(&**spec)
            .append_post_execution_changes(evm, &mut requests)
            .map_err(|error| failed(&error))?;
        Ok(Some(requests))
    }
}

impl<DB, I> Vm<DB, I>
where
    DB: alloy_evm::Database<Error: VmDbError>,
    I: VmInspector<DB>,
{
    /// Makes exactly these addresses warm as precompiles (EIP-2929), whichever precompiles have
    /// been moved or removed since. A set that is empty changes nothing.
    pub fn warm_precompiles(&mut self, addresses: impl IntoIterator<Item = Address>) {
        let addresses = addresses.into_iter().collect();
        match self {
            Self::Ethereum(evm) => evm.ctx_mut().journal_mut().warm_precompiles(addresses),
            Self::Optimism(evm) => evm.ctx_mut().journal_mut().warm_precompiles(addresses),
        }
    }
}

impl EvmConfig {
    /// What the miner of a block without uncles earns; nobody after the merge.
    pub fn block_rewards(&self, env: &Env) -> AddressMap<u128> {
        let ommers: &[Header] = &[];
        post_block_balance_increments(&**self.spec(), env.block().clone(), ommers, None)
    }
}

fn begin<E>(
    spec: &Arc<ChainSpec>,
    evm: &mut E,
    parent_hash: B256,
    parent_beacon_block_root: Option<B256>,
) -> Result<(), BlockError>
where
    E: Evm<DB: DatabaseCommit>,
{
    let mut caller = SystemCaller::new(&**spec);
    caller
        .apply_blockhashes_contract_call(parent_hash, evm)
        .and_then(|()| caller.apply_beacon_root_contract_call(parent_beacon_block_root, evm))
        .map_err(|error| BlockError::SystemCall(error.to_string()))
}
