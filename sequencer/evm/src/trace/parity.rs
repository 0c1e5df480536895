//! Traces of parity's `trace` namespace: calls, state changes and instructions of one transaction.

use alloy_primitives::map::HashSet;
use alloy_primitives::{Address, Log, U256};
use alloy_rpc_types_trace::parity::TraceType;
use op_revm::OpHaltReason;
use revm::context::result::ResultAndState;
use revm::context_interface::ContextTr;
use revm::inspector::JournalExt;
use revm::interpreter::{CallInputs, CallOutcome, CreateInputs, CreateOutcome, Interpreter};
use revm::{DatabaseRef, Inspector};
use revm_inspectors::tracing::{TraceLimits, TracingInspector, TracingInspectorConfig};

use super::{Budget, TraceContext, TraceError};
use crate::Bounded;

/// Records what `trace_replayTransaction` and its kin are asked for.
#[derive(Debug)]
pub struct ParityTraces {
    tracer: TracingInspector,
    types: HashSet<TraceType>,
    budget: Budget,
}

/// What a frame or an instruction takes in memory, roughly.
const ENTRY_BYTES: usize = 512;

impl ParityTraces {
    /// Records `types` of one transaction, at most what `budget` allows.
    pub fn new(types: HashSet<TraceType>, budget: Budget) -> Self {
        let config = TracingInspectorConfig::from_parity_config(&types);
        let limits = TraceLimits::default().set_max_recorded_bytes(Some(budget.left()));
        Self { tracer: TracingInspector::new(config).with_limits(limits), types, budget }
    }

    /// The answer for one transaction. `before` is the state that it started from.
    pub fn finish<DB: DatabaseRef>(
        mut self,
        at: TraceContext,
        outcome: &ResultAndState<OpHaltReason>,
        before: &DB,
    ) -> Result<serde_json::Value, TraceError<DB::Error>> {
        self.tracer.set_transaction_gas_limit(at.gas_limit);
        self.tracer.set_transaction_caller(at.sender);
        let mut builder = self.tracer.into_parity_builder();
        builder.set_transaction_gas_used(outcome.result.tx_gas_used());
        let results = builder
            .into_trace_results_with_state(outcome, &self.types, before)
            .map_err(TraceError::Read)?;
        Ok(serde_json::to_value(results)?)
    }
}

impl Bounded for ParityTraces {
    fn is_full(&self) -> bool {
        self.budget.is_full() || self.tracer.limit_exceeded()
    }
}

impl<CTX: ContextTr<Journal: JournalExt>> Inspector<CTX> for ParityTraces {
    fn step(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        if self.types.contains(&TraceType::VmTrace) {
            self.budget.take(ENTRY_BYTES);
        }
        self.tracer.step(interp, context);
    }

    fn step_end(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        self.tracer.step_end(interp, context);
    }

    fn log_full(&mut self, interp: &mut Interpreter, context: &mut CTX, log: Log) {
        Inspector::<CTX>::log_full(&mut self.tracer, interp, context, log);
    }

    fn call(&mut self, context: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        self.budget.take(ENTRY_BYTES);
        self.tracer.call(context, inputs)
    }

    fn call_end(&mut self, context: &mut CTX, inputs: &CallInputs, outcome: &mut CallOutcome) {
        self.tracer.call_end(context, inputs, outcome);
    }

    fn create(&mut self, context: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        self.budget.take(ENTRY_BYTES);
        self.tracer.create(context, inputs)
    }

    fn create_end(
        &mut self,
        context: &mut CTX,
        inputs: &CreateInputs,
        outcome: &mut CreateOutcome,
    ) {
        self.tracer.create_end(context, inputs, outcome);
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, value: U256) {
        Inspector::<CTX>::selfdestruct(&mut self.tracer, contract, target, value);
    }
}
