//! What can go wrong while a transaction or block executes.

use alloy_primitives::B256;
use cairn_primitives::ReadError;
use op_revm::OpTransactionError;
use revm::context::result::{EVMError, InvalidTransaction};

use crate::VmDbError;

/// Why a transaction could not be executed at all. State is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum TxError {
    /// The transaction breaks a validity rule: leave it out, or reject the block that holds it.
    #[error("{0}")]
    Invalid(InvalidTransaction),
    /// An OP rule is broken, such as a system transaction after Regolith.
    #[error("{0}")]
    InvalidOptimism(OpTransactionError),
    /// The type is not part of the chain's rules.
    #[error("transaction type not supported")]
    TypeNotSupported,
    /// Its gas limit does not fit into what the block has left; it may fit into the next one.
    #[error("gas limit reached: transaction wants {wanted}, block has {available}")]
    BlockGasExhausted {
        /// Gas limit of the transaction.
        wanted: u64,
        /// Gas left in the block.
        available: u64,
    },
    /// Its DA footprint does not fit (Jovian); it may fit into the next block.
    #[error("DA footprint reached: transaction needs {wanted}, block has {available}")]
    BlockFootprintExhausted {
        /// Footprint of the transaction in gas.
        wanted: u64,
        /// Footprint left in the block.
        available: u64,
    },
    /// Its DA footprint is larger than any block's (Jovian).
    #[error("DA footprint {wanted} exceeds the block gas limit {limit}")]
    FootprintTooLarge {
        /// Footprint of the transaction in gas.
        wanted: u64,
        /// Gas limit of the block.
        limit: u64,
    },
    /// State could not be read. Nothing is known of the transaction.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The EVM itself failed.
    #[error("evm: {0}")]
    Fatal(String),
}

impl TxError {
    /// Whether the transaction may succeed in a later block without any change of state.
    pub const fn fits_later(&self) -> bool {
        matches!(self, Self::BlockGasExhausted { .. } | Self::BlockFootprintExhausted { .. })
    }

    /// Whether the node failed, not the transaction.
    pub const fn is_fatal(&self) -> bool {
        matches!(self, Self::Read(_) | Self::Fatal(_))
    }
}

impl<D: VmDbError> From<EVMError<D, InvalidTransaction>> for TxError {
    fn from(error: EVMError<D, InvalidTransaction>) -> Self {
        from_evm(error, Self::Invalid)
    }
}

impl<D: VmDbError> From<EVMError<D, alloy_op_evm::OpTxError>> for TxError {
    fn from(error: EVMError<D, alloy_op_evm::OpTxError>) -> Self {
        from_evm(error, |e| match e.0 {
            OpTransactionError::Base(invalid) => Self::Invalid(invalid),
            other => Self::InvalidOptimism(other),
        })
    }
}

fn from_evm<D: VmDbError, E>(error: EVMError<D, E>, invalid: impl FnOnce(E) -> TxError) -> TxError {
    match error {
        EVMError::Transaction(e) => invalid(e),
        EVMError::Database(e) => TxError::Read(e.into_read_error()),
        EVMError::Header(e) => TxError::Fatal(e.to_string()),
        EVMError::Custom(e) => TxError::Fatal(e),
        EVMError::CustomAny(e) => TxError::Fatal(e.to_string()),
    }
}

/// Why a block could not be executed.
#[derive(Debug, thiserror::Error)]
pub enum BlockError {
    /// A transaction of the block is invalid, and with it the block.
    #[error("transaction {index} ({hash}): {source}")]
    Transaction {
        /// Position in the block.
        index: usize,
        /// Hash of the transaction.
        hash: B256,
        /// What is wrong with it.
        source: TxError,
    },
    /// A system call that the protocol prescribes failed: the block is invalid.
    #[error("system call: {0}")]
    SystemCall(String),
    /// State could not be read. Nothing is known of the block.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl BlockError {
    /// Whether the node failed, not the block.
    pub const fn is_fatal(&self) -> bool {
        match self {
            Self::Transaction { source, .. } => source.is_fatal(),
            Self::SystemCall(_) => false,
            Self::Read(_) => true,
        }
    }
}
