//! The scalar field of BLS12-381, whose elements a matrix is made of.

mod arithmetic;
mod factor;
pub(crate) mod rows;
mod scalar;
#[cfg(test)]
pub(crate) mod tests;
mod wide;

pub(crate) use factor::Factor;
pub(crate) use rows::RowFactor;
pub(crate) use scalar::{Scalar, check_canonical};
pub(crate) use wide::WideSum;
