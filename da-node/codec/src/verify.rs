//! Checking rows against the commitments of the original rows.
//!
//! Rows are combined with random coefficients `ρ`: `Σ ρ_j·row_j` must have the commitment `Σ c_i·C_i`, where `c`
//! says the same combination in terms of the original rows. The coefficients have 128 bits, come from
//! this process' own generator after the rows were received, and every commitment was checked to lie in the
//! subgroup of prime order; so a wrong row passes with probability `2^-128`. The difference of the two
//! sides is additive over rows: halving the set until single rows are left names the bad ones at one
//! combination for each halving. Who only wants to know whether all are good pays for one combination.

use alloy_primitives::B256;
use rand::Rng;
use rayon::prelude::*;

use crate::code::{check_row, on_original_rows};
use crate::curve::{P1, P1Affine, linear_combination};
use crate::field::{Scalar, WideSum};
use crate::shape::ELEMENT_BYTES;
use crate::{BadRow, CodecError, Commitment, Committer, RowFault, RowIndex, Shape, hashes_root};

/// The commitments of a matrix, checked once: they are those that the header names, and points of the
/// group. Verifies any number of rows.
#[derive(Debug, Clone)]
pub struct CheckedCommitments {
    shape: Shape,
    commitments: Vec<Commitment>,
    hashes: Vec<B256>,
    points: Vec<P1Affine>,
}

impl CheckedCommitments {
    /// Checks the list of a matrix against the hashes root of its header, then every point, on the threads of
    /// the current rayon pool. A list that the header does not name costs its hashes only.
    ///
    /// # Errors
    /// [`CodecError::CommitmentCount`], [`CodecError::HashesRootMismatch`], [`CodecError::BadCommitment`].
    pub fn new(shape: Shape, commitments: &[Commitment], root: &B256) -> Result<Self, CodecError> {
        let hashes: Vec<B256> = commitments.iter().map(Commitment::versioned_hash).collect();
        let found = hashes_root(shape, &hashes)?;
        if found != *root {
            return Err(CodecError::HashesRootMismatch { expected: *root, found });
        }
        let points = commitments
            .par_iter()
            .enumerate()
            .map(|(index, commitment)| {
                P1Affine::uncompress(&commitment.0)
                    .map_err(|fault| CodecError::BadCommitment { index, fault })
            })
            .collect::<Result<_, _>>()?;
        Ok(Self { shape, commitments: commitments.to_vec(), hashes, points })
    }

