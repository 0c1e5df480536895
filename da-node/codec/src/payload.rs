//! Payload bytes in the elements of the original rows, and back.
//!
//! An element is a zero byte and 31 bytes of payload; elements fill the matrix row by row, and what
//! the payload leaves free is zero. Reading is strict: a matrix whose elements begin with another
//! byte, or whose tail is not zero, holds no payload. So a payload has one matrix and a matrix at most
//! one payload of a given length, whichever rows it was recovered from.

use crate::shape::{ELEMENT_BYTES, PAYLOAD_BYTES_PER_ELEMENT};
use crate::{CodecError, ColumnIndex, RowIndex, Shape};

/// Writes the payload into the original rows.
///
/// `rows` are the `R·W` elements of the matrix and all zero before the call; the payload fits them.
pub(crate) fn write_payload(payload: &[u8], rows: &mut [u8]) {
    let elements = rows.chunks_exact_mut(ELEMENT_BYTES);
    for (element, chunk) in elements.zip(payload.chunks(PAYLOAD_BYTES_PER_ELEMENT)) {
        element[1..=chunk.len()].copy_from_slice(chunk);
    }
}

/// Reads a payload of `length` bytes from the original rows, in order.
///
/// # Errors
/// [`CodecError::LengthOutsideShape`], [`CodecError::TooFewRows`] if these are not `R` rows,
/// [`CodecError::RowLength`], [`CodecError::NotAPayload`].
pub fn read_payload<'a>(
    shape: Shape,
    length: usize,
    rows: impl ExactSizeIterator<Item = &'a [u8]>,
) -> Result<Vec<u8>, CodecError> {
    shape.check_length(length)?;
    if rows.len() != shape.rows() {
        return Err(CodecError::TooFewRows { needed: shape.rows(), given: rows.len() });
    }
    let mut payload = Vec::with_capacity(length);
    for (row, bytes) in rows.enumerate() {
        shape.check_row_bytes(bytes.len())?;
        for (column, element) in bytes.chunks_exact(ELEMENT_BYTES).enumerate() {
            let taken = PAYLOAD_BYTES_PER_ELEMENT.min(length - payload.len());
            let (head, tail) = element.split_at(1 + taken);
            if head[0] != 0 || tail.iter().any(|byte| *byte != 0) {
                let (row, column) = (RowIndex::at(row), ColumnIndex::at(column));
                return Err(CodecError::NotAPayload { row, column });
            }
            payload.extend_from_slice(&head[1..]);
        }
    }
    Ok(payload)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn matrix(payload: &[u8], shape: Shape) -> Vec<u8> {
        let mut rows = vec![0; shape.rows() * shape.row_bytes()];
        write_payload(payload, &mut rows);
        rows
    }

    fn read(shape: Shape, length: usize, matrix: &[u8]) -> Result<Vec<u8>, CodecError> {
        read_payload(shape, length, matrix.chunks_exact(shape.row_bytes()))
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(
            payload in proptest::collection::vec(any::<u8>(), 1..5000),
            operators in 0..100usize,
        ) {
            let shape = Shape::for_payload(payload.len(), operators).expect("a shape");
            let matrix = matrix(&payload, shape);
            prop_assert!(matrix.iter().step_by(ELEMENT_BYTES).all(|byte| *byte == 0));
            prop_assert_eq!(read(shape, payload.len(), &matrix), Ok(payload));
        }
    }

    #[test]
    fn refuses_a_matrix_that_holds_no_payload() {
        let shape = Shape::new(2, 2).expect("a shape");
        let good = matrix(&[7; 63], shape);
        assert_eq!(read(shape, 63, &good), Ok(vec![7; 63]));
        let at = |row, column| {
            Err(CodecError::NotAPayload { row: RowIndex(row), column: ColumnIndex(column) })
        };
        // A first byte, a byte after the payload in its last element, an element after it.
        for (byte, row, column) in [(32, 0, 1), (64, 1, 0), (66, 1, 0), (127, 1, 1)] {
            let mut bad = good.clone();
            bad[byte] = 1;
            assert_eq!(read(shape, 63, &bad), at(row, column), "byte {byte}");
        }
        assert_eq!(read(shape, 62, &good), at(1, 0), "a shorter length");
    }

    #[test]
    fn refuses_rows_that_are_not_those_of_the_shape() {
        let shape = Shape::new(2, 2).expect("a shape");
        let rows = [0u8; 128];
        assert_eq!(
            read_payload(shape, 5, rows[..64].chunks_exact(64)),
            Err(CodecError::TooFewRows { needed: 2, given: 1 })
        );
        assert_eq!(
            read_payload(shape, 5, rows.chunks(96)),
            Err(CodecError::RowLength { expected: 64, found: 96 })
        );
        assert_eq!(
            read(shape, 125, &rows),
            Err(CodecError::LengthOutsideShape { length: 125, capacity: 124 })
        );
    }
}
