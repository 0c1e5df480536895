#![allow(unsafe_code)]
//! blst's arithmetic of scalars: what ours is held against.

use blst::{blst_fr, blst_scalar};

use crate::field::Scalar;

#[derive(Clone, Copy)]
pub(crate) struct ReferenceScalar(blst_fr);

impl ReferenceScalar {
    pub(crate) fn new(scalar: Scalar) -> Self {
        let mut number = blst_scalar::default();
        let mut result = blst_fr::default();
        // SAFETY: the first reads 32 bytes, the second two valid references.
        unsafe {
            blst::blst_scalar_from_bendian(&raw mut number, scalar.to_bytes().as_ptr());
            blst::blst_fr_from_scalar(&raw mut result, &raw const number);
        }
        Self(result)
    }

    fn read(self) -> Scalar {
        let mut number = blst_scalar::default();
        let mut bytes = [0; 32];
        // SAFETY: two valid references; the second writes 32 bytes.
        unsafe {
            blst::blst_scalar_from_fr(&raw mut number, &raw const self.0);
            blst::blst_bendian_from_scalar(bytes.as_mut_ptr(), &raw const number);
        }
        Scalar::from_bytes(&bytes).expect("blst gives residues")
    }
}

pub(crate) fn add(a: ReferenceScalar, b: ReferenceScalar) -> Scalar {
    let mut result = blst_fr::default();
    // SAFETY: three valid references.
    unsafe { blst::blst_fr_add(&raw mut result, &raw const a.0, &raw const b.0) };
    ReferenceScalar(result).read()
}

pub(crate) fn subtract(a: ReferenceScalar, b: ReferenceScalar) -> Scalar {
    let mut result = blst_fr::default();
    // SAFETY: three valid references.
    unsafe { blst::blst_fr_sub(&raw mut result, &raw const a.0, &raw const b.0) };
    ReferenceScalar(result).read()
}

pub(crate) fn multiply(a: ReferenceScalar, b: ReferenceScalar) -> Scalar {
    let mut result = blst_fr::default();
    // SAFETY: three valid references.
    unsafe { blst::blst_fr_mul(&raw mut result, &raw const a.0, &raw const b.0) };
    ReferenceScalar(result).read()
}

pub(crate) fn invert(a: ReferenceScalar) -> Scalar {
    let mut result = blst_fr::default();
    // SAFETY: two valid references.
    unsafe { blst::blst_fr_inverse(&raw mut result, &raw const a.0) };
    ReferenceScalar(result).read()
}

pub(crate) fn is_canonical(bytes: &[u8; 32]) -> bool {
    let mut number = blst_scalar::default();
    // SAFETY: reads 32 bytes; then one valid reference.
    unsafe {
        blst::blst_scalar_from_bendian(&raw mut number, bytes.as_ptr());
        blst::blst_scalar_fr_check(&raw const number)
    }
}
