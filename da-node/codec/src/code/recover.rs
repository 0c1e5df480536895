//! From any `R` rows to all others.
//!
//! A missing row is a linear combination of `R` known ones, which is the cheapest way to a few rows. Many
//! rows come by transforms.

use rayon::prelude::*;

use super::decoder::Decoder;
use super::domain::Domain;
use super::encode::{block_of, columns_of, read_block, write_block};
use super::lagrange::Basis;
use super::transform::for_rows;
use crate::field::rows::add_scaled;
use crate::field::{RowFactor, Scalar, check_canonical};
use crate::{BadRow, CodecError, RowFault, RowIndex, Shape, read_payload};

/// Recovers a payload of `length` bytes from any `R` rows of its matrix, on the threads of the current
/// rayon pool. The rows must have been verified; more than `R` do not help, and original ones are used first.
///
/// # Errors
/// [`CodecError::TooFewRows`], [`CodecError::RowOutOfRange`], [`CodecError::DuplicateRow`],
/// [`CodecError::BadRows`], [`CodecError::LengthOutsideShape`], [`CodecError::NotAPayload`].
pub fn recover_payload(
    shape: Shape,
    length: usize,
    known: &[(RowIndex, &[u8])],
) -> Result<Vec<u8>, CodecError> {
    shape.check_length(length)?;
    let known = Known::new(shape, known)?;
    let missing: Vec<RowIndex> =
        (0..shape.rows()).map(RowIndex::at).filter(|row| known.get(*row).is_none()).collect();
    let recovered = known.recover(&missing);
    let mut recovered = recovered.chunks_exact(shape.row_bytes());
    let rows: Vec<&[u8]> = (0..shape.rows())
        .map(RowIndex::at)
        .filter_map(|row| known.get(row).or_else(|| recovered.next()))
        .collect();
    read_payload(shape, length, rows.into_iter())
}

/// Recovers rows of a matrix from any `R` of them; see [`recover_payload`]. The result holds
/// the wanted rows in the order of the call, one after the other.
///
/// # Errors
/// [`CodecError::TooFewRows`], [`CodecError::RowOutOfRange`], [`CodecError::DuplicateRow`],
/// [`CodecError::BadRows`].
pub fn recover_rows(
    shape: Shape,
    known: &[(RowIndex, &[u8])],
    wanted: &[RowIndex],
) -> Result<Vec<u8>, CodecError> {
    wanted.iter().try_for_each(|row| shape.check_row(*row))?;
    let known = Known::new(shape, known)?;
    let missing: Vec<RowIndex> =
        wanted.iter().copied().filter(|row| known.get(*row).is_none()).collect();
    let recovered = known.recover(&missing);
    let mut recovered = recovered.chunks_exact(shape.row_bytes());
    let rows = wanted.iter().filter_map(|row| known.get(*row).or_else(|| recovered.next()));
    Ok(rows.flatten().copied().collect())
}

/// `R` rows to recover from.
struct Known<'a> {
    shape: Shape,
    domain: Domain,
    /// In the order of the matrix.
    rows: Vec<(RowIndex, &'a [u8])>,
}

impl<'a> Known<'a> {
    fn new(shape: Shape, rows: &[(RowIndex, &'a [u8])]) -> Result<Self, CodecError> {
        let mut rows = rows.to_vec();
        rows.sort_by_key(|(row, _)| *row);
        for (row, _) in &rows {
            shape.check_row(*row)?;
        }
        if let Some(pair) = rows.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            return Err(CodecError::DuplicateRow { row: pair[0].0 });
        }
        let (needed, given) = (shape.rows(), rows.len());
        if given < needed {
            return Err(CodecError::TooFewRows { needed, given });
        }
        rows.truncate(needed);
        let bad: Vec<BadRow> = rows
            .par_iter()
            .filter_map(|(row, bytes)| {
                check_row(shape, bytes).err().map(|fault| BadRow { row: *row, fault })
            })
            .collect();
        if !bad.is_empty() {
            return Err(CodecError::BadRows(bad));
        }
        Ok(Self { shape, domain: Domain::new(needed), rows })
    }

    fn get(&self, row: RowIndex) -> Option<&'a [u8]> {
        let position = self.rows.binary_search_by_key(&row, |(row, _)| *row).ok()?;
        Some(self.rows[position].1)
    }

    fn indices(&self) -> Vec<RowIndex> {
        self.rows.iter().map(|(row, _)| *row).collect()
    }

    fn bytes(&self) -> Vec<&'a [u8]> {
        self.rows.iter().map(|(_, bytes)| *bytes).collect()
    }

    /// The bytes of these rows, none of which is known.
    fn recover(&self, missing: &[RowIndex]) -> Vec<u8> {
        if missing.is_empty() {
            return Vec::new();
        }
        let mut rows = vec![0; missing.len() * self.shape.row_bytes()];
        // Multiplications for each column, of a combination and of the transforms.
        let combination = missing.len() * self.shape.rows();
        let levels = self.shape.rows().ilog2() as usize + 2;
        let transforms = 2 * self.domain.extended() * levels;
        if combination <= transforms {
            self.combine(missing, &mut rows);
        } else {
            self.transform(missing, &mut rows);
        }
        rows
    }

    fn combine(&self, missing: &[RowIndex], rows: &mut [u8]) {
        let basis = Basis::new(self.domain, &self.indices());
        let coefficients: Vec<Vec<RowFactor>> =
            missing.iter().map(|row| for_rows(basis.coefficients(*row))).collect();
        let known = self.bytes();
        columns_of(rows, self.shape.row_bytes()).into_par_iter().enumerate().for_each(
            |(block, mut rows)| {
                let columns = block_of(known[0], block).len();
                let elements = read_block(&known, block);
                let mut values = Vec::with_capacity(rows.len() * columns);
                for coefficients in &coefficients {
                    let mut sums = vec![Scalar::ZERO; columns];
                    for (elements, coefficient) in elements.chunks_exact(columns).zip(coefficients)
                    {
                        add_scaled(&mut sums, elements, coefficient);
                    }
                    values.extend_from_slice(&sums);
                }
                write_block(&values, &mut rows);
            },
        );
    }

    fn transform(&self, missing: &[RowIndex], rows: &mut [u8]) {
        let decoder = Decoder::new(self.domain, &self.indices());
        let known = self.bytes();
        columns_of(rows, self.shape.row_bytes()).into_par_iter().enumerate().for_each(
            |(block, mut rows)| {
                let coefficients = decoder.coefficients(&read_block(&known, block));
                decoder.write(&coefficients, missing, &mut rows);
            },
        );
    }
}

/// What is wrong with the form of a row.
pub(crate) fn check_row(shape: Shape, bytes: &[u8]) -> Result<(), RowFault> {
    if bytes.len() != shape.row_bytes() {
        return Err(RowFault::Length { expected: shape.row_bytes(), found: bytes.len() });
    }
    match check_canonical(bytes) {
        Err(CodecError::NonCanonical { column }) => Err(RowFault::NonCanonical { column }),
        _ => Ok(()),
    }
}
