//! What sums lists of points.

use super::lists::Lists;
use crate::curve::P1Affine;

/// Two points of an addition were equal or opposite, for which affine addition has no formula.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exceptional;

/// A way to add many points at once.
pub(crate) trait Engine: Send + Sync {
    /// A point other than infinity, in the form that this engine computes with.
    type Point: Copy + Send + Sync;

    /// Lists that are summed side by side.
    const LANES: usize;

    /// Into the engine's form; the point is not infinity.
    fn load(&self, point: &P1Affine) -> Self::Point;

    /// Out of the engine's form.
    fn store(&self, point: &Self::Point) -> P1Affine;

    /// Sums every list: list `i` of `lists` gives point `i` of the result.
    ///
    /// # Errors
    /// [`Exceptional`]; the sums are then lost.
    fn sum(&self, sources: &[Self::Point], lists: &Lists) -> Result<Vec<Self::Point>, Exceptional>;

    /// Doubles every point `times` times.
    ///
    /// # Errors
    /// [`Exceptional`] for a point of order two, which the curve does not have.
    fn double(&self, points: &mut [Self::Point], times: usize) -> Result<(), Exceptional>;
}
