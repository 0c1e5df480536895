//! What can go wrong, by what the caller does about it.

use std::ops::Range;

use cairn_da_codec::CodecError;
use cairn_primitives::da::{CertificateStatus, Epoch};

use crate::collect::Shortfall;
use crate::registry::RegistryError;
use crate::retrieval::Missing;

/// An error of the client.
///
/// | variant | what to do |
/// |---|---|
/// | [`Payload`](Self::Payload) | the payload is empty or too long: split it |
/// | [`NotCertified`](Self::NotCertified) | try again with another reservation, or fail over to L1 |
/// | [`NotRetrieved`](Self::NotRetrieved), [`NoCommitments`](Self::NoCommitments) | try again later |
/// | [`NotAPayload`](Self::NotAPayload) | certified, but nobody can read it: treat it as empty |
/// | [`NoElement`](Self::NoElement), [`Range`](Self::Range) | refuse the request |
/// | [`Certificate`](Self::Certificate), [`UnknownEpoch`](Self::UnknownEpoch) | refuse the certificate |
/// | [`Registry`](Self::Registry) | L1 does not answer: try again |
/// | [`Http`](Self::Http), [`Signer`](Self::Signer), [`Codec`](Self::Codec), [`Stopped`](Self::Stopped) | stop |
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No matrix holds the payload.
    #[error("payload: {0}")]
    Payload(CodecError),
    /// Too few operators signed.
    #[error("not certified: {0}")]
    NotCertified(Shortfall),
    /// Too few rows came.
    #[error("not retrieved: {0}")]
    NotRetrieved(Missing),
    /// No operator has commitments that fit the header.
    #[error("no operator has the header's commitments")]
    NoCommitments,
    /// The rows are those of the header, and hold no payload.
    #[error("the matrix holds no payload: {0}")]
    NotAPayload(CodecError),
    /// The payload has no such bytes.
    #[error("bytes {}..{} of a payload of {length}", .range.start, .range.end)]
    Range {
        /// Bytes asked for.
        range: Range<u32>,
        /// Bytes there are.
        length: u32,
    },
    /// The payload has no such element.
    #[error("element {element} of a payload with {elements}")]
    NoElement {
        /// Element asked for.
        element: u32,
        /// Elements there are.
        elements: u32,
    },
    /// The certificate is not valid.
    #[error("the certificate has status {0:?}")]
    Certificate(CertificateStatus),
    /// The registry has no quorum with a seed for that epoch.
    #[error("no quorum in epoch {0}")]
    UnknownEpoch(Epoch),
    /// The registry cannot be read.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The HTTP client cannot be made.
    #[error("HTTP client: {0}")]
    Http(String),
    /// The payer's key did not sign.
    #[error("payer: {0}")]
    Signer(String),
    /// The codec failed where it cannot.
    #[error("codec: {0}")]
    Codec(CodecError),
    /// The runtime is shutting down.
    #[error("the runtime is shutting down")]
    Stopped,
}
