//! geth's default tracer: one entry for each instruction (go-ethereum `logger/logger.go`).
//!
//! Entries are written as JSON while the EVM runs, so that a trace needs no more memory than its
//! answer. An entry shows the state before its instruction; only its cost is known after.

use std::collections::BTreeMap;
use std::fmt::Write;

use alloy_primitives::map::AddressMap;
use alloy_primitives::{Address, Bytes, U256, hex};
use revm::Inspector;
use revm::bytecode::opcode;
use revm::context_interface::ContextTr;
use revm::interpreter::interpreter_types::{InputsTr, Jumps, LoopControl, MemoryTr, ReturnData};
use revm::interpreter::{
    CallInputs, CallOutcome, CreateInputs, CreateOutcome, FrameInput, InstructionResult,
    Interpreter, InterpreterAction,
};

use super::{Budget, StructLogConfig};
use crate::halt_text::{frame_text, opcode_name};
use crate::{Bounded, LastStep};

/// The struct logger.
#[derive(Debug, Clone)]
pub struct StructLogs {
    config: StructLogConfig,
    budget: Budget,
    /// Entries with commas between them.
    json: String,
    open: Option<Entry>,
    last: LastStep,
    /// Slots that each contract has read or written so far.
    storage: AddressMap<BTreeMap<U256, U256>>,
    /// Refunds of the frames below each open one, and of the open one itself.
    refunds: Vec<Refund>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Refund {
    below: i64,
    own: i64,
}

impl Refund {
    const fn total(self) -> i64 {
        self.below.saturating_add(self.own)
    }
}

/// An instruction that is running.
#[derive(Debug, Clone)]
struct Entry {
    pc: usize,
    gas: u64,
    depth: usize,
    refund: i64,
    contract: Address,
    /// Key of a slot that the instruction reads, key and value of one that it writes.
    slot: Option<(U256, Option<U256>)>,
    /// Stack, return data and memory.
    rest: String,
}

impl StructLogs {
    /// A logger that writes at most what `budget` allows.
    pub fn new(config: StructLogConfig, budget: Budget) -> Self {
        Self {
            config,
            budget,
            json: String::new(),
            open: None,
            last: LastStep::default(),
            storage: AddressMap::default(),
            refunds: Vec::new(),
        }
    }

    /// The answer for one transaction.
    pub fn finish(self, gas_used: u64, failed: bool, output: &Bytes) -> String {
        format!(
            "{{\"gas\":{gas_used},\"failed\":{failed},\"returnValue\":\"{}\",\"structLogs\":[{}]}}",
            hex::encode_prefixed(output),
            self.json
        )
    }

    fn limit_reached(&self) -> bool {
        self.config.limit != 0 && self.json.len() as u64 > self.config.limit
    }

    fn enter(&mut self) {
        let below = self.refunds.last().map_or(0, |refund| refund.total());
        self.refunds.push(Refund { below, own: 0 });
    }

    fn exit(&mut self) {
        self.refunds.pop();
    }

    fn entry(&mut self, interp: &Interpreter) -> Entry {
        let stack = interp.stack.data();
        let slot = match (self.last.opcode, stack.as_slice()) {
            (opcode::SLOAD, [.., key]) => Some((*key, None)),
            (opcode::SSTORE, [.., value, key]) => Some((*key, Some(*value))),
            _ => None,
        };
        if let Some(refund) = self.refunds.last_mut() {
            refund.own = interp.gas.refunded();
        }
        Entry {
            pc: interp.bytecode.pc(),
            gas: interp.gas.remaining(),
            depth: self.refunds.len(),
            refund: self.refunds.last().map_or(0, |refund| refund.total()),
            contract: interp.input.target_address(),
            slot: slot.filter(|_| !self.config.disable_storage),
            rest: self.rest(interp),
        }
    }

    /// What the options ask for beside the fixed fields. Empty when the budget is used up.
    fn rest(&mut self, interp: &Interpreter) -> String {
        let mut out = String::new();
        let memory = if self.config.enable_memory { interp.memory.size() } else { 0 };
        let returned: &[u8] =
            if self.config.enable_return_data { interp.return_data.buffer() } else { &[] };
        // Enough for a stack of large numbers, and two digits with quotes for each other byte.
        let size = memory.saturating_mul(3).saturating_add(returned.len().saturating_mul(2));
        if !self.budget.take(size) {
            return out;
        }
        if !self.config.disable_stack {
            out.push_str(",\"stack\":[");
            for (index, item) in interp.stack.data().iter().enumerate() {
                let comma = if index == 0 { "" } else { "," };
                let _ = write!(out, "{comma}\"{item:#x}\"");
            }
            out.push(']');
        }
        if !returned.is_empty() {
            let _ = write!(out, ",\"returnData\":\"{}\"", hex::encode_prefixed(returned));
        }
        if memory > 0 {
            out.push_str(",\"memory\":[");
            let bytes = interp.memory.slice(0..memory);
            for (index, word) in bytes.chunks_exact(32).enumerate() {
                let comma = if index == 0 { "" } else { "," };
                let _ = write!(out, "{comma}\"{}\"", hex::encode_prefixed(word));
            }
            out.push(']');
        }
        out
    }