    /// Rows and columns.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        self.shape
    }

    /// The commitments of the original rows.
    #[must_use]
    pub fn commitments(&self) -> &[Commitment] {
        &self.commitments
    }

    /// The versioned hashes of the original rows.
    #[must_use]
    pub fn hashes(&self) -> &[B256] {
        &self.hashes
    }

    /// Whether these rows, original or parity, are all rows of the matrix. Costs one combination whatever
    /// was sent, and none when a row has another form: for rows of a sender that nobody vouches for.
    ///
    /// # Errors
    /// [`CodecError::BadRows`] names the rows of another length and with elements that are none, and
    /// says nothing about the others; [`CodecError::WrongRows`] if all have their form, but not all
    /// are rows of the matrix. Nothing was checked on [`CodecError::RowOutOfRange`] and
    /// [`CodecError::DuplicateRow`].
    pub fn check(
        &self,
        committer: &Committer,
        rows: &[(RowIndex, &[u8])],
    ) -> Result<(), CodecError> {
        let (drawn, bad) = self.draw(rows)?;
        bad_rows(bad)?;
        if self.difference(committer, &drawn).is_infinity() {
            return Ok(());
        }
        Err(CodecError::WrongRows { rows: drawn.len() })
    }

    /// Whether these rows, original or parity, are rows of the matrix. Each that is not costs up to a
    /// combination for each halving of the list: for rows of several senders, of which the good ones
    /// are to be kept.
    ///
    /// # Errors
    /// [`CodecError::BadRows`] names all that are not; the others are good. Nothing was checked on
    /// [`CodecError::RowOutOfRange`] and [`CodecError::DuplicateRow`].
    pub fn verify(
        &self,
        committer: &Committer,
        rows: &[(RowIndex, &[u8])],
    ) -> Result<(), CodecError> {
        let (drawn, mut bad) = self.draw(rows)?;
        let difference = self.difference(committer, &drawn);
        self.name_bad(committer, &drawn, &difference, &mut bad);
        bad_rows(bad)
    }

    /// The rows that have their form, each with a coefficient, and those that have not.
    fn draw<'a>(
        &self,
        rows: &[(RowIndex, &'a [u8])],
    ) -> Result<(Vec<DrawnRow<'a>>, Vec<BadRow>), CodecError> {
        let mut seen = vec![false; self.shape.extended_rows()];
        for (row, _) in rows {
            self.shape.check_row(*row)?;
            if std::mem::replace(&mut seen[row.as_usize()], true) {
                return Err(CodecError::DuplicateRow { row: *row });
            }
        }
        let forms: Vec<Result<(), RowFault>> =
            rows.par_iter().map(|(_, bytes)| check_row(self.shape, bytes)).collect();
        let mut bad = Vec::new();
        let mut drawn = Vec::with_capacity(rows.len());
        let mut random = rand::rng();
        for (&(row, bytes), form) in rows.iter().zip(forms) {
            match form {
                Ok(()) => drawn.push(DrawnRow { row, bytes, coefficient: random.random() }),
                Err(fault) => bad.push(BadRow { row, fault }),
            }
        }
        Ok((drawn, bad))
    }

    /// Adds to `bad` which of these rows make up their difference.
    fn name_bad(
        &self,
        committer: &Committer,
        rows: &[DrawnRow<'_>],
        difference: &P1,
        bad: &mut Vec<BadRow>,
    ) {
        if difference.is_infinity() {
            return;
        }
        if let [row] = rows {
            bad.push(BadRow { row: row.row, fault: RowFault::Content });
            return;
        }
        let (left, right) = rows.split_at(rows.len() / 2);
        let of_left = self.difference(committer, left);
        let of_right = difference.plus(&of_left.negated());
        self.name_bad(committer, left, &of_left, bad);
        self.name_bad(committer, right, &of_right, bad);
    }

    /// What the rows commit to, less what the commitments fix; infinity exactly if all rows are good,
    /// but for a chance of `2^-128`.
    fn difference(&self, committer: &Committer, rows: &[DrawnRow<'_>]) -> P1 {
        let (rows_side, commitments_side) = rayon::join(
            || committer.combine(&[&combine(self.shape, rows)])[0],
            || {
                let coefficients =
                    rows.iter().map(|row| (row.row, Scalar::from_u128(row.coefficient)));
                linear_combination(&self.points, &on_original_rows(self.shape, coefficients))
            },
        );
        rows_side.plus(&commitments_side.negated())
    }
}

/// The error of these rows, ascending, if there are any.
fn bad_rows(mut bad: Vec<BadRow>) -> Result<(), CodecError> {
    if bad.is_empty() {
        return Ok(());
    }
    bad.sort_by_key(|bad| bad.row);
    Err(CodecError::BadRows(bad))
}

/// A row and its random coefficient.
struct DrawnRow<'a> {
    row: RowIndex,
    bytes: &'a [u8],
    coefficient: u128,
}

/// Columns that one thread combines at a time: their sums fit the first-level cache.
const COLUMNS_AT_ONCE: usize = 128;

/// `Σ ρ_j·row_j`.
fn combine(shape: Shape, rows: &[DrawnRow<'_>]) -> Vec<Scalar> {
    let mut combined = vec![Scalar::ZERO; shape.columns()];
    combined.par_chunks_mut(COLUMNS_AT_ONCE).enumerate().for_each(|(chunk, combined)| {
        let mut sums = [WideSum::ZERO; COLUMNS_AT_ONCE];
        let sums = &mut sums[..combined.len()];
        let start = chunk * COLUMNS_AT_ONCE;
        for row in rows {
            let (elements, _) = row.bytes.as_chunks::<ELEMENT_BYTES>();
            for (sum, element) in sums.iter_mut().zip(&elements[start..]) {
                sum.add_product(row.coefficient, Scalar::from_bytes_unchecked(element));
            }
        }
        for (combined, sum) in combined.iter_mut().zip(sums) {
            *combined = sum.to_scalar();
        }
    });
    combined
}
