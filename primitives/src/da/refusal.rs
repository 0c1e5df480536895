//! Why a node did not sign, or has no row.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Why a node did not sign or has no row, for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefusalCode {
    /// Length, header or another part of the request cannot be read.
    Malformed,
    /// The header's payer did not sign it.
    PayerSignature,
    /// The node does not work for this payer.
    PayerNotServed,
    /// The reservation was used for another header.
    ReservationUsed,
    /// The node does not know the epoch, or not yet; try again when L1 has moved.
    UnknownEpoch,
    /// The node is no operator of that epoch, or holds no slot of the header.
    NotAnOperator,
    /// The expiry has passed on the node's clock.
    Expired,
    /// The expiry is later than the node keeps rows.
    ExpiryTooLate,
    /// Commitments are no points of the group, or are not what the header commits to.
    WrongCommitments,
    /// An element is not below the field's modulus.
    WrongElement,
    /// The rows are not those that the commitments bind.
    WrongRow,
    /// The payer sends faster than the node's limit.
    RateLimited,
    /// Larger than the node's limit.
    TooLarge,
    /// The node has as much work as it takes on.
    Busy,
    /// The same header is being worked on; ask again for its signature.
    InProgress,
    /// The body did not arrive in time.
    Timeout,
    /// The node's disk is full.
    DiskFull,
    /// The node lost L1 and cannot tell who is an operator.
    L1Unavailable,
    /// No such header or row here.
    NotFound,
    /// There was such a row; its retention has ended.
    Gone,
    /// The node failed.
    Internal,
}

impl RefusalCode {
    /// HTTP status that carries it.
    pub const fn http_status(self) -> u16 {
        match self {
            Self::Malformed | Self::PayerSignature => 400,
            Self::NotAnOperator | Self::PayerNotServed => 403,
            Self::NotFound => 404,
            Self::Timeout => 408,
            Self::ReservationUsed | Self::InProgress => 409,
            Self::Gone => 410,
            Self::TooLarge => 413,
            Self::Expired
            | Self::ExpiryTooLate
            | Self::WrongCommitments
            | Self::WrongElement
            | Self::WrongRow => 422,
            Self::UnknownEpoch => 425,
            Self::RateLimited => 429,
            Self::Internal => 500,
            Self::Busy | Self::L1Unavailable => 503,
            Self::DiskFull => 507,
        }
    }

    /// Whether the same request may succeed later.
    pub const fn is_retryable(self) -> bool {
        matches!(
            self,
            Self::UnknownEpoch
                | Self::RateLimited
                | Self::Busy
                | Self::InProgress
                | Self::Timeout
                | Self::DiskFull
                | Self::L1Unavailable
                | Self::Internal
        )
    }
}

/// A typed refusal. On the wire it is JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Refusal {
    /// For programs.
    pub code: RefusalCode,
    /// For people, with the offending values.
    pub message: String,
    /// When to try again, where waiting helps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<u64>,
}

impl Refusal {
    /// A refusal with a message.
    pub fn new(code: RefusalCode, message: impl Into<String>) -> Self {
        let retry_after_seconds = code.is_retryable().then_some(1);
        Self { code, message: message.into(), retry_after_seconds }
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        let seconds = wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0));
        self.retry_after_seconds = Some(seconds);
        self
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
