//! The points of Ethereum's KZG ceremony, read from the copy that `kzg-rs` carries.

use super::point::P1Affine;
use crate::CodecError;
use crate::shape::MAX_COLUMNS;

/// The Lagrange basis of the blob: point `i` commits to the polynomial that is one in column `i` and
/// zero in the others.
///
/// # Errors
/// [`CodecError::Setup`] if the copy is damaged.
pub(crate) fn lagrange_points() -> Result<Vec<P1Affine>, CodecError> {
    let points = kzg_rs::get_kzg_settings().g1_points;
    if points.len() != MAX_COLUMNS {
        return Err(CodecError::Setup("it has not 4096 points"));
    }
    points
        .iter()
        .map(|point| P1Affine::deserialize(&point.to_uncompressed()))
        .collect::<Option<_>>()
        .ok_or(CodecError::Setup("a point is not on the curve"))
}
