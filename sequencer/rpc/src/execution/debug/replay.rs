//! Transactions of a block, run again.

use std::time::Duration;

use alloy_eips::Encodable2718;
use alloy_primitives::map::AddressSet;
use cairn_chain::BlockRef;
use cairn_evm::revm_types::{CacheDB, DatabaseCommit};
use cairn_evm::trace::{Budget, TraceContext, TraceError, Tracer, TracerConfig};
use cairn_evm::{Bounded, DbError, Env, EvmConfig, Guard, StateDb, TxResult, VmInspector, tx_env};
use cairn_primitives::RecoveredBlock;

use crate::execution::caller::Caller;
use crate::execution::context::{CallDb, active_precompiles};
use crate::{Backend, RpcError};

/// A block and the state in the middle of it.
pub(in crate::execution) struct Replay<'a> {
    evm: EvmConfig,
    env: Env,
    db: CallDb,
    precompiles: AddressSet,
    block: &'a RecoveredBlock,
    tracer: TracerConfig,
    timeout: Duration,
    caller: &'a Caller,
    budget: Budget,
}

impl<'a> Replay<'a> {
    /// Prepares the block's first transaction: the parent's state after the system calls.
    pub(in crate::execution) fn new(
        backend: &Backend,
        block: &'a RecoveredBlock,
        tracer: TracerConfig,
        timeout: Duration,
        caller: &'a Caller,
    ) -> Result<Self, RpcError> {
        let header = block.header();
        if header.number == backend.chain.genesis().number {
            return Err(RpcError::server("genesis is not traceable"));
        }
        let parent = header.parent_hash;
        let state = backend.chain.state_at(BlockRef::Hash(parent))?;
        let state = state.ok_or_else(|| RpcError::server(format!("parent {parent} not found")))?;
        let evm = backend.chain.evm().clone();
        let env = evm.env(header);
        let mut db = CacheDB::new(StateDb(state));
        evm.vm(&mut db, env.clone())
            .begin_block(evm.spec(), parent, header.parent_beacon_block_root)
            .map_err(|error| RpcError::server(format!("tracing failed: {error}")))?;
        let precompiles = active_precompiles(&evm, &mut db, &env);
        let budget = budget(backend);
        Ok(Self { evm, env, db, precompiles, block, tracer, timeout, caller, budget })
    }

    /// Runs the transactions before `index`, which must be the next.
    pub(in crate::execution) fn skip_to(&mut self, index: usize) -> Result<(), RpcError> {
        let deadline = self.caller.deadline(self.timeout);
        for at in 0..index {
            deadline.check()?;
            let (tx, sender) = (&self.block.transactions()[at], self.block.senders()[at]);
            let request = tx_env(tx, sender, tx.encoded_2718().into());
            let mut vm = self.evm.vm(&mut self.db, self.env.clone());
            vm.transact_commit(request).map_err(|error| {
                RpcError::server(format!("transaction {} failed: {error}", tx.hash()))
            })?;
        }
        Ok(())
    }

    /// Traces the transaction at `index`, which must be the next, and keeps its changes.
    pub(in crate::execution) fn trace(&mut self, index: usize) -> Result<String, RpcError> {
        let tracer = Tracer::new(&self.tracer, self.budget);
        let precompiles = self.precompiles.clone();
        let json = self.run(index, tracer, |tracer, at, outcome, db| {
            finish(tracer, at, outcome, db, &precompiles)
        })?;
        if !self.budget.take(json.len()) {
            return Err(RpcError::server("trace exceeds the largest response"));
        }
        Ok(json)
    }

    /// Runs the transaction at `index`, which must be the next, under an inspector. `answer` sees
    /// the state before the transaction; then its changes are kept.
    pub(in crate::execution) fn run<I, R>(
        &mut self,
        index: usize,
        inspector: I,
        answer: impl FnOnce(I, TraceContext, &TxResult, &CallDb) -> Result<R, RpcError>,
    ) -> Result<R, RpcError>
    where
        I: Bounded,
        Guard<I>: for<'b> VmInspector<&'b mut CallDb>,
    {
        let (tx, sender) = (&self.block.transactions()[index], self.block.senders()[index]);
        let deadline = self.caller.deadline(self.timeout);
        deadline.check()?;
        let guard = Guard::new(inspector, deadline.interrupt());
        let request = tx_env(tx, sender, tx.encoded_2718().into());
        let gas_limit = request.0.base.gas_limit;
        let mut vm = self.evm.vm_with_inspector(&mut self.db, self.env.clone(), guard);
        let result = vm.transact(request);
        let guard = vm.into_parts().1;
        if let Some(why) = guard.stopped() {
            return Err(deadline.stopped(why));
        }
        let outcome =
            result.map_err(|error| RpcError::server(format!("tracing failed: {error}")))?;
        let at = TraceContext {
            tx_hash: Some(*tx.hash()),
            index: Some(index as u64),
            block_hash: Some(self.block.hash()),
            block_number: Some(self.block.number()),
            gas_limit,
            sender,
        };
        let answer = answer(guard.inner, at, &outcome, &self.db)?;
        self.db.commit(outcome.state);
        Ok(answer)
    }

    /// The state after the transactions that ran.
    pub(super) fn into_db(self) -> CallDb {
        self.db
    }
}

/// What one answer may record.
pub(in crate::execution) fn budget(backend: &Backend) -> Budget {
    Budget::new(usize::try_from(backend.config.limits.response_bytes).unwrap_or(usize::MAX))
}

/// The JSON of one trace.
pub(super) fn finish(
    tracer: Tracer,
    at: TraceContext,
    outcome: &TxResult,
    before: &CallDb,
    precompiles: &AddressSet,
) -> Result<String, RpcError> {
    tracer.finish(at, outcome, before, precompiles).map_err(trace_error)
}

/// The error of a trace that could not be written.
pub(in crate::execution) fn trace_error(error: TraceError<DbError>) -> RpcError {
    match error {
        TraceError::Read(error) => error.0.into(),
        TraceError::Json(error) => RpcError::internal(error),
    }
}
