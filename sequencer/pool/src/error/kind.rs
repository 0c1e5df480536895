//! What an error means to who gets it.

use super::PoolError;

/// What a submitter can do about a [`PoolError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The pool or the open block holds this very transaction: the submission had succeeded.
    AlreadyKnown,
    /// A higher fee would be accepted.
    Underpriced,
    /// No state or time makes this transaction acceptable.
    Invalid,
    /// The transaction may be acceptable later, or with other funds or nonces before it.
    Temporary,
    /// The node failed, not the transaction.
    Internal,
}

impl PoolError {
    /// JSON-RPC error code, as geth gives it for `eth_sendRawTransaction`.
    pub const fn code(&self) -> i32 {
        match self {
            Self::Crashed | Self::State(_) | Self::SenderNotLoaded { .. } => -32603,
            _ => -32000,
        }
    }

    /// What the submitter can do about it.
    pub const fn kind(&self) -> ErrorKind {
        match self {
            Self::AlreadyKnown => ErrorKind::AlreadyKnown,
            Self::ReplaceUnderpriced
            | Self::Underpriced
            | Self::TipTooLow { .. }
            | Self::BlobFeeTooLow { .. } => ErrorKind::Underpriced,
            Self::TypeNotSupported { .. }
            | Self::TooShort
            | Self::Decode(_)
            | Self::Oversized { .. }
            | Self::InitCodeTooLarge { .. }
            | Self::GasLimitTooHigh { .. }
            | Self::TipAboveFeeCap
            | Self::InvalidSender
            | Self::InvalidChainId { .. }
            | Self::FeeAboveCap { .. }
            | Self::Unprotected
            | Self::NonceMax
            | Self::IntrinsicGas { .. }
            | Self::FloorDataGas { .. }
            | Self::NoBlobs
            | Self::TooManyBlobs { .. }
            | Self::NoAuthorization
            | Self::NonceTooLow { .. } => ErrorKind::Invalid,
            Self::ExceedsBlockGasLimit
            | Self::SenderNotEoa { .. }
            | Self::InsufficientFunds { .. }
            | Self::Overdraft { .. }
            | Self::ReplacementOverdraft { .. }
            | Self::PoolFull
            | Self::FutureReplacesPending
            | Self::AccountLimit { .. }
            | Self::InFlightLimit
            | Self::GappedFromDelegated
            | Self::AuthorityReserved
            | Self::Busy
            | Self::Stopped => ErrorKind::Temporary,
            Self::Crashed | Self::State(_) | Self::SenderNotLoaded { .. } => ErrorKind::Internal,
        }
    }
}
