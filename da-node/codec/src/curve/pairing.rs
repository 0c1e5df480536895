#![allow(unsafe_code)]
//! The pairing check of an opening.

use std::sync::OnceLock;

use blst::{blst_fp12, blst_p2_affine};

use super::combination::linear_combination;
use super::point::{P1, P1Affine};
use crate::CodecError;
use crate::field::Scalar;

/// Whether `proof` opens `commitment` at `z` to `y`, that is
/// `e(commitment - y·G + z·proof, H) = e(proof, τ·H)`. Both points are in the subgroup.
///
/// # Errors
/// [`CodecError::Setup`].
pub(crate) fn opens(
    commitment: &P1Affine,
    z: Scalar,
    y: Scalar,
    proof: &P1Affine,
) -> Result<bool, CodecError> {
    let secret = secret_of_the_ceremony()?;
    let terms = [P1Affine::generator(), *proof];
    let left = linear_combination(&terms, &[Scalar::ZERO.minus(y), z]);
    let left = P1::from(*commitment).plus(&left).to_affine();
    // SAFETY: the function returns the address of a constant.
    let generator = unsafe { *blst::blst_p2_affine_generator() };
    let (left, right) = (miller_loop(&left, &generator), miller_loop(proof, secret));
    // SAFETY: two valid references.
    Ok(unsafe { blst::blst_fp12_finalverify(&raw const left, &raw const right) })
}

fn miller_loop(point: &P1Affine, other: &blst_p2_affine) -> blst_fp12 {
    if point.is_infinity() {
        // SAFETY: the function returns the address of a constant.
        return unsafe { *blst::blst_fp12_one() };
    }
    let mut result = blst_fp12::default();
    // SAFETY: three valid references, none kept.
    unsafe { blst::blst_miller_loop(&raw mut result, &raw const *other, point.as_blst()) };
    result
}

/// `τ·H`.
fn secret_of_the_ceremony() -> Result<&'static blst_p2_affine, CodecError> {
    static SECRET: OnceLock<Option<blst_p2_affine>> = OnceLock::new();
    let read = || {
        let bytes = kzg_rs::get_kzg_settings().g2_points.get(1)?.to_uncompressed();
        let mut point = blst_p2_affine::default();
        // SAFETY: the function reads 192 bytes.
        let error = unsafe { blst::blst_p2_deserialize(&raw mut point, bytes.as_ptr()) };
        (error == blst::BLST_ERROR::BLST_SUCCESS).then_some(point)
    };
    SECRET.get_or_init(read).as_ref().ok_or(CodecError::Setup("no second point of G2"))
}
