//! Any of the tracers as one inspector.

use std::collections::BTreeMap;

use alloy_primitives::map::AddressSet;
use alloy_primitives::{Address, B256, Bytes, Log, U256};
use op_revm::OpHaltReason;
use revm::context::result::{ExecutionResult, ResultAndState};
use revm::context_interface::ContextTr;
use revm::inspector::{JournalExt, NoOpInspector};
use revm::interpreter::{CallInputs, CallOutcome, CreateInputs, CreateOutcome, Interpreter};
use revm::{DatabaseRef, Inspector};

use super::flat_calls::flat_calls;
use super::{
    Budget, CallConfig, CallFrames, FlatCallConfig, PrestateConfig, Selectors, StructLogs,
    TracerConfig, prestate,
};
use crate::Bounded;

/// Why a trace has no result.
#[derive(Debug, thiserror::Error)]
pub enum TraceError<E> {
    /// State could not be read.
    #[error(transparent)]
    Read(E),
    /// The result could not be written.
    #[error("trace: {0}")]
    Json(#[from] serde_json::Error),
}

/// Where a traced transaction stands. Calls stand nowhere.
#[derive(Debug, Clone, Copy, Default)]
pub struct TraceContext {
    /// Hash of the transaction.
    pub tx_hash: Option<B256>,
    /// Its position in the block.
    pub index: Option<u64>,
    /// Hash of the block.
    pub block_hash: Option<B256>,
    /// Number of the block.
    pub block_number: Option<u64>,
    /// Gas limit of the transaction.
    pub gas_limit: u64,
    /// Sender of the transaction.
    pub sender: Address,
}

/// A tracer at work on one transaction.
#[derive(Debug)]
pub enum Tracer {
    /// See [`TracerConfig::StructLogs`].
    StructLogs(Box<StructLogs>),
    /// See [`TracerConfig::Calls`].
    Calls(Box<CallFrames>),
    /// See [`TracerConfig::Prestate`]: the state that execution gives says it all.
    Prestate(PrestateConfig),
    /// See [`TracerConfig::FourByte`].
    FourByte(Selectors),
    /// See [`TracerConfig::Noop`].
    Noop,
    /// See [`TracerConfig::FlatCalls`].
    FlatCalls(FlatCallConfig, Box<CallFrames>),
    /// See [`TracerConfig::Mux`].
    Mux(BTreeMap<String, Self>),
}

impl Tracer {
    /// A tracer for one transaction.
    pub fn new(config: &TracerConfig, budget: Budget) -> Self {
        match config {
            TracerConfig::StructLogs(config) => {
                Self::StructLogs(Box::new(StructLogs::new(*config, budget)))
            }
            TracerConfig::Calls(config) => Self::Calls(Box::new(CallFrames::new(*config, budget))),
            TracerConfig::Prestate(config) => Self::Prestate(*config),
            TracerConfig::FourByte => Self::FourByte(Selectors::default()),
            TracerConfig::Noop => Self::Noop,
            TracerConfig::FlatCalls(config) => {
                let frames = CallFrames::new(CallConfig::default(), budget);
                Self::FlatCalls(*config, Box::new(frames))
            }
            TracerConfig::Mux(parts) => {
                let part = |(name, config): (&String, _)| (name.clone(), Self::new(config, budget));
                Self::Mux(parts.iter().map(part).collect())
            }
        }
    }

