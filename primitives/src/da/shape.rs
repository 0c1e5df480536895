//! Rows and columns of a matrix.

use super::{PayloadLength, RowIndex};

/// Bytes of a field element.
pub const ELEMENT_BYTES: usize = 32;
/// Payload bytes of a field element; its first byte is zero.
pub const ELEMENT_PAYLOAD_BYTES: usize = 31;
/// Bytes of a compressed KZG commitment.
pub const COMMITMENT_BYTES: usize = 48;
/// Extended rows for each original row.
pub const EXPANSION: u8 = 4;
/// Most original rows.
pub const MAX_ROWS: u16 = 256;
/// Most columns: the elements of an EIP-4844 blob.
pub const MAX_COLUMNS: u16 = 4096;
/// Longest payload: all elements of the largest matrix, 31 MiB.
pub const MAX_PAYLOAD_BYTES: u32 =
    MAX_ROWS as u32 * MAX_COLUMNS as u32 * ELEMENT_PAYLOAD_BYTES as u32;

/// `R` rows, a power of two in 1…256, and `W` columns, 1…4096.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    rows: u16,
    columns: u16,
}

/// No matrix has this shape.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShapeError {
    /// `R` is not a power of two in 1…256.
    #[error("{0} rows: not a power of two from 1 to {MAX_ROWS}")]
    Rows(u16),
    /// `W` is not in 1…4096.
    #[error("{0} columns: not 1 to {MAX_COLUMNS}")]
    Columns(u16),
    /// An empty payload, or one that the matrix does not hold.
    #[error("a payload of {length} bytes; the matrix holds 1 to {capacity}")]
    PayloadLength {
        /// Length claimed.
        length: u32,
        /// Payload bytes that the matrix holds.
        capacity: u32,
    },
}

impl Shape {
    /// Checks the bounds of `R` and `W`.
    ///
    /// # Errors
    /// [`ShapeError::Rows`], [`ShapeError::Columns`].
    pub const fn new(rows: u16, columns: u16) -> Result<Self, ShapeError> {
        if rows > MAX_ROWS || !rows.is_power_of_two() {
            return Err(ShapeError::Rows(rows));
        }
        if columns == 0 || columns > MAX_COLUMNS {
            return Err(ShapeError::Columns(columns));
        }
        Ok(Self { rows, columns })
    }

    /// The shape of a payload in a network of `operators` active operators: as few rows as hold it,
    /// raised to about a quarter of the operators so that each slot has a row of its own.
    ///
    /// # Errors
    /// [`ShapeError::PayloadLength`] for an empty payload or one above 31 MiB.
    pub fn for_payload(length: PayloadLength, operators: usize) -> Result<Self, ShapeError> {
        let capacity = MAX_PAYLOAD_BYTES;
        if length.0 == 0 || length.0 > capacity {
            return Err(ShapeError::PayloadLength { length: length.0, capacity });
        }
        let elements = length.0.div_ceil(ELEMENT_PAYLOAD_BYTES as u32);
        let fewest = elements.div_ceil(u32::from(MAX_COLUMNS)).next_power_of_two();
        let most = elements.next_power_of_two().min(u32::from(MAX_ROWS));
        let wanted = u32::try_from(operators.div_ceil(usize::from(EXPANSION)))
            .ok()
            .and_then(u32::checked_next_power_of_two)
            .unwrap_or(most);
        let rows = fewest.max(wanted.min(most));
        let columns = elements.div_ceil(rows);
        let narrow = |value: u32| u16::try_from(value).unwrap_or(u16::MAX);
        Self::new(narrow(rows), narrow(columns))
    }

    /// `R`: original rows.
    pub const fn rows(self) -> u16 {
        self.rows
    }

    /// `W`: elements of a row.
    pub const fn columns(self) -> u16 {
        self.columns
    }

    /// `4R`: rows after the extension.
    pub const fn extended_rows(self) -> u16 {
        self.rows * EXPANSION as u16
    }

    /// Bytes of one row.
    pub const fn row_bytes(self) -> usize {
        self.columns as usize * ELEMENT_BYTES
    }

    /// Bytes of the commitments of the original rows.
    pub const fn commitment_bytes(self) -> usize {
        self.rows as usize * COMMITMENT_BYTES
    }

    /// Payload bytes that the matrix holds.
    pub const fn capacity(self) -> u32 {
        self.rows as u32 * self.columns as u32 * ELEMENT_PAYLOAD_BYTES as u32
    }

    /// Whether the extended matrix has such a row.
    pub const fn has_row(self, row: RowIndex) -> bool {
        row.0 < self.extended_rows()
    }

    /// Checks that the matrix holds a payload of that length.
    ///
    /// # Errors
    /// [`ShapeError::PayloadLength`].
    pub const fn check_payload(self, length: PayloadLength) -> Result<(), ShapeError> {
        let capacity = self.capacity();
        if length.0 == 0 || length.0 > capacity {
            return Err(ShapeError::PayloadLength { length: length.0, capacity });
        }
        Ok(())
    }
}
