//! Exceptional halts in the words of geth (go-ethereum `core/vm/errors.go`), which clients match.

use op_revm::OpHaltReason;
use revm::bytecode::opcode::OpCode;
use revm::context::result::{HaltReason, OutOfGasError};
use revm::interpreter::InstructionResult;

use crate::LastStep;

/// What geth calls a revert.
pub const REVERTED: &str = "execution reverted";

const STACK_LIMIT: usize = 1024;

/// The name of an opcode as geth writes it. `DIFFICULTY` stays, also after the merge.
pub fn opcode_name(opcode: u8) -> std::borrow::Cow<'static, str> {
    match OpCode::new(opcode) {
        Some(known) => known.as_str().into(),
        None => format!("opcode {opcode:#x} not defined").into(),
    }
}

/// The text of a transaction's halt.
pub fn halt_text(reason: &OpHaltReason, last: LastStep) -> String {
    match reason {
        OpHaltReason::Base(HaltReason::PrecompileErrorWithContext(text)) => text.clone(),
        OpHaltReason::Base(reason) => frame_text(reason.clone().into(), last),
        OpHaltReason::FailedDeposit => "failed deposit transaction".into(),
    }
}

/// Whether a halt says that more gas might have helped.
pub const fn is_out_of_gas(reason: &OpHaltReason) -> bool {
    matches!(
        reason,
        OpHaltReason::Base(HaltReason::OutOfGas(
            OutOfGasError::Basic
                | OutOfGasError::Memory
                | OutOfGasError::MemoryLimit
                | OutOfGasError::Precompile
                | OutOfGasError::ReentrancySentry
        ))
    )
}

/// The text of a frame's failure.
pub(crate) fn frame_text(result: InstructionResult, last: LastStep) -> String {
    use InstructionResult as R;
    let text = match result {
        R::Revert => REVERTED,
        R::CallTooDeep => "max call depth exceeded",
        R::OutOfFunds => "insufficient balance for transfer",
        // The frame returned normally: what it could not pay is the deposit of its code.
        R::OutOfGas if last.ended == Some(R::Return) => "contract creation code storage out of gas",
        R::ReentrancySentryOOG => "out of gas: not enough gas for reentrancy sentry",
        R::InvalidOperandOOG => "gas uint64 overflow",
        R::OutOfGas | R::MemoryOOG | R::MemoryLimitOOG | R::PrecompileOOG => "out of gas",
        R::OpcodeNotFound | R::NotActivated | R::InvalidFEOpcode => {
            return format!("invalid opcode: {}", opcode_name(last.opcode));
        }
        R::StackUnderflow => {
            let needed = stack_io(last.opcode).0;
            return format!("stack underflow ({} <=> {needed})", last.stack_len);
        }
        R::StackOverflow => {
            let (inputs, outputs) = stack_io(last.opcode);
            let limit = STACK_LIMIT.saturating_add(inputs).saturating_sub(outputs);
            return format!("stack limit reached {} ({limit})", last.stack_len);
        }
        R::InvalidJump => "invalid jump destination",
        R::OutOfOffset => "return data out of bounds",
        R::CreateCollision => "contract address collision",
        R::NonceOverflow => "nonce uint64 overflow",
        R::CreateContractSizeLimit => "max code size exceeded",
        R::CreateContractStartingWithEF | R::CreateInitCodeStartingEF00 => {
            "invalid code: must not begin with 0xef"
        }
        R::CreateInitCodeSizeLimit => "max initcode size exceeded",
        R::StateChangeDuringStaticCall | R::CallNotAllowedInsideStatic => "write protection",
        R::PrecompileError => "precompile failed",
        R::FatalExternalError => "execution aborted",
        other => return format!("{other:?}"),
    };
    text.into()
}

fn stack_io(opcode: u8) -> (usize, usize) {
    OpCode::new(opcode).map_or((0, 0), |known| (known.inputs().into(), known.outputs().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(opcode: u8, stack_len: usize) -> LastStep {
        LastStep { opcode, stack_len, ended: None }
    }

    #[test]
    fn invalid_opcodes_are_named_as_geth_names_them() {
        let text = |op| frame_text(InstructionResult::OpcodeNotFound, last(op, 0));
        assert_eq!(text(0x0c), "invalid opcode: opcode 0xc not defined");
        assert_eq!(text(0xef), "invalid opcode: opcode 0xef not defined");
        let invalid = frame_text(InstructionResult::InvalidFEOpcode, last(0xfe, 0));
        assert_eq!(invalid, "invalid opcode: INVALID");
        // Known, but not to this fork.
        let push0 = frame_text(InstructionResult::NotActivated, last(0x5f, 0));
        assert_eq!(push0, "invalid opcode: PUSH0");
    }

    #[test]
    fn stack_faults_carry_their_numbers() {
        let under = frame_text(InstructionResult::StackUnderflow, last(0x01, 1));
        assert_eq!(under, "stack underflow (1 <=> 2)");
        let over = frame_text(InstructionResult::StackOverflow, last(0x60, 1024));
        assert_eq!(over, "stack limit reached 1024 (1023)");
    }

    #[test]
    fn unpaid_code_is_told_apart_from_other_lack_of_gas() {
        let mut step = last(0xf3, 2);
        assert_eq!(frame_text(InstructionResult::OutOfGas, step), "out of gas");
        step.ended = Some(InstructionResult::Return);
        let text = frame_text(InstructionResult::OutOfGas, step);
        assert_eq!(text, "contract creation code storage out of gas");
    }
}
