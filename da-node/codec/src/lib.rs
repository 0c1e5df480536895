//! The code of the DA network: payloads as KZG-committed rows, their extension, verification and
//! recovery.
//!
//! A payload fills a matrix of `R` rows and `W` columns ([`Shape`]). Each row is committed to as an EIP-4844
//! blob that is zero from column `W` on; the columns are extended to `4R` rows, of which any `R` give the
//! payload back, and any of which can be checked against the `R` commitments. `ARCHITECTURE.md`, chapter
//! "DA network", is the specification. This crate knows neither headers nor networks: it is given
//! lengths, rows and commitments.
//!
//! # From a payload to its rows and back
//!
//! ```
//! use cairn_da_codec::*;
//!
//! # fn main() -> Result<(), CodecError> {
//! let committer = Committer::shared()?;
//! let payload = b"what the rollup has to say ".repeat(40);
//!
//! // The sender: rows to hand out, commitments and the root that the header states.
//! let matrix = EncodedMatrix::encode(committer, &payload, 64)?;
//! let (shape, root) = (matrix.shape(), matrix.hashes_root());
//!
//! // A node: commitments once, then any rows.
//! let commitments = CheckedCommitments::new(shape, matrix.commitments(), &root)?;
//! let rows: Vec<_> = (0..).map(RowIndex).zip(matrix.rows()).collect();
//! commitments.verify(committer, &rows[20..25])?;
//!
//! // A reader: a quarter of the rows, here parity alone.
//! let parity = &rows[shape.rows()..2 * shape.rows()];
//! assert_eq!(recover_payload(shape, payload.len(), parity)?, payload);
//!
//! // A contract: one element, by the precompile at 0x0a.
//! let row = RowIndex(2);
//! let opening = Opening::of_row(committer, matrix.row(row)?, ColumnIndex(1))?;
//! opening.verify(&matrix.commitments()[row.as_usize()])?;
//! let path = hash_path(shape, matrix.hashes(), row)?;
//! verify_hash_path(shape, &root, row, &matrix.hashes()[row.as_usize()], &path)?;
//! # Ok(()) }
//! ```
//!
//! # Threads and memory
//!
//! Work is spread over the current rayon pool: install a pool around a call to bound it, or one with a
//! single thread to measure it. Encoding holds 5.2 times the payload at its peak: the payload, its rows,
//! and a mebibyte or two for each thread. The tables of a [`Committer`] take 10 MB and are built in a tenth of
//! a second, which is why they are not kept on disk.
//!
//! # The parts
//!
//! - `field`: elements and what they are multiplied by; held against blst
//! - `code`: transforms across whole rows, Lagrange bases, recovery
//! - `curve`: blst and the points of the ceremony
//! - `msm`: sums over the fixed points, portable and in AVX-512 lanes; held against blst
//! - `unsafe` code stands in `curve` and `msm::ifma` alone

mod code;
mod commitment;
mod committer;
mod curve;
mod error;
mod field;
mod hashes;
mod msm;
mod opening;
mod payload;
mod shape;
mod verify;

pub use code::{EncodedMatrix, recover_payload, recover_rows};
pub use commitment::{COMMITMENT_BYTES, Commitment};
pub use committer::Committer;
pub use error::{BadRow, CodecError, PointFault, RowFault};
pub use hashes::{hash_path, hashes_root, verify_hash_path};
pub use opening::Opening;
pub use payload::read_payload;
pub use shape::{
    ColumnIndex, ELEMENT_BYTES, EXPANSION, MAX_COLUMNS, MAX_PAYLOAD_BYTES, MAX_ROWS,
    PAYLOAD_BYTES_PER_ELEMENT, RowIndex, Shape,
};
pub use verify::CheckedCommitments;
