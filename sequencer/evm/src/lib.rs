//! The EVM behind one face: OP rules and Ethereum rules.
//!
//! This is the only crate that names revm and the crates tied to its version. A move to another
//! revm happens here and nowhere else. No I/O: state comes through
//! [`StateReader`](cairn_primitives::StateReader), so that the same code can run from a witness.
//!
//! - [`EvmConfig`] turns headers and attributes into an [`Env`] and builds a [`Vm`]
//! - [`BlockExecutor`] runs a block: system calls, transactions, rewards, requests
//! - [`Vm`] runs single transactions for calls, estimates and traces, with any inspector
//! - [`Guard`] bounds such a run in time and memory, [`trace`] holds the tracers of geth

mod config;
mod database;
mod diff;
mod error;
mod executor;
mod guard;
mod halt_text;
mod l1_fee;
mod precompiles;
mod revert_reason;
mod storage_only;
mod system_calls;
pub mod trace;
mod transaction;
mod vm;

pub use config::{BlockAttributes, Env, EvmConfig};
pub use database::{DbError, StateDb, VmDbError};
pub use diff::{AccountDelta, AccountDiff, BlockDiff};
pub use error::{BlockError, TxError};
pub use executor::{BlockExecutor, BlockOutcome, TxOutcome, TxStatus};
pub use guard::{Bounded, Guard, Interrupt, LastStep, Stopped};
pub use halt_text::{REVERTED, halt_text, is_out_of_gas, opcode_name};
pub use l1_fee::{DaSize, TxL1Fee, rollup_fee};
pub use precompiles::PrecompileSet;
pub use revert_reason::revert_reason;
pub use transaction::{TxRequest, tx_env};
pub use vm::{TxResult, Vm, VmInspector};

/// The parts of revm that callers need to set up calls and read results.
pub mod revm_types {
    pub use alloy_evm::EvmEnv;
    pub use alloy_evm::precompiles::{DynPrecompile, PrecompilesMap};
    pub use alloy_op_evm::OpTx;
    pub use op_revm::{L1BlockInfo, OpHaltReason, OpSpecId, OpTransaction};
    pub use revm::bytecode::Bytecode;
    pub use revm::context::result::{
        ExecutionResult, HaltReason, InvalidTransaction, OutOfGasError, Output, ResultAndState,
    };
    pub use revm::context::{BlockEnv, CfgEnv, TxEnv};
    pub use revm::context_interface::block::BlobExcessGasAndPrice;
    pub use revm::database::AccountState as CachedState;
    pub use revm::database::{CacheDB, State};
    pub use revm::inspector::NoOpInspector;
    pub use revm::primitives::hardfork::SpecId;
    pub use revm::state::{Account as EvmAccount, AccountInfo, EvmState, EvmStorageSlot};
    pub use revm::{Database, DatabaseCommit, DatabaseRef, Inspector};
}

/// Tracers of the geth and parity kinds.
pub use revm_inspectors as inspectors;
