//! Accounts with storage, but with neither nonce nor code.
//!
//! No contract may be created on the address of one (EIP-7610). revm looks at nonce and code hash
//! alone, so such an account is shown to it with a code hash of its own: a creation takes that for
//! code, and everything else for none. One instruction would tell: EXTCODEHASH, which is therefore
//! replaced. No chain since EIP-161 can make such an account; genesis files can.

use alloy_primitives::{B256, KECCAK256_EMPTY};
use revm::bytecode::opcode::EXTCODEHASH;
use revm::handler::instructions::EthInstructions;
use revm::interpreter::interpreter_types::{InterpreterTypes, StackTr};
use revm::interpreter::{Host, Instruction, InstructionContext, instructions};

/// The code hash that revm sees. It is what revm itself takes for an absent hash.
pub(crate) const STORAGE_ONLY: B256 = B256::ZERO;

/// The code hash that everyone else sees.
pub(crate) const fn plain_code_hash(seen_by_revm: B256) -> B256 {
    if seen_by_revm.const_eq(&STORAGE_ONLY) { KECCAK256_EMPTY } else { seen_by_revm }
}

/// Makes EXTCODEHASH give the plain code hash.
pub(crate) fn install<W: InterpreterTypes, H: Host>(instructions: &mut EthInstructions<W, H>) {
    let static_gas = instructions.instruction_table[usize::from(EXTCODEHASH)].static_gas();
    instructions.insert_instruction(EXTCODEHASH, Instruction::new(extcodehash, static_gas));
}

fn extcodehash<W: InterpreterTypes, H: Host + ?Sized>(context: InstructionContext<'_, H, W>) {
    let InstructionContext { interpreter, host } = context;
    let Some(address) = interpreter.stack.top().map(|top| top.to_be_bytes::<32>()) else {
        // Let it fail as it does.
        return instructions::host::extcodehash(InstructionContext { interpreter, host });
    };
    let address = alloy_primitives::Address::from_word(address.into());
    instructions::host::extcodehash(InstructionContext { interpreter, host });
    let Some(top) = interpreter.stack.top().filter(|top| top.is_zero()) else { return };
    // The account is warm now, unless the instruction ran out of gas.
    if let Ok(load) = host.load_account_info_skip_cold_load(address, false, true)
        && !load.is_empty
        && load.account.code_hash == STORAGE_ONLY
    {
        *top = KECCAK256_EMPTY.into();
    }
}
