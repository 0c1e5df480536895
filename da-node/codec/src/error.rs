//! What can go wrong, by what the caller does about it.

use alloy_primitives::B256;

use crate::{ColumnIndex, RowIndex};

/// An error of the codec. The variants are decisions for the caller.
///
/// | variant | what to do |
/// |---|---|
/// | [`EmptyPayload`](Self::EmptyPayload), [`PayloadTooLong`](Self::PayloadTooLong) | refuse the payload |
/// | [`ImpossibleShape`](Self::ImpossibleShape), [`LengthOutsideShape`](Self::LengthOutsideShape) | refuse the header |
/// | [`CommitmentCount`](Self::CommitmentCount), [`HashesRootMismatch`](Self::HashesRootMismatch), [`BadCommitment`](Self::BadCommitment) | drop whoever sent the commitments, ask another |
/// | [`WrongRows`](Self::WrongRows) | refuse all of these rows, or find out which are bad |
/// | [`BadRows`](Self::BadRows), [`NonCanonical`](Self::NonCanonical), [`RowLength`](Self::RowLength) | drop whoever sent these rows, keep the others |
/// | [`RowOutOfRange`](Self::RowOutOfRange), [`ColumnOutOfRange`](Self::ColumnOutOfRange), [`DuplicateRow`](Self::DuplicateRow) | a malformed request or message: refuse it |
/// | [`TooFewRows`](Self::TooFewRows) | ask for more rows |
/// | [`NotAPayload`](Self::NotAPayload) | the certified matrix holds no payload: treat it as empty, nobody can repair it |
/// | [`BadProof`](Self::BadProof), [`WrongOpening`](Self::WrongOpening), [`WrongPath`](Self::WrongPath) | refuse the proof |
/// | [`Setup`](Self::Setup) | stop the process: its binary is damaged |
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// A payload has at least one byte.
    #[error("the payload is empty")]
    EmptyPayload,
    /// The payload does not fit the largest matrix.
    #[error("the payload has {length} bytes, a matrix holds {limit}")]
    PayloadTooLong {
        /// Bytes of the payload.
        length: usize,
        /// Bytes that fit, [`MAX_PAYLOAD_BYTES`](crate::MAX_PAYLOAD_BYTES).
        limit: usize,
    },
    /// Not a power of two of rows in 1…256, or columns outside 1…4096.
    #[error("no matrix has {rows} rows and {columns} columns")]
    ImpossibleShape {
        /// Original rows.
        rows: usize,
        /// Columns.
        columns: usize,
    },
    /// The payload length of a header is zero or does not fit its matrix.
    #[error("a matrix of {capacity} bytes cannot hold a payload of {length}")]
    LengthOutsideShape {
        /// Bytes of the payload.
        length: usize,
        /// Bytes that fit the matrix.
        capacity: usize,
    },
    /// A list of commitments or hashes has another length than the matrix has original rows.
    #[error("{found} commitments for {expected} rows")]
    CommitmentCount {
        /// Original rows.
        expected: usize,
        /// Entries of the list.
        found: usize,
    },
    /// The commitments are not those that the header names.
    #[error("the versioned hashes have the root {found}, the header says {expected}")]
    HashesRootMismatch {
        /// Root in the header.
        expected: B256,
        /// Root of the list.
        found: B256,
    },
    /// A commitment is no element of the group.
    #[error("commitment {index}: {fault}")]
    BadCommitment {
        /// Position in the list.
        index: usize,
        /// What is wrong with it.
        fault: PointFault,
    },
    /// The proof of an opening is no element of the group.
    #[error("the proof is {0}")]
    BadProof(PointFault),
    /// Not all rows of the call are rows of the matrix.
    #[error("not all of {rows} rows are what the commitments fix")]
    WrongRows {
        /// Rows in the call.
        rows: usize,
    },
    /// These rows are not rows of the matrix. [`CheckedCommitments::verify`] says besides that every
    /// other row of the call is.
    ///
    /// [`CheckedCommitments::verify`]: crate::CheckedCommitments::verify
    #[error("{} bad rows, the first is row {}: {}", .0.len(), .0[0].row, .0[0].fault)]
    BadRows(Vec<BadRow>),
    /// An element is not below the modulus of the scalar field.
    #[error("the element in column {column} is not below the modulus")]
    NonCanonical {
        /// The first such column.
        column: ColumnIndex,
    },
    /// A row has another length than its matrix has columns.
    #[error("a row of {found} bytes, its matrix has rows of {expected}")]
    RowLength {
        /// 32 bytes for each column.
        expected: usize,
        /// Bytes of the row.
        found: usize,
    },
    /// No such row.
    #[error("row {row} of a matrix with {limit} extended rows")]
    RowOutOfRange {
        /// The row asked for.
        row: RowIndex,
        /// Rows there are.
        limit: usize,
    },
    /// No such column.
    #[error("column {column} of a matrix with {limit} columns")]
    ColumnOutOfRange {
        /// The column asked for.
        column: ColumnIndex,
        /// Columns there are.
        limit: usize,
    },
    /// The same row twice in one call.
    #[error("row {row} stands twice in the list")]
    DuplicateRow {
        /// The row.
        row: RowIndex,
    },
    /// Fewer rows than it takes to recover the matrix.
    #[error("{given} rows, recovery takes {needed}")]
    TooFewRows {
        /// As many as there are original rows.
        needed: usize,
        /// Rows in the call.
        given: usize,
    },
    /// An element begins with a byte other than zero, or the tail after the payload is not zero.
    #[error("row {row}, column {column} holds no payload bytes")]
    NotAPayload {
        /// Row of the first such element.
        row: RowIndex,
        /// Its column.
        column: ColumnIndex,
    },
    /// The proof does not show that the committed row has this value at this point.
    #[error("the opening is wrong")]
    WrongOpening,
    /// The Merkle path does not lead from this hash at this row to the root.
    #[error("the Merkle path of row {row} does not lead to the root")]
    WrongPath {
        /// The row.
        row: RowIndex,
    },
    /// The points of the trusted setup cannot be read.
    #[error("trusted setup: {0}")]
    Setup(&'static str),
}

/// A row that is not what its matrix says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadRow {
    /// Which row.
    pub row: RowIndex,
    /// What is wrong with it.
    pub fault: RowFault,
}

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowFault {
    /// Another length than the matrix has columns.
    #[error("{found} bytes instead of {expected}")]
    Length {
        /// 32 bytes for each column.
        expected: usize,
        /// Bytes of the row.
        found: usize,
    },
    /// An element is not below the modulus of the scalar field.
    #[error("the element in column {column} is not below the modulus")]
    NonCanonical {
        /// The first such column.
        column: ColumnIndex,
    },
    /// The row is not the one that the commitments fix.
    #[error("it differs from what the commitments fix")]
    Content,
}

/// Why 48 bytes are no element of G1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PointFault {
    /// Flags or coordinate are not those of a compressed point.
    #[error("not the encoding of a point")]
    Encoding,
    /// No point of the curve has this coordinate.
    #[error("not on the curve")]
    NotOnCurve,
    /// On the curve, but outside the subgroup of prime order.
    #[error("outside the subgroup")]
    NotInSubgroup,
}
