#![allow(unsafe_code)]
//! Points of the curve.

use blst::{BLST_ERROR, blst_p1, blst_p1_affine};

use super::base_field::Fp;
use crate::PointFault;

/// A point in Jacobian coordinates; all operations are complete (equal and opposite points, infinity).
#[derive(Clone, Copy, Debug, Default)]
#[repr(transparent)]
pub(crate) struct P1(pub(super) blst_p1);

/// A point in affine coordinates, laid out as `blst_p1_affine`; infinity is `(0, 0)`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub(crate) struct P1Affine {
    pub(crate) x: Fp,
    pub(crate) y: Fp,
}

impl P1 {
    pub(crate) const INFINITY: Self = Self(blst_p1 { x: Fp::ZERO.0, y: Fp::ZERO.0, z: Fp::ZERO.0 });

    pub(crate) fn plus(&self, other: &Self) -> Self {
        let mut result = blst_p1::default();
        // SAFETY: three valid references, none kept; the function only computes.
        unsafe {
            blst::blst_p1_add_or_double(&raw mut result, &raw const self.0, &raw const other.0);
        };
        Self(result)
    }

    pub(crate) fn plus_affine(&self, other: &P1Affine) -> Self {
        let mut result = blst_p1::default();
        let (a, b) = (&raw const self.0, other.as_blst());
        // SAFETY: as above.
        unsafe { blst::blst_p1_add_or_double_affine(&raw mut result, a, b) };
        Self(result)
    }

    pub(crate) fn doubled(&self) -> Self {
        let mut result = blst_p1::default();
        // SAFETY: as above.
        unsafe { blst::blst_p1_double(&raw mut result, &raw const self.0) };
        Self(result)
    }

    pub(crate) fn to_affine(self) -> P1Affine {
        let mut result = blst_p1_affine::default();
        // SAFETY: as above.
        unsafe { blst::blst_p1_to_affine(&raw mut result, &raw const self.0) };
        P1Affine::from_blst(result)
    }

    /// The compressed encoding of the Ethereum consensus layer.
    pub(crate) fn compress(&self) -> [u8; 48] {
        let mut bytes = [0; 48];
        // SAFETY: the function writes 48 bytes.
        unsafe { blst::blst_p1_compress(bytes.as_mut_ptr(), &raw const self.0) };
        bytes
    }

    pub(crate) fn negated(mut self) -> Self {
        // SAFETY: a valid reference.
        unsafe { blst::blst_p1_cneg(&raw mut self.0, true) };
        self
    }

    pub(crate) fn is_infinity(&self) -> bool {
        // SAFETY: a valid reference.
        unsafe { blst::blst_p1_is_inf(&raw const self.0) }
    }

    #[cfg(test)]
    pub(crate) fn equals(&self, other: &Self) -> bool {
        // SAFETY: two valid references.
        unsafe { blst::blst_p1_is_equal(&raw const self.0, &raw const other.0) }
    }
}

impl From<P1Affine> for P1 {
    fn from(point: P1Affine) -> Self {
        let mut result = blst_p1::default();
        // SAFETY: two valid references.
        unsafe { blst::blst_p1_from_affine(&raw mut result, point.as_blst()) };
        Self(result)
    }
}

impl P1Affine {
    /// The generator of the group.
    pub(crate) fn generator() -> Self {
        // SAFETY: the function returns the address of a constant.
        Self::from_blst(unsafe { *blst::blst_p1_affine_generator() })
    }

    /// The same point as blst's type, which has the same layout.
    pub(super) const fn as_blst(&self) -> *const blst_p1_affine {
        (&raw const *self).cast()
    }

    const fn from_blst(point: blst_p1_affine) -> Self {
        Self { x: Fp(point.x), y: Fp(point.y) }
    }

    pub(crate) fn is_infinity(&self) -> bool {
        // SAFETY: a valid reference.
        unsafe { blst::blst_p1_affine_is_inf(self.as_blst()) }
    }

    /// Reads a compressed point and checks that it is one of the subgroup of prime order.
    pub(crate) fn uncompress(bytes: &[u8; 48]) -> Result<Self, PointFault> {
        let mut point = blst_p1_affine::default();
        // SAFETY: the function reads 48 bytes.
        match unsafe { blst::blst_p1_uncompress(&raw mut point, bytes.as_ptr()) } {
            BLST_ERROR::BLST_SUCCESS => {}
            BLST_ERROR::BLST_POINT_NOT_ON_CURVE => return Err(PointFault::NotOnCurve),
            _ => return Err(PointFault::Encoding),
        }
        // SAFETY: a valid reference.
        if !unsafe { blst::blst_p1_affine_in_g1(&raw const point) } {
            return Err(PointFault::NotInSubgroup);
        }
        Ok(Self::from_blst(point))
    }

    /// Reads an uncompressed point; it must lie on the curve.
    pub(crate) fn deserialize(bytes: &[u8; 96]) -> Option<Self> {
        let mut point = blst_p1_affine::default();
        // SAFETY: the function reads 96 bytes.
        let error = unsafe { blst::blst_p1_deserialize(&raw mut point, bytes.as_ptr()) };
        (error == BLST_ERROR::BLST_SUCCESS).then(|| Self::from_blst(point))
    }
}
