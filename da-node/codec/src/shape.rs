//! Sizes of a matrix and positions in it.

use std::fmt;

use crate::CodecError;

/// Bytes of an element on the wire: an integer below the modulus of the scalar field, big-endian.
pub const ELEMENT_BYTES: usize = 32;
/// Payload bytes in an element; the byte before them is zero.
pub const PAYLOAD_BYTES_PER_ELEMENT: usize = 31;
/// Most original rows.
pub const MAX_ROWS: usize = 256;
/// Most columns: the elements of an EIP-4844 blob.
pub const MAX_COLUMNS: usize = 4096;
/// Extended rows for each original row.
pub const EXPANSION: usize = 4;
/// Longest payload, 31 MiB.
pub const MAX_PAYLOAD_BYTES: usize = MAX_ROWS * MAX_COLUMNS * PAYLOAD_BYTES_PER_ELEMENT;

/// An extended row, `0…4R-1`; the original rows come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowIndex(pub u16);

/// A column, `0…W-1`: also the position of its element in the blob.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ColumnIndex(pub u16);

impl RowIndex {
    /// As an index of a list.
    #[must_use]
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }

    /// From a position that is known to be one of a matrix.
    pub(crate) fn at(position: usize) -> Self {
        Self(u16::try_from(position).expect("a matrix has at most 1024 extended rows"))
    }
}

impl ColumnIndex {
    /// As an index of a row.
    #[must_use]
    pub const fn as_usize(self) -> usize {
        self.0 as usize
    }

    /// From a position that is known to be one of a row.
    pub(crate) fn at(position: usize) -> Self {
        Self(u16::try_from(position).expect("a row has at most 4096 columns"))
    }
}

impl fmt::Display for RowIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for ColumnIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Rows and columns of a matrix: `R` a power of two in 1…256, `W` in 1…4096.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    rows: u16,
    columns: u16,
}

impl Shape {
    /// The shape that a header states.
    ///
    /// # Errors
    /// [`CodecError::ImpossibleShape`].
    pub fn new(rows: usize, columns: usize) -> Result<Self, CodecError> {
        let impossible = CodecError::ImpossibleShape { rows, columns };
        if !rows.is_power_of_two() || rows > MAX_ROWS || !(1..=MAX_COLUMNS).contains(&columns) {
            return Err(impossible);
        }
        match (u16::try_from(rows), u16::try_from(columns)) {
            (Ok(rows), Ok(columns)) => Ok(Self { rows, columns }),
            _ => Err(impossible),
        }
    }

    /// The shape for a payload of `length` bytes in a network with `operators` active operators:
    /// as few rows as hold it, but enough that every operator gets a row of its own, as long as
    /// there are elements to fill the rows.
    ///
    /// # Errors
    /// [`CodecError::EmptyPayload`], [`CodecError::PayloadTooLong`].
    pub fn for_payload(length: usize, operators: usize) -> Result<Self, CodecError> {
        if length == 0 {
            return Err(CodecError::EmptyPayload);
        }
        if length > MAX_PAYLOAD_BYTES {
            return Err(CodecError::PayloadTooLong { length, limit: MAX_PAYLOAD_BYTES });
        }
        let elements = length.div_ceil(PAYLOAD_BYTES_PER_ELEMENT);
        let needed = elements.div_ceil(MAX_COLUMNS).next_power_of_two();
        let wanted = operators.div_ceil(EXPANSION).clamp(1, MAX_ROWS).next_power_of_two();
        let rows = needed.max(wanted.min(elements.next_power_of_two()));
        Self::new(rows, elements.div_ceil(rows))
    }

    /// Original rows, `R`.
    #[must_use]
    pub const fn rows(self) -> usize {
        self.rows as usize
    }

    /// Columns, `W`.
    #[must_use]
    pub const fn columns(self) -> usize {
        self.columns as usize
    }

    /// Original and parity rows, `4R`.
    #[must_use]
    pub const fn extended_rows(self) -> usize {
        self.rows as usize * EXPANSION
    }

    /// Bytes of a row on the wire.
    #[must_use]
    pub const fn row_bytes(self) -> usize {
        self.columns as usize * ELEMENT_BYTES
    }

    /// Payload bytes that fit.
    #[must_use]
    pub const fn capacity(self) -> usize {
        self.rows() * self.columns() * PAYLOAD_BYTES_PER_ELEMENT
    }

    /// Whether a payload of this many bytes can stand in this matrix.
    ///
    /// # Errors
    /// [`CodecError::LengthOutsideShape`].
    pub const fn check_length(self, length: usize) -> Result<(), CodecError> {
        let capacity = self.capacity();
        if length == 0 || length > capacity {
            return Err(CodecError::LengthOutsideShape { length, capacity });
        }
        Ok(())
    }

