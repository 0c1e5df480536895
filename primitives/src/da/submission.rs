//! How rows are handed to a node: the body of `POST /v1/rows`.
//!
//! ```text
//! header (90) │ payer signature (65) │ commitments (R × 48) │ rows (W × 31 or W × 32 each)
//! ```
//!
//! The rows are those of the operator's slots, ascending by index, each once, original ones without
//! the zero bytes of their elements. Both sides compute
//! which these are, so they are not listed, and the length of the whole is known from its first
//! 90 bytes. An operator whose slots share rows, or that has none, gets a shorter body or nothing.
//!
//! The answer to an accepted body is the 96 bytes of the signature. A refusal is JSON,
//! `{"code", "message"}` and `"retryAfterSeconds"` where waiting helps, with a [`RefusalCode`](super::RefusalCode).

use super::{HEADER_BYTES, Header, HeaderError, PayerSignature, RowIndex};

/// A parsed body. Commitments and rows are not looked at.
#[derive(Debug, Clone, Copy)]
pub struct Submission<'a> {
    /// The header.
    pub header: Header,
    /// The payer's signature, not yet checked.
    pub payer_signature: PayerSignature,
    /// `R` compressed commitments.
    pub commitments: &'a [u8],
    /// The rows as they are sent, one after the other.
    pub rows: &'a [u8],
}

/// The bytes are no submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SubmissionError {
    /// The header is none.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// Too short for its header, or not the length that the header and the rows make.
    #[error("a submission of {actual} bytes, not {expected}")]
    Length {
        /// Bytes that it should have.
        expected: usize,
        /// Bytes that it has.
        actual: usize,
    },
}

impl<'a> Submission<'a> {
    /// Bytes before the commitments, enough to decide whether to read on.
    pub const PREFIX_BYTES: usize = HEADER_BYTES + PayerSignature::BYTES;

    /// Bytes of the whole for a header of which an operator holds these rows.
    pub fn length(header: &Header, rows: &[RowIndex]) -> usize {
        Self::PREFIX_BYTES + header.shape.commitment_bytes() + header.shape.sent_bytes(rows)
    }

    /// Reads header and signature from the front.
    ///
    /// # Errors
    /// [`SubmissionError`]; a short prefix names [`Self::PREFIX_BYTES`] as the length expected.
    pub fn decode_prefix(bytes: &[u8]) -> Result<(Header, PayerSignature), SubmissionError> {
        let (expected, actual) = (Self::PREFIX_BYTES, bytes.len());
        let short = SubmissionError::Length { expected, actual };
        let (header, rest) = bytes.split_at_checked(HEADER_BYTES).ok_or(short)?;
        let (signature, _) = rest.split_first_chunk().ok_or(short)?;
        Ok((Header::decode(header)?, PayerSignature(*signature)))
    }

    /// Reads a whole body with these rows.
    ///
    /// # Errors
    /// [`SubmissionError`].
    pub fn decode(bytes: &'a [u8], rows: &[RowIndex]) -> Result<Self, SubmissionError> {
        let (header, payer_signature) = Self::decode_prefix(bytes)?;
        let (expected, actual) = (Self::length(&header, rows), bytes.len());
        let body = bytes.get(Self::PREFIX_BYTES..).filter(|_| expected == actual);
        let (commitments, rows) = body
            .and_then(|body| body.split_at_checked(header.shape.commitment_bytes()))
            .ok_or(SubmissionError::Length { expected, actual })?;
        Ok(Self { header, payer_signature, commitments, rows })
    }

    /// The bytes of a submission of these rows, each of `W × 32` bytes.
    pub fn encode<'r>(
        header: &Header,
        payer_signature: &PayerSignature,
        commitments: &[u8],
        rows: impl IntoIterator<Item = (RowIndex, &'r [u8])>,
    ) -> Vec<u8> {
        let mut bytes = header.encode().to_vec();
        bytes.extend_from_slice(&payer_signature.0);
        bytes.extend_from_slice(commitments);
        for (row, full) in rows {
            bytes.extend_from_slice(&header.shape.pack_row(row, full));
        }
        bytes
    }
}
