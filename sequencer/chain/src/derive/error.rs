//! Why a payload gave no block.

use alloy_primitives::B256;
use cairn_evm::TxError;

use crate::error::{ChainError, ImportError};

/// A transaction of a payload, and with it the payload, is invalid. Try its deposits alone.
#[derive(Debug, thiserror::Error)]
pub enum InvalidPayload {
    /// The bytes are no transaction.
    #[error("transaction {index} cannot be decoded: {reason}")]
    Undecodable {
        /// Position among the payload's transactions, deposits not counted.
        index: usize,
        /// What is wrong.
        reason: String,
    },
    /// A deposit that did not come from L1.
    #[error("transaction {index} is a deposit")]
    Deposit {
        /// Position among the payload's transactions, deposits not counted.
        index: usize,
    },
    /// No account has signed it.
    #[error("transaction {index} ({hash}) has no valid signature")]
    Signature {
        /// Position among the payload's transactions, deposits not counted.
        index: usize,
        /// Hash of the transaction.
        hash: B256,
    },
    /// It cannot be executed where it stands.
    #[error("transaction {index} ({hash}): {source}")]
    Execution {
        /// Position among the payload's transactions, deposits not counted.
        index: usize,
        /// Hash of the transaction.
        hash: B256,
        /// What is wrong with it.
        source: Box<TxError>,
    },
}

/// Why [`Chain::derive`](crate::Chain::derive) gave no block.
#[derive(Debug, thiserror::Error)]
pub enum DeriveError {
    /// The batch is invalid: derive its deposits alone. The chain is as it was.
    #[error("block {number}: {source}")]
    Invalid {
        /// Number that the block would have.
        number: u64,
        /// What is wrong.
        source: InvalidPayload,
    },
    /// Attributes or deposits that no valid L1 block leads to. Another attempt gives the same: stop,
    /// or derive again from an earlier L1 block. The chain is as it was.
    #[error("attributes of block {number}: {reason}")]
    Attributes {
        /// Number that the block would have.
        number: u64,
        /// What is wrong.
        reason: String,
    },
    /// The parent is not canonical: start derivation anew from the chain's heads.
    #[error("parent {0} is not in the chain")]
    UnknownParent(B256),
    /// A safe block would be replaced. Reset the heads first, if L1 was reorganised.
    #[error("block {number} would replace safe blocks up to {safe}")]
    BelowSafe {
        /// Number that the block would have.
        number: u64,
        /// The safe head.
        safe: u64,
    },
    /// The node failed, not the payload: try it again, unless the error is fatal.
    #[error(transparent)]
    Chain(#[from] ChainError),
}

impl DeriveError {
    /// An unwind's failure; that of a finalized block cannot come here, for it is safe too.
    pub(super) fn unwind(error: ImportError) -> Self {
        match error {
            ImportError::Chain(error) => Self::Chain(error),
            other => Self::Chain(ChainError::Build { number: 0, reason: other.to_string() }),
        }
    }
}
