#![allow(unsafe_code)]
//! Linear combinations of arbitrary points.

use std::ptr;

use super::point::{P1, P1Affine};
use crate::field::Scalar;

/// `Σ scalar·point`, on the calling thread.
///
/// The two lists are equally long.
pub(crate) fn linear_combination(points: &[P1Affine], scalars: &[Scalar]) -> P1 {
    assert_eq!(points.len(), scalars.len(), "a scalar for each point");
    // Pippenger's buckets of blst take no point at infinity.
    let terms = || points.iter().zip(scalars).filter(|(point, _)| !point.is_infinity());
    let points: Vec<P1Affine> = terms().map(|(point, _)| *point).collect();
    let bytes: Vec<u8> =
        terms().flat_map(|(_, scalar)| scalar.limbs().map(u64::to_le_bytes)).flatten().collect();
    if points.is_empty() {
        return P1::INFINITY;
    }
    let mut result = P1::INFINITY;
    // SAFETY: a null pointer after the first says that the items stand in a row: `points` holds so
    // many of the layout of `blst_p1_affine`, `bytes` 32 for each. The scratch has the size asked for.
    unsafe {
        let limbs = blst::blst_p1s_mult_pippenger_scratch_sizeof(points.len()).div_ceil(8);
        let mut scratch = vec![0u64; limbs];
        let point_list = [points.as_ptr().cast::<blst::blst_p1_affine>(), ptr::null()];
        let scalar_list = [bytes.as_ptr(), ptr::null()];
        blst::blst_p1s_mult_pippenger(
            &raw mut result.0,
            point_list.as_ptr(),
            points.len(),
            scalar_list.as_ptr(),
            Scalar::BITS,
            scratch.as_mut_ptr(),
        );
    }
    result
}
