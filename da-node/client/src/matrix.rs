//! Between the formats of the network and the codec.

use alloy_primitives::B256;
use cairn_da_codec as codec;
use cairn_da_codec::{CheckedCommitments, CodecError, Commitment, Committer};
use cairn_primitives::da::{COMMITMENT_BYTES, Header, RowIndex, Shape};

use crate::error::ClientError;

/// The commitments of a header, checked: they are those that it names, and points of the group.
#[derive(Debug, Clone)]
pub struct Commitments(CheckedCommitments);

impl Commitments {
    /// Checks the `R × 48` bytes of a header's commitments.
    ///
    /// # Errors
    /// [`CodecError::CommitmentCount`], [`CodecError::HashesRootMismatch`],
    /// [`CodecError::BadCommitment`].
    pub fn check(header: &Header, bytes: &[u8]) -> Result<Self, CodecError> {
        let (list, rest) = bytes.as_chunks::<COMMITMENT_BYTES>();
        if !rest.is_empty() {
            let expected = usize::from(header.shape.rows());
            return Err(CodecError::CommitmentCount { expected, found: list.len() + 1 });
        }
        let list: Vec<_> = list.iter().copied().map(Commitment).collect();
        let shape = codec_shape(header.shape)?;
        CheckedCommitments::new(shape, &list, &header.hashes_root).map(Self)
    }

    /// The versioned hashes of the original rows.
    pub fn hashes(&self) -> &[B256] {
        self.0.hashes()
    }

    /// The commitment of an original row.
    pub fn of_row(&self, row: RowIndex) -> Option<Commitment> {
        self.0.commitments().get(row.as_usize()).copied()
    }

    /// The commitments of the original rows, one after the other.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.commitments().iter().flat_map(|commitment| commitment.0).collect()
    }

    /// Whether rows, each of any length, are all of the matrix, at the same price whatever was sent.
    ///
    /// # Errors
    /// [`CodecError::BadRows`] with those of another form, [`CodecError::WrongRows`] if there is
    /// none and not all are of the matrix.
    pub fn check_rows(&self, rows: &[(RowIndex, &[u8])]) -> Result<(), CodecError> {
        self.0.check(Committer::shared()?, &codec_rows(rows))
    }

    /// Checks rows, each of any length.
    ///
    /// # Errors
    /// [`CodecError::BadRows`] with those that are not of the matrix; the others are.
    pub fn verify(&self, rows: &[(RowIndex, &[u8])]) -> Result<(), CodecError> {
        self.0.verify(Committer::shared()?, &codec_rows(rows))
    }
}

fn codec_rows<'a>(rows: &[(RowIndex, &'a [u8])]) -> Vec<(codec::RowIndex, &'a [u8])> {
    rows.iter().map(|(row, bytes)| (codec_row(*row), *bytes)).collect()
}

/// The payload that rows of a header give, all of them checked before.
pub(crate) fn recover(
    header: &Header,
    rows: &[(RowIndex, Vec<u8>)],
) -> Result<Vec<u8>, ClientError> {
    let shape = codec_shape(header.shape).map_err(ClientError::Codec)?;
    let length = usize::try_from(header.payload_length.0).unwrap_or(usize::MAX);
    let known: Vec<_> = rows.iter().map(|(row, bytes)| (codec_row(*row), &bytes[..])).collect();
    codec::recover_payload(shape, length, &known).map_err(|error| match error {
        CodecError::NotAPayload { .. } => ClientError::NotAPayload(error),
        other => ClientError::Codec(other),
    })
}

const fn codec_row(row: RowIndex) -> codec::RowIndex {
    codec::RowIndex(row.0)
}

/// The shape as the codec has it. Both have the same bounds.
fn codec_shape(shape: Shape) -> Result<codec::Shape, CodecError> {
    codec::Shape::new(usize::from(shape.rows()), usize::from(shape.columns()))
}

/// The shape of a matrix that the codec made.
pub(crate) fn network_shape(shape: codec::Shape) -> Result<Shape, CodecError> {
    let (rows, columns) = (shape.rows(), shape.columns());
    let narrow = |value: usize| u16::try_from(value).unwrap_or(0);
    Shape::new(narrow(rows), narrow(columns))
        .map_err(|_| CodecError::ImpossibleShape { rows, columns })
}
