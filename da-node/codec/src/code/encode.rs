//! From a payload to committed and extended rows.

use alloy_primitives::B256;
use rayon::prelude::*;

use super::domain::Domain;
use super::transform::{Transform, for_rows, scale_rows};
use crate::field::{RowFactor, Scalar};
use crate::payload::write_payload;
use crate::shape::{ELEMENT_BYTES, EXPANSION};
use crate::{CodecError, Commitment, Committer, RowIndex, Shape, hashes_root};

/// All rows of a payload and the commitments of the original ones.
///
/// Encoding takes, beside the payload, its extended rows (4.13 times the payload from a few rows on)
/// and less than a mebibyte for each thread.
#[derive(Debug, Clone)]
pub struct EncodedMatrix {
    shape: Shape,
    length: usize,
    rows: Vec<u8>,
    commitments: Vec<Commitment>,
    hashes: Vec<B256>,
    hashes_root: B256,
}

impl EncodedMatrix {
    /// Encodes a payload for a network with so many active operators, on the threads of the current
    /// rayon pool.
    ///
    /// # Errors
    /// [`CodecError::EmptyPayload`], [`CodecError::PayloadTooLong`].
    pub fn encode(
        committer: &Committer,
        payload: &[u8],
        operators: usize,
    ) -> Result<Self, CodecError> {
        let shape = Shape::for_payload(payload.len(), operators)?;
        let mut rows = vec![0; shape.extended_rows() * shape.row_bytes()];
        let original = shape.rows() * shape.row_bytes();
        write_payload(payload, &mut rows[..original]);
        extend(shape, &mut rows);
        let commitments = committer.commit_rows(&rows[..original], shape.row_bytes());
        let hashes: Vec<B256> = commitments.iter().map(Commitment::versioned_hash).collect();
        let hashes_root = hashes_root(shape, &hashes)?;
        Ok(Self { shape, length: payload.len(), rows, commitments, hashes, hashes_root })
    }

    /// Rows and columns.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// Bytes of the payload.
    #[must_use]
    pub const fn payload_length(&self) -> usize {
        self.length
    }

    /// One of the `4R` rows: `W` elements of 32 bytes, big-endian.
    ///
    /// # Errors
    /// [`CodecError::RowOutOfRange`].
    pub fn row(&self, row: RowIndex) -> Result<&[u8], CodecError> {
        self.shape.check_row(row)?;
        let start = row.as_usize() * self.shape.row_bytes();
        Ok(&self.rows[start..start + self.shape.row_bytes()])
    }

    /// All `4R` rows in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.rows.chunks_exact(self.shape.row_bytes())
    }

    /// The commitments of the `R` original rows.
    #[must_use]
    pub fn commitments(&self) -> &[Commitment] {
        &self.commitments
    }

    /// The versioned hashes of the `R` original rows.
    #[must_use]
    pub fn hashes(&self) -> &[B256] {
        &self.hashes
    }

    /// The root over the versioned hashes.
    #[must_use]
    pub const fn hashes_root(&self) -> B256 {
        self.hashes_root
    }
}

/// Columns of a block: a kibibyte of each row, and a block of the largest matrix fits the second-level cache.
pub(super) const BLOCK_COLUMNS: usize = 32;

/// Computes the parity rows of a matrix of canonical elements; `rows` are all `4R`, the original first.
fn extend(shape: Shape, rows: &mut [u8]) {
    let domain = Domain::new(shape.rows());
    let transform = Transform::new(shape.rows());
    let cosets: Vec<Vec<RowFactor>> =
        (1..EXPANSION).map(|coset| for_rows(domain.coset_factors(coset))).collect();
    let (original, parity) = rows.split_at_mut(shape.rows() * shape.row_bytes());
    let original: Vec<&[u8]> = original.chunks_exact(shape.row_bytes()).collect();
    columns_of(parity, shape.row_bytes()).into_par_iter().enumerate().for_each(
        |(block, mut parity)| {
            let mut coefficients = read_block(&original, block);
            transform.interpolate(&mut coefficients);
            let mut values = vec![Scalar::ZERO; coefficients.len()];
            for (factors, rows) in cosets.iter().zip(parity.chunks_exact_mut(shape.rows())) {
                values.copy_from_slice(&coefficients);
                scale_rows(&mut values, factors);
                transform.evaluate(&mut values);
                write_block(&values, rows);
            }
        },
    );
}

/// Cuts rows into blocks of columns: for each block its part of every row.
pub(super) fn columns_of(rows: &mut [u8], row_bytes: usize) -> Vec<Vec<&mut [u8]>> {
    let blocks = row_bytes.div_ceil(BLOCK_COLUMNS * ELEMENT_BYTES);
    let count = rows.len() / row_bytes;
    let mut columns: Vec<_> = (0..blocks).map(|_| Vec::with_capacity(count)).collect();
    for row in rows.chunks_exact_mut(row_bytes) {
        for (block, part) in columns.iter_mut().zip(row.chunks_mut(BLOCK_COLUMNS * ELEMENT_BYTES)) {
            block.push(part);
        }
    }
    columns
}

/// The elements of a block, row after row.
pub(super) fn read_block(rows: &[&[u8]], block: usize) -> Vec<Scalar> {
    let mut elements = Vec::with_capacity(rows.len() * BLOCK_COLUMNS);
    for row in rows {
        elements.extend(block_of(row, block).iter().map(Scalar::from_bytes_unchecked));
    }
    elements
}

/// The part of a row that belongs to a block.
pub(super) fn block_of(row: &[u8], block: usize) -> &[[u8; ELEMENT_BYTES]] {
    let (elements, _) = row.as_chunks::<ELEMENT_BYTES>();
    let start = block * BLOCK_COLUMNS;
    &elements[start..elements.len().min(start + BLOCK_COLUMNS)]
}

/// Writes a block to its parts of the rows.
pub(super) fn write_block(values: &[Scalar], rows: &mut [&mut [u8]]) {
    let columns = values.len() / rows.len();
    for (row, values) in rows.iter_mut().zip(values.chunks_exact(columns)) {
        let (elements, _) = row.as_chunks_mut::<ELEMENT_BYTES>();
        for (element, value) in elements.iter_mut().zip(values) {
            *element = value.to_bytes();
        }
    }
}
