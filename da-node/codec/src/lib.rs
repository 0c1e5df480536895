//! The code of the DA network.
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
