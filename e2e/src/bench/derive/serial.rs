//! The side to compare with: revm on one thread, state in memory, no roots, no receipts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use alloy_consensus::transaction::SignerRecoverable;
use alloy_eips::{Decodable2718, Encodable2718};
use cairn_evm::revm_types::CacheDB;
use cairn_evm::{EvmConfig, StateDb, tx_env};
use cairn_primitives::{ChainSpec, TxEnvelope};
use eyre::{WrapErr, ensure};

use super::blocks::{Blocks, Made};
use super::memory::MemoryState;

type Memory = CacheDB<StateDb<Arc<MemoryState>>>;

/// Executes all blocks; gives the time of the measured ones.
pub(super) fn run(blocks: &Blocks) -> eyre::Result<Duration> {
    let evm = EvmConfig::new(Arc::new(ChainSpec::from_genesis(&blocks.genesis)?));
    let mut state = CacheDB::new(StateDb(Arc::new(MemoryState::new(&blocks.genesis))));
    for block in &blocks.setup {
        state = execute(&evm, state, block)?;
    }
    let start = Instant::now();
    for block in &blocks.measured {
        state = execute(&evm, state, block)?;
    }
    Ok(start.elapsed())
}

fn execute(evm: &EvmConfig, state: Memory, block: &Made) -> eyre::Result<Memory> {
    let attributes = &block.payload.attributes;
    let env = evm.next_env(&block.parent, &attributes.block)?;
    let mut vm = evm.vm(state, env);
    let mut gas_used = 0u64;
    for deposit in &attributes.deposits {
        let sender = deposit.recover_signer().wrap_err("a deposit names its sender")?;
        let request = tx_env(deposit, sender, deposit.encoded_2718().into());
        gas_used += vm.transact_commit(request)?.tx_gas_used();
    }
    for raw in &block.payload.transactions {
        let tx = TxEnvelope::decode_2718_exact(raw).wrap_err("a transaction of the load")?;
        let sender = tx.recover_signer().wrap_err("a signature of the load")?;
        gas_used += vm.transact_commit(tx_env(&tx, sender, raw.clone()))?.tx_gas_used();
    }
    ensure!(gas_used == block.gas_used, "used {gas_used} gas, the block {}", block.gas_used);
    Ok(vm.into_parts().0)
}
