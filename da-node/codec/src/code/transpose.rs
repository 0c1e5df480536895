//! A combination of any rows as a combination of the original ones.

use super::domain::{Domain, reversed};
use super::transform::{Transform, for_rows, scale_rows};
use crate::field::{Factor, Scalar};
use crate::{RowIndex, Shape};

/// Coefficients `c` of the `R` original rows such that `Σ c_i·row_i` is the combination of the given
/// rows with the given coefficients.
///
/// A coset of rows is `F·D·F⁻¹` applied to the original ones: `F` evaluates at the powers of `h`, `D` holds
/// `g^(k·m)`. `F` is symmetric, so the transposed map is `F⁻¹·D·F`, and a few transforms of size `R`
/// replace a table of Lagrange coefficients.
pub(crate) fn on_original_rows(
    shape: Shape,
    combination: impl Iterator<Item = (RowIndex, Scalar)>,
) -> Vec<Scalar> {
    let rows = shape.rows();
    let domain = Domain::new(rows);
    let transform = Transform::new(rows);
    // By coset; those of parity in the order that `evaluate` takes.
    let mut cosets = vec![vec![Scalar::ZERO; rows]; shape.extended_rows() / rows];
    for (row, coefficient) in combination {
        let (coset, position) = (row.as_usize() / rows, row.as_usize() % rows);
        let place = if coset == 0 { position } else { reversed(position, rows) };
        cosets[coset][place] = coefficient;
    }
    let (original, parity) = cosets.split_at_mut(1);
    let mut sum = vec![Scalar::ZERO; rows];
    let scale = Factor::from_u64(rows as u64).inverse();
    for (coset, values) in (1..).zip(parity) {
        transform.evaluate(values);
        let factors = (0..rows).map(|index| domain.power(coset * index).times(scale));
        scale_rows(values, &for_rows(factors));
        for (sum, value) in sum.iter_mut().zip(values) {
            *sum = sum.plus(*value);
        }
    }
    transform.interpolate(&mut sum);
    let terms = original[0].iter().enumerate();
    terms.map(|(row, own)| own.plus(sum[reversed(row, rows)])).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::code::lagrange::Basis;
    use crate::field::tests::scalars;

    proptest! {
        #[test]
        fn is_what_lagrange_coefficients_give(
            power in 0..5u32,
            coefficients in proptest::collection::vec(scalars(), 64),
        ) {
            let shape = Shape::new(1 << power, 1).expect("a shape");
            let originals: Vec<RowIndex> = (0..shape.rows()).map(RowIndex::at).collect();
            let basis = Basis::new(Domain::new(shape.rows()), &originals);
            let combination = (0..shape.extended_rows()).map(RowIndex::at).zip(coefficients);
            let mut expected = vec![Scalar::ZERO; shape.rows()];
            for (row, coefficient) in combination.clone() {
                if row.as_usize() < shape.rows() {
                    expected[row.as_usize()] = expected[row.as_usize()].plus(coefficient);
                    continue;
                }
                for (sum, factor) in expected.iter_mut().zip(basis.coefficients(row)) {
                    *sum = sum.plus(coefficient.times(factor));
                }
            }
            prop_assert_eq!(on_original_rows(shape, combination), expected);
        }
    }
}
