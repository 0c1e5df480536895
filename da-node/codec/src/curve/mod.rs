//! The group G1 of BLS12-381 by way of blst: the only module that calls its C functions.
//!
//! The wrappers are safe: every pointer handed over comes from a reference or slice that lives through
//! the call, and lengths are checked here.

mod base_field;
mod combination;
mod pairing;
mod point;
#[cfg(test)]
pub(crate) mod reference;
mod setup;

pub(crate) use base_field::Fp;
pub(crate) use combination::linear_combination;
pub(crate) use pairing::opens;
pub(crate) use point::{P1, P1Affine};
pub(crate) use setup::lagrange_points;
