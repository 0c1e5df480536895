//! What the parts of the DA network agree on: header, certificate, signatures, slots.
//!
//! The formats are those of `ARCHITECTURE.md`, "DA network: what its parts agree on". Integers on
//! the wire are big-endian, hashes are keccak256 unless stated.
//!
//! - [`Header`]: the 90 bytes that a payer signs and every operator attests to
//! - [`Shape`]: rows and columns of a payload's matrix
//! - [`hashes_root`], [`hash_path`], [`verify_hash_path`]: the commitment to the versioned hashes
//! - [`Snapshot`], [`SlotTable`]: who holds which rows
//! - [`bls`]: keys, signatures, proofs of possession
//! - [`Certificate`], [`CertificateStatus`]: what `CertificateVerifier` on L1 says, off chain
//! - [`Submission`], [`Refusal`]: how rows are handed to a node, and how it declines

pub mod bls;
mod certificate;
mod digest;
mod hashes;
mod header;
mod index;
mod permutation;
mod refusal;
mod reservation;
mod row;
mod shape;
mod snapshot;
mod submission;

pub use certificate::{Certificate, CertificateStatus, Signers, check_certificate};
pub use digest::Domain;
pub use hashes::{hash_path, hashes_root, verify_hash_path};
pub use header::{HEADER_BYTES, Header, HeaderError};
pub use index::{
    Epoch, OperatorIndex, PayloadLength, QuorumId, Reservation, RowIndex, SlotIndex, Stake,
    Timestamp,
};
pub use permutation::SlotPermutation;
pub use refusal::{Refusal, RefusalCode};
pub use reservation::{PayerSignature, PayerSignatureError, reservation_digest};
pub use shape::{
    COMMITMENT_BYTES, ELEMENT_BYTES, ELEMENT_PAYLOAD_BYTES, EXPANSION, MAX_COLUMNS,
    MAX_PAYLOAD_BYTES, MAX_ROWS, Shape, ShapeError,
};
pub use snapshot::{MAX_OPERATORS, Operator, SlotTable, Snapshot, SnapshotError};
pub use submission::{Submission, SubmissionError};

#[cfg(test)]
mod tests;
