//! Arithmetic of secp256k1 in eight lanes.

mod field;
mod generator;
mod group;
#[cfg(target_arch = "x86_64")]
mod ifma;
mod jacobian;
mod multiples;
#[cfg(test)]
mod portable;
mod powers;
#[cfg(test)]
mod tests;
mod vector;

pub(crate) use group::Recovered;
#[cfg(test)]
pub(crate) use group::recover;
#[cfg(target_arch = "x86_64")]
pub(crate) use ifma::Ifma;
#[cfg(test)]
pub(crate) use portable::Words;
pub(crate) use vector::{LANES, Row};
