//! Transactions of a block, run again.

use alloy_eips::Encodable2718;
use alloy_primitives::map::AddressSet;
use cairn_chain::BlockRef;
use cairn_evm::revm_types::{CacheDB, DatabaseCommit, NoOpInspector};
use cairn_evm::trace::{Budget, TraceContext, TraceError, Tracer, TracerConfig};
use cairn_evm::{Bounded, DbError, Env, EvmConfig, Guard, StateDb, TxResult, VmInspector, tx_env};
use cairn_primitives::{RecoveredBlock, TxEnvelope};

use crate::execution::caller::Deadline;
use crate::execution::context::{CallDb, active_precompiles};
use crate::{Backend, RpcError};

/// A block and the state in the middle of it.
pub(in crate::execution) struct Replay<'a> {
    evm: EvmConfig,
    env: Env,
    db: CallDb,
    precompiles: AddressSet,
    block: &'a RecoveredBlock,
    /// Gas that the transactions so far have left of the block's.
    gas_left: u64,
    tracer: TracerConfig,
    deadline: Deadline,
    budget: Budget,
}

impl<'a> Replay<'a> {
    /// Prepares the block's first transaction: the parent's state after the system calls.
    /// `deadline` ends the work on the whole block.
    pub(in crate::execution) fn new(
        backend: &Backend,
        block: &'a RecoveredBlock,
        tracer: TracerConfig,
        deadline: Deadline,
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
        let gas_left = header.gas_limit;
        Ok(Self { evm, env, db, precompiles, block, gas_left, tracer, deadline, budget })
    }

    /// Runs the transactions before `index`, which must be the next.
    pub(in crate::execution) fn skip_to(&mut self, index: usize) -> Result<(), RpcError> {
        for at in 0..index {
            self.run(at, NoOpInspector {}, |_, _, _, _| Ok(()))?;
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
        self.deadline.check()?;
        let guard = Guard::new(inspector, self.deadline.interrupt());
        let request = tx_env(tx, sender, tx.encoded_2718().into());
        let gas_limit = request.0.base.gas_limit;
        // Gas bounds the memory of an execution, and deposits buy theirs from nobody.
        if gas_limit > self.gas_left {
            return Err(over_block_gas(tx, gas_limit, self.gas_left));
        }
        let mut vm = self.evm.vm_with_inspector(&mut self.db, self.env.clone(), guard);
        let result = vm.transact(request);
        let guard = vm.into_parts().1;
        if let Some(why) = guard.stopped() {
            return Err(self.deadline.stopped(why));
        }
        let outcome =
            result.map_err(|error| RpcError::server(format!("tracing failed: {error}")))?;
        self.gas_left = self.gas_left.saturating_sub(outcome.result.tx_gas_used());
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

/// The error of a transaction that does not fit into what is left of its block's gas.
fn over_block_gas(tx: &TxEnvelope, gas_limit: u64, left: u64) -> RpcError {
    RpcError::server(format!(
        "tracing failed: transaction {}: gas limit reached: have {left}, want {gas_limit}",
        tx.hash()
    ))
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
