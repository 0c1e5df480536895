//! A payload on its way.

use alloy::signers::SignerSync;
use cairn_da_codec::{Committer, EncodedMatrix};
use cairn_primitives::da::bls::Signature;
use cairn_primitives::da::{
    Certificate, Header, OperatorIndex, PayerSignature, PayloadLength, QuorumId, Reservation,
    RowIndex, Shape, Signers, Snapshot, Submission, Timestamp,
};
use eyre::OptionExt;

use super::operators::{domain, payer, secret};

/// Bytes without a pattern that the codec could profit from.
pub(crate) fn payload(length: usize) -> Vec<u8> {
    let byte = |at: usize| (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()[1];
    (0..length).map(byte).collect()
}

/// A payload for the operators of an epoch, encoded.
pub(crate) struct Parcel {
    pub(crate) header: Header,
    pub(crate) matrix: EncodedMatrix,
    signature: PayerSignature,
    snapshot: Snapshot,
}

impl Parcel {
    pub(crate) fn new(snapshot: &Snapshot, length: usize, expiry: Timestamp) -> eyre::Result<Self> {
        let operators = snapshot.operators().len();
        let matrix = EncodedMatrix::encode(Committer::shared()?, &payload(length), operators)?;
        let shape = matrix.shape();
        let header = Header {
            shape: Shape::new(shape.rows() as u16, shape.columns() as u16)?,
            payload_length: PayloadLength(length as u32),
            hashes_root: matrix.hashes_root(),
            payer: payer()?.address(),
            reservation: Reservation(length as u64),
            epoch: snapshot.epoch(),
            quorum: QuorumId(0),
            expiry,
        };
        let signature = payer()?.sign_message_sync(header.hash().as_slice())?.into();
        Ok(Self { header, matrix, signature, snapshot: snapshot.clone() })
    }

    /// The body of a submission to an operator.
    pub(crate) fn body(&self, operator: OperatorIndex) -> eyre::Result<Vec<u8>> {
        let rows = self.snapshot.rows_of(operator, &self.header);
        let full = rows.iter().map(|row| Ok((*row, self.row(*row)?)));
        let full = full.collect::<eyre::Result<Vec<_>>>()?;
        let commitments: Vec<u8> = self.matrix.commitments().iter().flat_map(|c| c.0).collect();
        Ok(Submission::encode(&self.header, &self.signature, &commitments, full))
    }

    /// A row as it is in the matrix.
    pub(crate) fn row(&self, row: RowIndex) -> eyre::Result<&[u8]> {
        Ok(self.matrix.row(cairn_da_codec::RowIndex(row.0))?)
    }

    /// The certificate of all operators but the first `missing`.
    pub(crate) fn certificate(&self, missing: usize) -> eyre::Result<Vec<u8>> {
        let digest = domain().attestation(&self.header, self.snapshot.seed());
        let operators = self.snapshot.operators().len();
        let signatures = (missing..operators).map(|number| Ok(secret(number)?.sign(digest)));
        let signatures = signatures.collect::<eyre::Result<Vec<_>>>()?;
        let signature = Signature::sum(&signatures).ok_or_eyre("nobody signs")?;
        let signers = (missing..operators).map(|number| OperatorIndex(number as u16));
        let signers = Signers::new(operators, signers);
        Ok(Certificate { header: self.header, signature, signers }.encode())
    }
}
