//! The code of the DA network.
mod curve;
mod error;
mod field;
mod msm;
mod payload;
mod shape;

pub use error::{BadRow, CodecError, PointFault, RowFault};
pub use payload::read_payload;
pub use shape::{
    ColumnIndex, ELEMENT_BYTES, EXPANSION, MAX_COLUMNS, MAX_PAYLOAD_BYTES, MAX_ROWS,
    PAYLOAD_BYTES_PER_ELEMENT, RowIndex, Shape,
};
