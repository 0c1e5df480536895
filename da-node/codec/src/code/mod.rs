//! The code along the row axis: from `R` rows to `4R`, and from any `R` of them back.

mod domain;
mod encode;
mod lagrange;
mod recover;
mod transform;
mod transpose;

pub(crate) use domain::reversed;
pub use encode::EncodedMatrix;
pub(crate) use recover::check_row;
pub use recover::{recover_payload, recover_rows};
pub(crate) use transpose::on_original_rows;