    /// Cost of the instruction that just ran. Gas that it handed to a creation is not its own.
    fn cost(entry: &Entry, interp: &mut Interpreter) -> u64 {
        let spent = entry.gas.saturating_sub(interp.gas.remaining());
        match interp.bytecode.action() {
            Some(InterpreterAction::NewFrame(FrameInput::Create(inputs))) => {
                spent.saturating_sub(inputs.gas_limit())
            }
            _ => spent,
        }
    }

    fn close(&mut self, entry: Entry, interp: &mut Interpreter) {
        let start = self.json.len();
        let comma = if start == 0 { "" } else { "," };
        let (op, cost) = (opcode_name(self.last.opcode), Self::cost(&entry, interp));
        let Entry { pc, gas, depth, refund, contract, slot, rest } = entry;
        let _ = write!(
            self.json,
            "{comma}{{\"pc\":{pc},\"op\":\"{op}\",\"gas\":{gas},\"gasCost\":{cost},\"depth\":{depth}"
        );
        if let Some(error) = fault(self.last) {
            let _ = write!(self.json, ",\"error\":\"{error}\"");
        }
        self.json.push_str(&rest);
        if let Some((key, written)) = slot {
            // What was read is on the stack now.
            let value = written.or_else(|| interp.stack.data().last().copied()).unwrap_or_default();
            self.write_storage(contract, key, value);
        }
        if refund > 0 {
            let _ = write!(self.json, ",\"refund\":{refund}");
        }
        self.json.push('}');
        let _ = self.budget.take(self.json.len() - start);
    }

    fn write_storage(&mut self, contract: Address, key: U256, value: U256) {
        let slots = self.storage.entry(contract).or_default();
        slots.insert(key, value);
        self.json.push_str(",\"storage\":{");
        for (index, (key, value)) in slots.iter().enumerate() {
            let comma = if index == 0 { "" } else { "," };
            let _ = write!(self.json, "{comma}\"{key:#066x}\":\"{value:#066x}\"");
        }
        self.json.push('}');
    }
}

/// geth notes faults that it finds before an instruction runs; those of the instruction itself
/// show in the outcome of the frame alone.
fn fault(last: LastStep) -> Option<String> {
    use InstructionResult as R;
    let result = last.ended?;
    matches!(
        result,
        R::OutOfGas
            | R::MemoryOOG
            | R::MemoryLimitOOG
            | R::InvalidOperandOOG
            | R::ReentrancySentryOOG
            | R::StackUnderflow
            | R::StackOverflow
    )
    .then(|| frame_text(result, LastStep { ended: None, ..last }))
}

impl Bounded for StructLogs {
    fn is_full(&self) -> bool {
        self.budget.is_full()
    }
}

impl<CTX: ContextTr> Inspector<CTX> for StructLogs {
    fn step(&mut self, interp: &mut Interpreter, _: &mut CTX) {
        self.last.begin(interp);
        self.open = (!self.limit_reached()).then(|| self.entry(interp));
    }

    fn step_end(&mut self, interp: &mut Interpreter, _: &mut CTX) {
        self.last.end(interp);
        if let Some(refund) = self.refunds.last_mut() {
            refund.own = interp.gas.refunded();
        }
        if let Some(entry) = self.open.take() {
            self.close(entry, interp);
        }
    }

    fn call(&mut self, _: &mut CTX, _: &mut CallInputs) -> Option<CallOutcome> {
        self.enter();
        None
    }

    fn call_end(&mut self, _: &mut CTX, _: &CallInputs, _: &mut CallOutcome) {
        self.exit();
    }

    fn create(&mut self, _: &mut CTX, _: &mut CreateInputs) -> Option<CreateOutcome> {
        self.enter();
        None
    }

    fn create_end(&mut self, _: &mut CTX, _: &CreateInputs, _: &mut CreateOutcome) {
        self.exit();
    }
}
