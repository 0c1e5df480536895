//! Watching over an execution: interruption from outside, and what the last step was.

use std::fmt;
use std::sync::Arc;

use alloy_primitives::{Address, Log, U256};
use revm::Inspector;
use revm::context_interface::{ContextError, ContextTr};
use revm::interpreter::interpreter_types::{Jumps, LoopControl};
use revm::interpreter::{
    CallInputs, CallOutcome, CreateInputs, CreateOutcome, InstructionResult, Interpreter,
};

/// Asks whether an execution is to end early: its time is over, or nobody waits for it any more.
///
/// The question is put every few microseconds, from the thread that executes. The clock stays with
/// the caller, so that this crate runs where there is none.
#[derive(Clone)]
pub struct Interrupt(Arc<dyn Fn() -> bool + Send + Sync>);

impl Interrupt {
    /// Ends an execution once `ended` says so.
    pub fn new(ended: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self(Arc::new(ended))
    }

    /// Never ends an execution.
    pub fn never() -> Self {
        Self::new(|| false)
    }

    /// Whether executions are to end now.
    pub fn is_due(&self) -> bool {
        (self.0)()
    }
}

impl fmt::Debug for Interrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Interrupt").field("due", &self.is_due()).finish()
    }
}

/// Why a [`Guard`] ended an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stopped {
    /// The [`Interrupt`] was due.
    Interrupted,
    /// The inspector recorded more than it may.
    TooLarge,
}

/// An inspector that may record only so much.
pub trait Bounded {
    /// Whether it has reached its limit. The execution ends with the next step.
    fn is_full(&self) -> bool {
        false
    }
}

impl Bounded for revm::inspector::NoOpInspector {}

// Gas bounds how many slots it can see.
impl Bounded for revm_inspectors::access_list::AccessListInspector {}

/// The last instruction that ran or was about to run. It explains an exceptional halt.
#[derive(Debug, Clone, Copy, Default)]
pub struct LastStep {
    /// Its opcode.
    pub opcode: u8,
    /// Stack items before it ran.
    pub stack_len: usize,
    /// How it ended its frame, if it did.
    pub ended: Option<InstructionResult>,
}

impl LastStep {
    pub(crate) fn begin(&mut self, interp: &Interpreter) {
        *self =
            Self { opcode: interp.bytecode.opcode(), stack_len: interp.stack.len(), ended: None };
    }

    pub(crate) fn end(&mut self, interp: &mut Interpreter) {
        self.ended = interp.bytecode.instruction_result();
    }
}

/// Steps between two questions to the [`Interrupt`]: some microseconds.
const STEPS_PER_POLL: u32 = 1 << 10;

/// An inspector under watch.
#[derive(Debug, Clone)]
pub struct Guard<I> {
    /// The inspector.
    pub inner: I,
    interrupt: Interrupt,
    until_poll: u32,
    stopped: Option<Stopped>,
    last: LastStep,
}

impl<I> Guard<I> {
    /// Watches over an execution that `inner` inspects.
    pub const fn new(inner: I, interrupt: Interrupt) -> Self {
        let last = LastStep { opcode: 0, stack_len: 0, ended: None };
        Self { inner, interrupt, until_poll: STEPS_PER_POLL, stopped: None, last }
    }

    /// Why the execution was ended, if it was.
    pub const fn stopped(&self) -> Option<Stopped> {
        self.stopped
    }

    /// The last step.
    pub const fn last_step(&self) -> LastStep {
        self.last
    }

    fn poll(&mut self) {
        self.until_poll -= 1;
        if self.until_poll == 0 {
            self.until_poll = STEPS_PER_POLL;
            if self.interrupt.is_due() {
                self.stopped = Some(Stopped::Interrupted);
            }
        }
    }
}

/// Ends the frame, and through the context's error the whole transaction.
fn stop(interp: &mut Interpreter, context: &mut impl ContextTr) {
    *context.error() = Err(ContextError::Custom("execution aborted".into()));
    interp.bytecode.action().take();
    interp.bytecode.reset_action();
    interp.halt_fatal();
}

impl<CTX: ContextTr, I: Inspector<CTX> + Bounded> Inspector<CTX> for Guard<I> {
    fn initialize_interp(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        self.inner.initialize_interp(interp, context);
    }

    fn step(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        self.last.begin(interp);
        self.poll();
        if self.inner.is_full() {
            self.stopped = Some(Stopped::TooLarge);
        }
        if self.stopped.is_some() {
            stop(interp, context);
            return;
        }
        self.inner.step(interp, context);
    }

    fn step_end(&mut self, interp: &mut Interpreter, context: &mut CTX) {
        self.last.end(interp);
        self.inner.step_end(interp, context);
    }

    fn log(&mut self, context: &mut CTX, log: Log) {
        self.inner.log(context, log);
    }

    fn log_full(&mut self, interp: &mut Interpreter, context: &mut CTX, log: Log) {
        self.inner.log_full(interp, context, log);
    }

    fn call(&mut self, context: &mut CTX, inputs: &mut CallInputs) -> Option<CallOutcome> {
        self.inner.call(context, inputs)
    }

    fn call_end(&mut self, context: &mut CTX, inputs: &CallInputs, outcome: &mut CallOutcome) {
        self.inner.call_end(context, inputs, outcome);
    }

    fn create(&mut self, context: &mut CTX, inputs: &mut CreateInputs) -> Option<CreateOutcome> {
        self.inner.create(context, inputs)
    }

    fn create_end(
        &mut self,
        context: &mut CTX,
        inputs: &CreateInputs,
        outcome: &mut CreateOutcome,
    ) {
        self.inner.create_end(context, inputs, outcome);
    }

    fn selfdestruct(&mut self, contract: Address, target: Address, value: U256) {
        self.inner.selfdestruct(contract, target, value);
    }
}
