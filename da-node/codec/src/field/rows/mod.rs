//! Operations on rows of elements with one factor for the whole row.

#[cfg(target_arch = "x86_64")]
mod ifma;
#[cfg(test)]
mod tests;

use super::{Factor, Scalar};

/// A factor for whole rows.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowFactor {
    factor: Factor,
    /// The factor in the form of the lanes.
    #[cfg(target_arch = "x86_64")]
    lanes: ifma::Limbs,
}

impl From<Factor> for RowFactor {
    fn from(factor: Factor) -> Self {
        Self {
            factor,
            #[cfg(target_arch = "x86_64")]
            lanes: ifma::limbs_of(factor),
        }
    }
}

/// `(a, b)` becomes `(a + factor·b, a - factor·b)`, element by element of two rows of one length.
pub(crate) fn forward(a: &mut [Scalar], b: &mut [Scalar], factor: &RowFactor) {
    #[cfg(target_arch = "x86_64")]
    let (a, b) = ifma::forward(a, b, factor);
    forward_one_by_one(a, b, factor);
}

/// `(a, b)` becomes `(a + b, factor·(a - b))`.
pub(crate) fn backward(a: &mut [Scalar], b: &mut [Scalar], factor: &RowFactor) {
    #[cfg(target_arch = "x86_64")]
    let (a, b) = ifma::backward(a, b, factor);
    backward_one_by_one(a, b, factor);
}

/// `sum + factor·row`.
pub(crate) fn add_scaled(sum: &mut [Scalar], row: &[Scalar], factor: &RowFactor) {
    #[cfg(target_arch = "x86_64")]
    let (sum, row) = ifma::add_scaled(sum, row, factor);
    add_scaled_one_by_one(sum, row, factor);
}

/// `factor·row`.
pub(crate) fn scale(row: &mut [Scalar], factor: &RowFactor) {
    #[cfg(target_arch = "x86_64")]
    let row = ifma::scale(row, factor);
    scale_one_by_one(row, factor);
}

fn forward_one_by_one(a: &mut [Scalar], b: &mut [Scalar], factor: &RowFactor) {
    for (a, b) in a.iter_mut().zip(b) {
        let product = b.times(factor.factor);
        (*a, *b) = (a.plus(product), a.minus(product));
    }
}

fn backward_one_by_one(a: &mut [Scalar], b: &mut [Scalar], factor: &RowFactor) {
    for (a, b) in a.iter_mut().zip(b) {
        (*a, *b) = (a.plus(*b), a.minus(*b).times(factor.factor));
    }
}

fn add_scaled_one_by_one(sum: &mut [Scalar], row: &[Scalar], factor: &RowFactor) {
    for (sum, element) in sum.iter_mut().zip(row) {
        *sum = sum.plus(element.times(factor.factor));
    }
}

fn scale_one_by_one(row: &mut [Scalar], factor: &RowFactor) {
    for element in row {
        *element = element.times(factor.factor);
    }
}