    /// The answer for one transaction as JSON. `before` is the state that it started from,
    /// `precompiles` are those of its block.
    pub fn finish<DB: DatabaseRef>(
        self,
        at: TraceContext,
        outcome: &ResultAndState<OpHaltReason>,
        before: &DB,
        precompiles: &AddressSet,
    ) -> Result<String, TraceError<DB::Error>> {
        let result = &outcome.result;
        let gas_used = result.tx_gas_used();
        Ok(match self {
            Self::StructLogs(logs) => {
                logs.finish(gas_used, !result.is_success(), &return_value(result))
            }
            Self::Calls(frames) => frames.finish(at.gas_limit, gas_used)?,
            Self::Prestate(config) => {
                prestate(config, &outcome.state, before).map_err(TraceError::Read)??
            }
            Self::FourByte(selectors) => selectors.finish()?,
            Self::Noop => "{}".into(),
            Self::FlatCalls(config, frames) => match frames.closed(at.gas_limit, gas_used).root() {
                Some(root) => flat_calls(root, config, precompiles, at)?,
                None => "[]".into(),
            },
            Self::Mux(parts) => {
                let mut answers = Vec::with_capacity(parts.len());
                for (name, part) in parts {
                    let name = serde_json::to_string(&name)?;
                    answers
                        .push(format!("{name}:{}", part.finish(at, outcome, before, precompiles)?));
                }
                format!("{{{}}}", answers.join(","))
            }
        })
    }
}

/// Output of a success, data of a revert, nothing of a halt. A creation gives its code.
fn return_value(result: &ExecutionResult<OpHaltReason>) -> Bytes {
    result.output().cloned().unwrap_or_default()
}

impl Bounded for Tracer {
    fn is_full(&self) -> bool {
        match self {
            Self::StructLogs(logs) => logs.is_full(),
            Self::Calls(frames) => frames.is_full(),
            Self::FlatCalls(_, frames) => frames.is_full(),
            Self::Mux(parts) => parts.values().any(Self::is_full),
            Self::Prestate(_) | Self::FourByte(_) | Self::Noop => false,
        }
    }
}

/// Hands a hook to whichever tracer is at work. Hooks of tracers here never replace an outcome.
macro_rules! each {
    ($self:expr, $hook:ident($($arg:expr),*)) => {
        match $self {
            Self::StructLogs(tracer) => { Inspector::<CTX>::$hook(&mut **tracer, $($arg),*); }
            Self::Calls(tracer) => { Inspector::<CTX>::$hook(&mut **tracer, $($arg),*); }
            Self::FourByte(tracer) => { Inspector::<CTX>::$hook(tracer, $($arg),*); }
            Self::FlatCalls(_, tracer) => {
                Inspector::<CTX>::$hook(&mut **tracer, $($arg),*);
            }
            Self::Mux(parts) => {
                for part in parts.values_mut() {
                    each!(@part part, $hook($($arg),*));
                }
            }
            Self::Prestate(_) | Self::Noop => {
                Inspector::<CTX>::$hook(&mut NoOpInspector {}, $($arg),*);
            }
        }
    };
    (@part $part:expr, log($context:expr, $log:expr)) => {
        Inspector::<CTX>::log($part, $context, $log.clone());
    };
    (@part $part:expr, log_full($interp:expr, $context:expr, $log:expr)) => {
        Inspector::<CTX>::log_full($part, $interp, $context, $log.clone());
    };
    (@part $part:expr, $hook:ident($($arg:expr),*)) => {
        Inspector::<CTX>::$hook($part, $($arg),*);
    };
}

impl<CTX: ContextTr<Journal: JournalExt>> Inspector<CTX> for Tracer {
    fn initialize_interp(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        each!(self, initialize_interp(interp, context));
    }

    fn step(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        each!(self, step(interp, context));
    }

    fn step_end(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        each!(self, step_end(interp, context));
    }

    fn log(&mut self, context: &mut CTX, log: Log) {
        each!(self, log(context, log));
    }

    fn log_full(&mut self, interp: &mut Interpreter, context: &mut CTX, log: Log) {
        each!(self, log_full(interp, context, log));
    }

    fn call(&mut self, context: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        each!(self, call(context, inputs));
        None
    }

    fn call_end(&mut self, context: &mut CTX, inputs: &CallInputs, outcome: &mut CallOutcome) {
        each!(self, call_end(context, inputs, outcome));
    }

    fn create(&mut self, context: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        each!(self, create(context, inputs));
        None
    }

    fn create_end(
        &mut self,
        context: &mut CTX,
        inputs: &CreateInputs,
        outcome: &mut CreateOutcome,
    ) {
        each!(self, create_end(context, inputs, outcome));
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, value: U256) {
        each!(self, selfdestruct(contract, target, value));
    }
}
