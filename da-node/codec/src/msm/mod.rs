//! Multi-scalar multiplication over the fixed points of the setup.
//!
//! For every point `P` a table holds `2^(14k)·P`, so that all 14-bit digits of all scalars of a row fall
//! into one set of buckets. A bucket is a list of table entries, and everything is sums of lists:
//!
//! ```text
//! scalars ─► signed digits ─► lists of table entries, one for each row and digit value   (digits)
//!         ─► sums of these lists = buckets                                               (lists)
//!         ─► sums over buckets whose digit has the same high or low half                 (reduction)
//!         ─► one weighted sum of about two hundred points for each row
//! ```
//!
//! An [`Engine`] sums many lists at once in affine coordinates: one step adds to each list its next entry,
//! and all additions of a step share one inversion, so that an addition costs six multiplications
//! instead of eleven. Such additions cannot add equal or opposite points. In sums over the setup
//! they do not meet unless somebody knows the secret of the ceremony; if they do, the engine says so and
//! the combination is computed the slow and complete way.

mod digits;
mod engine;
#[cfg(target_arch = "x86_64")]
mod ifma;
mod lists;
mod portable;
mod reduction;
mod table;
#[cfg(test)]
mod tests;

#[cfg(target_arch = "x86_64")]
pub(crate) use ifma::Ifma;
pub(crate) use portable::Portable;
pub(crate) use table::FixedBase;
