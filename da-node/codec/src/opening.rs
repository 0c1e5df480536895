//! Proofs that a committed row has a certain element in a certain column.
//!
//! The polynomial `p` of a row takes the element `y` of column `j` at `z = ω^rev(j)`, `ω` the root of unity of
//! order 4096 and `rev` the reversal of 12 bits. The proof commits to the quotient `(p - y)/(x - z)`, and the
//! precompile at 0x0a of EIP-4844 accepts it.

use std::sync::OnceLock;

use crate::code::reversed;
use crate::curve::{P1Affine, opens};
use crate::field::{Factor, Scalar, check_canonical};
use crate::shape::{ELEMENT_BYTES, MAX_COLUMNS};
use crate::{COMMITMENT_BYTES, CodecError, ColumnIndex, Commitment, Committer};

/// An element of a row with its proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// The column.
    pub column: ColumnIndex,
    /// The element, big-endian.
    pub value: [u8; ELEMENT_BYTES],
    /// Commitment of the quotient.
    pub proof: [u8; COMMITMENT_BYTES],
}

impl Opening {
    /// Opens a row of 1…4096 elements in one of its columns; costs as much as a commitment.
    ///
    /// # Errors
    /// [`CodecError::RowLength`], [`CodecError::NonCanonical`], [`CodecError::ColumnOutOfRange`].
    pub fn of_row(
        committer: &Committer,
        row: &[u8],
        column: ColumnIndex,
    ) -> Result<Self, CodecError> {
        let (elements, rest) = row.as_chunks::<ELEMENT_BYTES>();
        if elements.len() > MAX_COLUMNS || elements.is_empty() || !rest.is_empty() {
            let expected = MAX_COLUMNS * ELEMENT_BYTES;
            return Err(CodecError::RowLength { expected, found: row.len() });
        }
        let value = *elements
            .get(column.as_usize())
            .ok_or(CodecError::ColumnOutOfRange { column, limit: elements.len() })?;
        check_canonical(row)?;
        let mut values = vec![Scalar::ZERO; MAX_COLUMNS];
        for (value, element) in values.iter_mut().zip(elements) {
            *value = Scalar::from_bytes_unchecked(element);
        }
        let quotient = quotient(&values, column.as_usize());
        let proof = committer.combine(&[&quotient])[0].compress();
        Ok(Self { column, value, proof })
    }

    /// Whether the row of this commitment has this element in this column.
    ///
    /// # Errors
    /// [`CodecError::WrongOpening`] if not; [`CodecError::ColumnOutOfRange`], [`CodecError::NonCanonical`],
    /// [`CodecError::BadCommitment`], [`CodecError::BadProof`].
    pub fn verify(&self, commitment: &Commitment) -> Result<(), CodecError> {
        let z = point_of(self.column)?.to_scalar();
        let column = self.column;
        let y = Scalar::from_bytes(&self.value).ok_or(CodecError::NonCanonical { column })?;
        let commitment = P1Affine::uncompress(&commitment.0)
            .map_err(|fault| CodecError::BadCommitment { index: 0, fault })?;
        let proof = P1Affine::uncompress(&self.proof).map_err(CodecError::BadProof)?;
        if opens(&commitment, z, y, &proof)? { Ok(()) } else { Err(CodecError::WrongOpening) }
    }

    /// The point at which the row's polynomial takes the value, big-endian.
    ///
    /// # Errors
    /// [`CodecError::ColumnOutOfRange`].
    pub fn point(&self) -> Result<[u8; ELEMENT_BYTES], CodecError> {
        Ok(point_of(self.column)?.to_scalar().to_bytes())
    }

    /// The input of the precompile at 0x0a: versioned hash, `z`, `y`, commitment, proof.
    ///
    /// # Errors
    /// [`CodecError::ColumnOutOfRange`].
    pub fn precompile_input(&self, commitment: &Commitment) -> Result<[u8; 192], CodecError> {
        let mut input = [0; 192];
        input[..32].copy_from_slice(commitment.versioned_hash().as_slice());
        input[32..64].copy_from_slice(&self.point()?);
        input[64..96].copy_from_slice(&self.value);
        input[96..144].copy_from_slice(&commitment.0);
        input[144..].copy_from_slice(&self.proof);
        Ok(input)
    }
}

fn point_of(column: ColumnIndex) -> Result<Factor, CodecError> {
    if column.as_usize() >= MAX_COLUMNS {
        return Err(CodecError::ColumnOutOfRange { column, limit: MAX_COLUMNS });
    }
    Ok(root(column.as_usize()))
}

/// `ω^rev(column)`.
fn root(column: usize) -> Factor {
    Factor::root_of_unity_power(MAX_COLUMNS, reversed(column, MAX_COLUMNS))
}

/// The values of `(p - p(z))/(x - z)` at the points of all columns, `z` the point of `opened`.
fn quotient(values: &[Scalar], opened: usize) -> Vec<Scalar> {
    let exponent = reversed(opened, MAX_COLUMNS);
    let inverse_z = Factor::root_of_unity_power(MAX_COLUMNS, MAX_COLUMNS - exponent);
    let inverses = inverse_differences();
    // At `z` itself: -Σ q_i·ω_i / z over the other points, the formula of EIP-4844.
    let mut at_z = Scalar::ZERO;
    let mut quotient: Vec<Scalar> = values
        .iter()
        .enumerate()
        .map(|(column, value)| {
            // ω_i - z = z·(ω^d - 1)
            let own = reversed(column, MAX_COLUMNS);
            let distance = (own + MAX_COLUMNS - exponent) % MAX_COLUMNS;
            let inverse = inverses[distance].times(inverse_z);
            let term = value.minus(values[opened]).times(inverse);
            at_z = at_z.minus(term.times(root(column)));
            term
        })
        .collect();
    quotient[opened] = at_z.times(inverse_z);
    quotient
}

/// `1 / (ω^d - 1)`, zero for `d = 0`.
fn inverse_differences() -> &'static [Factor] {
    static INVERSES: OnceLock<Vec<Factor>> = OnceLock::new();
    INVERSES.get_or_init(|| {
        let mut differences: Vec<Factor> = (0..MAX_COLUMNS)
            .map(|d| Factor::root_of_unity_power(MAX_COLUMNS, d).minus(Factor::ONE))
            .collect();
        Factor::invert_all(&mut differences);
        differences
    })
}
