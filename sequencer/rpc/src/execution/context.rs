//! State and environment that a call runs in.

use alloy_primitives::map::AddressSet;
use alloy_primitives::{Address, Bytes};
use cairn_evm::revm_types::{
    AccountInfo, CacheDB, Database, ExecutionResult, OpHaltReason, SpecId,
};
use cairn_evm::{
    Bounded, Env, EvmConfig, Guard, LastStep, REVERTED, StateDb, TxError, TxResult, Vm,
    VmInspector, halt_text,
};
use cairn_primitives::Header;
use cairn_state::StateView;

use super::block_override::{BlockOverrides, set_blob_fee};
use super::caller::Deadline;
use super::message::Message;
use super::precheck::{self, Refusal, Strictness};
use super::state_override::{self, PrecompileChanges, StateOverrides};
use crate::{Backend, RpcError, StateAt};

/// State with changes on top.
pub(super) type CallDb = CacheDB<StateDb<StateView>>;

/// The block that calls run in.
#[derive(Debug)]
pub(super) struct CallContext {
    evm: EvmConfig,
    pub(super) header: Header,
    pub(super) env: Env,
    pub(super) db: CallDb,
    precompiles: PrecompileChanges,
}

/// What came of a message that could run.
#[derive(Debug)]
pub(super) struct CallOutcome<I> {
    pub(super) outcome: TxResult,
    pub(super) inspector: I,
    pub(super) last: LastStep,
}

/// Why a message has no outcome.
#[derive(Debug)]
pub(super) enum CallFailure {
    /// It was refused.
    Refused(Refusal),
    /// The node failed, or the run was ended.
    Rpc(RpcError),
}

impl From<RpcError> for CallFailure {
    fn from(error: RpcError) -> Self {
        Self::Rpc(error)
    }
}

impl CallContext {
    /// The block at `at` with a caller's changes.
    pub(super) fn new(
        backend: &Backend,
        at: StateAt,
        state: Option<&StateOverrides>,
        block: Option<&BlockOverrides>,
    ) -> Result<Self, RpcError> {
        Self::on_db(backend, at.header, CacheDB::new(StateDb(at.state)), state, block)
    }

    /// The same on a state that has changes already.
    pub(super) fn on_db(
        backend: &Backend,
        mut header: Header,
        mut db: CallDb,
        state: Option<&StateOverrides>,
        block: Option<&BlockOverrides>,
    ) -> Result<Self, RpcError> {
        let evm = backend.chain.evm().clone();
        if let Some(block) = block {
            block.check_for_call()?;
            block.apply(&mut header)?;
        }
        let mut env = evm.env(&header).relaxed_for_calls();
        if let Some(block) = block {
            block.apply_blob_fee(&mut env)?;
        }
        let precompiles = match state.filter(|state| !state.is_empty()) {
            None => PrecompileChanges::default(),
            Some(state) => {
                let active = active_precompiles(&evm, &mut db, &env);
                state_override::apply(state, &mut db, &active, &mut AddressSet::default())?
            }
        };
        Ok(Self { evm, header, env, db, precompiles })
    }

    pub(super) fn spec(&self) -> SpecId {
        self.env.spec()
    }

    /// Fills in defaults of a call.
    pub(super) fn message(
        &self,
        args: &super::call_args::CallArgs,
        gas_cap: u64,
    ) -> Result<Message, RpcError> {
        Message::new(args, gas_cap, self.header.base_fee_per_gas, self.env.chain_id())
    }

    /// An account as calls see it.
    pub(super) fn account(&mut self, address: Address) -> Result<AccountInfo, RpcError> {
        let account = self.db.basic(address).map_err(|error| RpcError::from(error.0))?;
        Ok(account.unwrap_or_default())
    }

    /// Runs a message and keeps nothing of it.
    pub(super) fn run<I>(
        &mut self,
        message: &Message,
        inspector: I,
        deadline: &Deadline,
    ) -> Result<CallOutcome<I>, CallFailure>
    where
        I: for<'a> VmInspector<&'a mut CallDb> + Bounded,
        Guard<I>: for<'a> VmInspector<&'a mut CallDb>,
    {
        let mut env = self.env.clone();
        // A free call must not see that others pay (geth lowers the fees the same way).
        if message.is_free() {
            env.block_mut().basefee = 0;
        }
        if message.free_blobs {
            set_blob_fee(&mut env, 0);
        }
        let sender = self.account(message.from)?;
        precheck::check(message, env.block(), self.spec(), &sender, Strictness::CALL)
            .map_err(CallFailure::Refused)?;
        let guard = Guard::new(inspector, deadline.interrupt());
        let mut vm = self.evm.vm_with_inspector(&mut self.db, env, guard);
        change_precompiles(&mut vm, &self.precompiles);
        let result = vm.transact(message.request(self.env.spec())?);
        finish(result, vm.into_parts().1, message, deadline)
    }
}