    /// Whether the row is one of this matrix.
    ///
    /// # Errors
    /// [`CodecError::RowOutOfRange`].
    pub const fn check_row(self, row: RowIndex) -> Result<(), CodecError> {
        if row.as_usize() < self.extended_rows() {
            return Ok(());
        }
        Err(CodecError::RowOutOfRange { row, limit: self.extended_rows() })
    }

    /// Whether the column is one of this matrix.
    ///
    /// # Errors
    /// [`CodecError::ColumnOutOfRange`].
    pub const fn check_column(self, column: ColumnIndex) -> Result<(), CodecError> {
        if column.as_usize() < self.columns() {
            return Ok(());
        }
        Err(CodecError::ColumnOutOfRange { column, limit: self.columns() })
    }

    /// Whether a row has the bytes that its matrix wants.
    ///
    /// # Errors
    /// [`CodecError::RowLength`].
    pub const fn check_row_bytes(self, found: usize) -> Result<(), CodecError> {
        if found == self.row_bytes() {
            return Ok(());
        }
        Err(CodecError::RowLength { expected: self.row_bytes(), found })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROW: usize = MAX_COLUMNS * PAYLOAD_BYTES_PER_ELEMENT;

    fn shape(length: usize, operators: usize) -> (usize, usize) {
        let shape = Shape::for_payload(length, operators).expect("a payload that fits");
        (shape.rows(), shape.columns())
    }

    #[test]
    fn lengths_at_every_border_have_the_shape_of_the_table() {
        assert_eq!(shape(1, 1), (1, 1));
        assert_eq!(shape(31, 1), (1, 1));
        assert_eq!(shape(32, 1), (1, 2));
        assert_eq!(shape(ROW, 1), (1, 4096));
        assert_eq!(shape(ROW + 1, 1), (2, 2049));
        for power in 1..=8 {
            let rows = 1 << power;
            assert_eq!(shape(ROW * rows, 1), (rows, 4096));
            assert_eq!(shape(ROW * rows - 31, 1), (rows, 4096));
            if rows < MAX_ROWS {
                assert_eq!(shape(ROW * rows + 1, 1), (2 * rows, 2049));
            }
        }
        assert_eq!(shape(31 << 20, 1), (256, 4096));
    }

    #[test]
    fn small_payloads_are_spread_over_the_operators_but_not_over_empty_rows() {
        assert_eq!(shape(1024, 64), (16, 3));
        assert_eq!(shape(1024, 65), (32, 2));
        assert_eq!(shape(1024, 4000), (64, 1));
        assert_eq!(shape(31, 64), (1, 1));
        assert_eq!(shape(31 * 3, 64), (4, 1));
        assert_eq!(shape(ROW, usize::MAX), (256, 16));
        assert_eq!(shape(1024, 0), (1, 34));
    }

    #[test]
    fn refuses_what_no_matrix_holds() {
        assert_eq!(Shape::for_payload(0, 1), Err(CodecError::EmptyPayload));
        let length = MAX_PAYLOAD_BYTES + 1;
        let limit = MAX_PAYLOAD_BYTES;
        assert_eq!(
            Shape::for_payload(length, 1),
            Err(CodecError::PayloadTooLong { length, limit })
        );
        for (rows, columns) in [(0, 1), (3, 1), (512, 1), (1, 0), (1, 4097), (1 << 16, 1 << 16)] {
            assert_eq!(
                Shape::new(rows, columns),
                Err(CodecError::ImpossibleShape { rows, columns })
            );
        }
        let shape = Shape::new(2, 3).expect("a shape");
        assert!(shape.check_length(186).is_ok());
        for length in [0, 187] {
            assert_eq!(
                shape.check_length(length),
                Err(CodecError::LengthOutsideShape { length, capacity: 186 })
            );
        }
        let row = RowIndex(8);
        assert_eq!(shape.check_row(row), Err(CodecError::RowOutOfRange { row, limit: 8 }));
        let column = ColumnIndex(3);
        assert_eq!(
            shape.check_column(column),
            Err(CodecError::ColumnOutOfRange { column, limit: 3 })
        );
    }

    proptest! {
        #[test]
        fn every_payload_fits_its_shape(length in 1..=MAX_PAYLOAD_BYTES, operators in 0..2000usize) {
            let shape = Shape::for_payload(length, operators).expect("a shape");
            prop_assert!(shape.check_length(length).is_ok());
            // One row less, or one column less, and it would not fit or not be spread.
            let elements = length.div_ceil(PAYLOAD_BYTES_PER_ELEMENT);
            prop_assert!(shape.rows() * (shape.columns() - 1) < elements);
            prop_assert!(shape.rows() <= elements.next_power_of_two());
        }
    }
}
