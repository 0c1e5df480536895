//! `callTracer`: the calls of a transaction, nested (go-ethereum `tracers/native/call.go`).

use alloy_primitives::{Address, B256, Bytes, Log, U64, U256};
use revm::Inspector;
use revm::context_interface::ContextTr;
use revm::interpreter::{
    CallInputs, CallOutcome, CreateInputs, CreateOutcome, Interpreter, InterpreterResult,
};
use serde::Serialize;

use super::call_kind::{CallKind, Enter, input_of};
use super::{Budget, CallConfig};
use crate::halt_text::{REVERTED, frame_text};
use crate::{Bounded, LastStep, revert_reason};

/// The call tracer.
#[derive(Debug, Clone)]
pub struct CallFrames {
    config: CallConfig,
    budget: Budget,
    /// Open frames, the outermost first.
    open: Vec<Frame>,
    /// The outermost frame once it ended.
    root: Option<Frame>,
    depth: usize,
    logs: u64,
    last: LastStep,
}

/// One call.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Frame {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) from: Address,
    pub(super) gas: U64,
    pub(super) gas_used: U64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) to: Option<Address>,
    pub(super) input: Bytes,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<Bytes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revert_reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) calls: Vec<Self>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logs: Vec<FrameLog>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) value: Option<U256>,
}

#[derive(Debug, Clone, Serialize)]
struct FrameLog {
    address: Address,
    topics: Vec<B256>,
    data: Bytes,
    /// Position in the transaction.
    index: U64,
    /// Calls of the same frame that came before.
    position: U64,
}

/// What a frame costs beside its data, roughly.
const FRAME_BYTES: usize = 320;

impl CallFrames {
    /// A tracer that records at most what `budget` allows.
    pub const fn new(config: CallConfig, budget: Budget) -> Self {
        Self {
            config,
            budget,
            open: Vec::new(),
            root: None,
            depth: 0,
            logs: 0,
            last: LastStep { opcode: 0, stack_len: 0, ended: None },
        }
    }

    /// The answer for one transaction. Its outermost frame shows the gas of the transaction as a
    /// whole.
    pub fn finish(self, gas_limit: u64, gas_used: u64) -> serde_json::Result<String> {
        serde_json::to_string(&self.closed(gas_limit, gas_used).root)
    }

    /// Sets what only the end of the transaction tells.
    pub(super) fn closed(mut self, gas_limit: u64, gas_used: u64) -> Self {
        if let Some(root) = &mut self.root {
            root.gas = U64::from(gas_limit);
            root.gas_used = U64::from(gas_used);
            clear_failed_logs(root, false);
        }
        self
    }

    /// The outermost frame, `None` while it is open.
    pub(super) const fn root(&self) -> Option<&Frame> {
        self.root.as_ref()
    }

    fn skips(&self) -> bool {
        self.config.only_top_call && self.depth > 1
    }

    fn enter(&mut self, enter: &Enter, input: Bytes) {
        self.depth += 1;
        // What does not fit is left out: the guard discards the whole trace.
        if self.skips() || !self.budget.take(FRAME_BYTES.saturating_add(input.len() * 2)) {
            return;
        }
        self.open.push(Frame {
            kind: enter.kind.name(),
            from: enter.from,
            gas: U64::from(enter.gas),
            gas_used: U64::ZERO,
            to: Some(enter.to),
            input,
            output: None,
            error: None,
            revert_reason: None,
            calls: Vec::new(),
            logs: Vec::new(),
            value: enter.value,
        });
    }

    fn exit(&mut self, is_create: bool, result: &InterpreterResult, created: bool) {
        let skipped = self.skips();
        self.depth = self.depth.saturating_sub(1);
        if skipped || !self.budget.take(result.output.len() * 2) {
            return;
        }
        let Some(mut frame) = self.open.pop() else { return };
        frame.gas_used = U64::from(result.gas.total_gas_spent());
        frame.end(is_create, result, created, self.last);
        match self.open.last_mut() {
            Some(parent) => parent.calls.push(frame),
            None => self.root = Some(frame),
        }
    }
}

impl Frame {
    fn end(&mut self, is_create: bool, result: &InterpreterResult, ok: bool, last: LastStep) {
        if ok {
            self.output = Some(result.output.clone()).filter(|output| !output.is_empty());
            return;
        }
        let error = frame_text(result.result, last);
        if is_create {
            self.to = None;
        }
        if error == REVERTED && !result.output.is_empty() {
            self.output = Some(result.output.clone());
            self.revert_reason = revert_reason(&result.output);
        }
        self.error = Some(error);
    }
}

/// Logs of a failed frame, and of all frames inside it, never happened.
fn clear_failed_logs(frame: &mut Frame, parent_failed: bool) {
    let failed = parent_failed || frame.error.is_some();
    if failed {
        frame.logs.clear();
    }
    frame.calls.iter_mut().for_each(|call| clear_failed_logs(call, failed));
}

impl Bounded for CallFrames {
    fn is_full(&self) -> bool {
        self.budget.is_full()
    }
}

impl<CTX: ContextTr> Inspector<CTX> for CallFrames {
    fn step(&mut self, interp: &mut Interpreter, _: &mut CTX) {
        self.last.begin(interp);
    }

    fn step_end(&mut self, interp: &mut Interpreter, _: &mut CTX) {
        self.last.end(interp);
    }

    fn log(&mut self, _: &mut CTX, log: Log) {
        let index = self.logs;
        self.logs += 1;
        if !self.config.with_log || self.skips() {
            return;
        }
        let size = FRAME_BYTES.saturating_add(log.data.data.len() * 2);
        if let Some(frame) = self.open.last_mut()
            && self.budget.take(size)
        {
            frame.logs.push(FrameLog {
                address: log.address,
                topics: log.topics().to_vec(),
                data: log.data.data,
                index: U64::from(index),
                position: U64::from(frame.calls.len()),
            });
        }
    }

    fn call(&mut self, context: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        let too_large = self.budget.left() < inputs.input.len();
        let input = if too_large || (self.config.only_top_call && self.depth > 0) {
            Bytes::new()
        } else {
            input_of(context, inputs)
        };
        if too_large {
            self.budget.take(inputs.input.len());
        }
        self.enter(&Enter::call(inputs), input);
        None
    }

    fn call_end(&mut self, _: &mut CTX, _: &CallInputs, outcome: &mut CallOutcome) {
        let ok = outcome.result.is_ok();
        self.exit(false, &outcome.result, ok);
    }

    fn create(&mut self, context: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        self.enter(&Enter::create(context, inputs), inputs.init_code().clone());
        None
    }

    fn create_end(&mut self, _: &mut CTX, _: &CreateInputs, outcome: &mut CreateOutcome) {
        let ok = outcome.result.is_ok();
        self.exit(true, &outcome.result, ok);
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, value: U256) {
        let enter = Enter::selfdestruct(contract, target, value);
        debug_assert_eq!(enter.kind, CallKind::SelfDestruct);
        self.enter(&enter, Bytes::new());
        let skipped = self.skips();
        self.depth = self.depth.saturating_sub(1);
        if skipped || self.budget.is_full() {
            return;
        }
        if let Some(frame) = self.open.pop()
            && let Some(parent) = self.open.last_mut()
        {
            parent.calls.push(frame);
        }
    }
}
