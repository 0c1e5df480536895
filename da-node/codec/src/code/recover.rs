//! From any `R` rows to all others.
//!
//! A missing row is a linear combination of `R` known ones, which is the cheapest way to a few rows. Many
//! rows come by transforms. Let `Z` vanish at the points of the `3R` rows that are not used; the column's
//! polynomial `f` has degree below `R`, so `f·Z` has degree below `4R` and its value is known at all `4R`
//! points: `f·Z` at the known, zero at the others. Its coefficients, folded onto a coset of `R` points
//! where `Z` is nowhere zero, give `f` there by a division, and from there `f` anywhere.

use rayon::prelude::*;

use super::domain::{Domain, reversed};
use super::encode::{block_of, columns_of, read_block, write_block};
use super::lagrange::Basis;
use super::transform::{Transform, for_rows, scale_rows};
use crate::field::rows::{add_scaled, scale};
use crate::field::{Factor, RowFactor, Scalar, check_canonical};
use crate::shape::EXPANSION;
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

/// Factors and transforms that depend only on which rows are known.
struct Decoder {
    domain: Domain,
    small: Transform,
    large: Transform,
    /// For each known row: the exponent of its point, and `Z` there.
    known: Vec<(usize, RowFactor)>,
    /// `c^q` for `c` the value of `x^R` on the coset, at the place that bit reversal gives `q`.
    folds: [RowFactor; EXPANSION],
    /// For each coefficient in bit-reversed order: to the coset, together with what the large
    /// inverse transform left out.
    to_coset: Vec<RowFactor>,
    /// `1 / Z` on the coset.
    inverse_zeros: Vec<RowFactor>,
    /// Back from the coset, together with what the small inverse transform left out.
    from_coset: Vec<RowFactor>,
    /// For each coset of rows what its coefficients are multiplied by.
    cosets: Vec<Vec<RowFactor>>,
}

impl Decoder {
    fn new(domain: Domain, known: &[RowIndex]) -> Self {
        let rows = domain.rows();
        let exponents: Vec<usize> = known.iter().map(|row| domain.exponent(*row)).collect();
        let mut used = vec![false; domain.extended()];
        exponents.iter().for_each(|exponent| used[*exponent] = true);
        let zeros: Vec<Factor> = (0..domain.extended())
            .filter(|exponent| !used[*exponent])
            .map(|exponent| domain.power(exponent))
            .collect();
        let vanishing = |point: Factor| {
            zeros.iter().fold(Factor::ONE, |product, zero| product.times(point.minus(*zero)))
        };
        // The coset through the generator of the field meets no root of unity.
        let shift = Factor::GENERATOR;
        let mut inverse_zeros: Vec<Factor> = (0..rows)
            .into_par_iter()
            .map(|index| vanishing(shift.times(domain.power(EXPANSION * index))))
            .collect();
        Factor::invert_all(&mut inverse_zeros);
        let wrap = shift.power(rows as u64);
        let left_out = Factor::from_u64(domain.extended() as u64).inverse();
        let back = shift.inverse();
        let place = |place| reversed(place, rows) as u64;
        // `g^(k·m) / R` without the division, which `from_coset` has done.
        let size = Factor::from_u64(rows as u64);
        let unscaled = |coset| {
            let factors = domain.coset_factors(coset);
            for_rows(factors.into_iter().map(|factor| factor.times(size)))
        };
        let inverse_rows = size.inverse();
        Self {
            domain,
            small: Transform::new(rows),
            large: Transform::new(domain.extended()),
            known: exponents.par_iter().map(|e| (*e, vanishing(domain.power(*e)).into())).collect(),
            folds: [0, 2, 1, 3].map(|quarter| wrap.power(quarter).into()),
            to_coset: for_rows((0..rows).map(|p| shift.power(place(p)).times(left_out))),
            inverse_zeros: for_rows(inverse_zeros),
            from_coset: for_rows((0..rows).map(|p| back.power(place(p)).times(inverse_rows))),
            cosets: (0..EXPANSION).map(unscaled).collect(),
        }
    }

    /// Coefficients of the columns in bit-reversed order from the known rows of a block.
    fn coefficients(&self, known: &[Scalar]) -> Vec<Scalar> {
        let columns = known.len() / self.known.len();
        let mut large = vec![Scalar::ZERO; columns * self.domain.extended()];
        for ((exponent, factor), elements) in self.known.iter().zip(known.chunks_exact(columns)) {
            let row = &mut large[exponent * columns..][..columns];
            row.copy_from_slice(elements);
            scale(row, factor);
        }
        self.large.interpolate(&mut large);
        let mut small = vec![Scalar::ZERO; known.len()];
        let quarters = large.chunks_exact(columns * EXPANSION);
        for (row, quarters) in small.chunks_exact_mut(columns).zip(quarters) {
            for (quarter, fold) in quarters.chunks_exact(columns).zip(&self.folds) {
                add_scaled(row, quarter, fold);
            }
        }
        scale_rows(&mut small, &self.to_coset);
        self.small.evaluate(&mut small);
        scale_rows(&mut small, &self.inverse_zeros);
        self.small.interpolate(&mut small);
        scale_rows(&mut small, &self.from_coset);
        small
    }

    /// Evaluates the cosets that hold missing rows and writes those rows.
    fn write(&self, coefficients: &[Scalar], missing: &[RowIndex], rows: &mut [&mut [u8]]) {
        let columns = coefficients.len() / self.domain.rows();
        let coset_of = |row: &RowIndex| row.as_usize() / self.domain.rows();
        for (coset, factors) in self.cosets.iter().enumerate() {
            if !missing.iter().any(|row| coset_of(row) == coset) {
                continue;
            }
            let mut values = coefficients.to_vec();
            if coset > 0 {
                scale_rows(&mut values, factors);
            }
            self.small.evaluate(&mut values);
            let wanted =
                missing.iter().zip(rows.iter_mut()).filter(|(row, _)| coset_of(row) == coset);
            for (row, bytes) in wanted {
                let start = row.as_usize() % self.domain.rows() * columns;
                write_block(&values[start..start + columns], std::slice::from_mut(bytes));
            }
        }
    }
}