/// Joins a result with what the guard saw.
pub(super) fn finish<I>(
    result: Result<TxResult, TxError>,
    guard: Guard<I>,
    message: &Message,
    deadline: &Deadline,
) -> Result<CallOutcome<I>, CallFailure> {
    if let Some(why) = guard.stopped() {
        return Err(deadline.stopped(why).into());
    }
    match result {
        Ok(outcome) => {
            let last = guard.last_step();
            Ok(CallOutcome { outcome, inspector: guard.inner, last })
        }
        Err(error) => Err(match Refusal::from_tx_error(message, error) {
            Ok(refusal) => CallFailure::Refused(refusal),
            Err(error) => CallFailure::Rpc(fatal(error)),
        }),
    }
}

/// An execution error that says nothing of the transaction.
pub(super) fn fatal(error: TxError) -> RpcError {
    match error {
        TxError::Read(error) => error.into(),
        other => RpcError::internal(other),
    }
}

impl<I> CallOutcome<I> {
    /// geth's error text of a failed execution, `None` for a success.
    pub(super) fn error_text(&self) -> Option<String> {
        error_text(&self.outcome.result, self.last)
    }

    /// Return data, or the error that `eth_call` gives.
    pub(super) fn into_output(self) -> Result<Bytes, RpcError> {
        match self.outcome.result {
            ExecutionResult::Success { output, .. } => Ok(output.into_data()),
            ExecutionResult::Revert { output, .. } => Err(RpcError::Revert(output)),
            ExecutionResult::Halt { reason, .. } => {
                Err(RpcError::server(halt_text(&reason, self.last)))
            }
        }
    }
}

/// geth's error text of a failed execution.
pub(super) fn error_text(result: &ExecutionResult<OpHaltReason>, last: LastStep) -> Option<String> {
    match result {
        ExecutionResult::Success { .. } => None,
        ExecutionResult::Revert { .. } => Some(REVERTED.into()),
        ExecutionResult::Halt { reason, .. } => Some(halt_text(reason, last)),
    }
}

impl CallFailure {
    /// The error with geth's text for a call: what was refused, and with how much gas.
    pub(super) fn of_call(self, gas: u64) -> RpcError {
        match self {
            Self::Refused(refusal) => {
                RpcError::server(format!("err: {refusal} (supplied gas {gas})"))
            }
            Self::Rpc(error) => error,
        }
    }

    /// The text for a trace.
    pub(super) fn of_tracing(&self) -> String {
        match self {
            Self::Refused(refusal) => refusal.to_string(),
            Self::Rpc(error) => error.to_string(),
        }
    }
}

/// Precompiles of a block.
pub(super) fn active_precompiles(evm: &EvmConfig, db: &mut CallDb, env: &Env) -> AddressSet {
    evm.vm(db, env.clone()).precompiles_mut().addresses().copied().collect()
}

/// Moves and removes precompiles. Those of the fork stay warm where they were (EIP-2929), and one
/// that was moved is cold where it went, as in geth.
pub(super) fn change_precompiles<'a, I>(vm: &mut Vm<&'a mut CallDb, I>, changes: &PrecompileChanges)
where
    I: VmInspector<&'a mut CallDb>,
{
    if changes.is_empty() {
        return;
    }
    let map = vm.precompiles_mut();
    let standard: Vec<Address> = map.addresses().copied().collect();
    let mut moved = Vec::with_capacity(changes.moved.len());
    for (from, to) in &changes.moved {
        let mut found = None;
        map.apply_precompile(from, |precompile| {
            found = precompile;
            None
        });
        moved.extend(found.map(|precompile| (*to, precompile)));
    }
    for address in &changes.removed {
        map.apply_precompile(address, |_| None);
    }
    map.extend_precompiles(moved);
    vm.warm_precompiles(standard);
}
