//! Why a transaction was not sent.

use alloy_primitives::Bytes;

use super::JournalError;
use crate::L1Error;

/// A request that did not end with a confirmed transaction.
///
/// | variant | what to do |
/// |---|---|
/// | [`L1`](Self::L1) | as [`L1Error::next_step`] says; nothing was sent |
/// | [`Reverted`](Self::Reverted) | the call would fail: find out why; nothing was sent |
/// | [`Rejected`](Self::Rejected), [`Displaced`](Self::Displaced) | look at L1 again, and send what is still wanted |
/// | [`Content`](Self::Content) | a mistake of the caller; nothing was sent |
/// | [`Journal`](Self::Journal), [`Stopped`](Self::Stopped) | stop; what was sent is in the journal |
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    /// L1 did not answer before anything was sent.
    #[error(transparent)]
    L1(#[from] L1Error),
    /// Gas could not be estimated since the call reverts.
    #[error("the call reverts: {message}")]
    Reverted {
        /// What the node says.
        message: String,
        /// Revert data; empty if it gives none.
        data: Bytes,
    },
    /// No node took the transaction.
    #[error("refused by every node: {reason}")]
    Rejected {
        /// What the last one said.
        reason: String,
    },
    /// Its nonce was used with the same key by somebody else: the account must be ours alone.
    #[error("nonce {nonce} was used by somebody else")]
    Displaced {
        /// The nonce.
        nonce: u64,
    },
    /// No transaction can be made of the content.
    #[error("no transaction: {0}")]
    Content(String),
    /// The journal at the start.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The sender has ended.
    #[error("the sender has ended")]
    Stopped,
}
