//! The code along the row axis: from `R` rows to `4R`, and from any `R` of them back.

mod domain;
mod encode;
mod lagrange;
mod recover;
mod transform;

pub(crate) use domain::Domain;
pub use encode::EncodedMatrix;
pub use recover::{recover_payload, recover_rows};
