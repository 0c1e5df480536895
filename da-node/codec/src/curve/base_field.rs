#![allow(unsafe_code)]
//! The field of the coordinates.

use blst::{
    blst_fp, blst_fp_add, blst_fp_cneg, blst_fp_inverse, blst_fp_mul, blst_fp_sqr, blst_fp_sub,
};

/// A coordinate in blst's Montgomery form, `a·2^384` below the modulus, least significant limb first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(transparent)]
pub(crate) struct Fp(pub(crate) blst_fp);

impl Fp {
    pub(crate) const ZERO: Self = Self::from_limbs([0; 6]);

    /// From Montgomery form; the number must be below the modulus.
    pub(crate) const fn from_limbs(limbs: [u64; 6]) -> Self {
        Self(blst_fp { l: limbs })
    }

    pub(crate) const fn limbs(&self) -> [u64; 6] {
        self.0.l
    }

    /// Two to this power.
    pub(crate) fn two_to_the(exponent: usize) -> Self {
        let one = P1Generator::z_is_one();
        (0..exponent).fold(one, |power, _| power.plus(&power))
    }

    #[inline(always)]
    pub(crate) fn plus(&self, other: &Self) -> Self {
        let mut result = Self::default();
        result.set_sum(self, other);
        result
    }

    #[inline(always)]
    pub(crate) fn times(&self, other: &Self) -> Self {
        let mut result = Self::default();
        result.set_product(self, other);
        result
    }

    // blst writes limb by limb. A result that is moved in larger pieces right afterwards waits for all of
    // its stores, so the hot loops let it be written where it stays.

    #[inline(always)]
    pub(crate) fn set_sum(&mut self, a: &Self, b: &Self) {
        // SAFETY: three valid references, none kept; the function only computes.
        unsafe { blst_fp_add(&raw mut self.0, &raw const a.0, &raw const b.0) };
    }

    #[inline(always)]
    pub(crate) fn set_difference(&mut self, a: &Self, b: &Self) {
        // SAFETY: as above.
        unsafe { blst_fp_sub(&raw mut self.0, &raw const a.0, &raw const b.0) };
    }

    #[inline(always)]
    pub(crate) fn set_product(&mut self, a: &Self, b: &Self) {
        // SAFETY: as above.
        unsafe { blst_fp_mul(&raw mut self.0, &raw const a.0, &raw const b.0) };
    }

    #[inline(always)]
    pub(crate) fn set_square(&mut self, a: &Self) {
        // SAFETY: as above.
        unsafe { blst_fp_sqr(&raw mut self.0, &raw const a.0) };
    }

    #[inline(always)]
    pub(crate) fn subtract(&mut self, other: &Self) {
        let own: *mut blst_fp = &raw mut self.0;
        // SAFETY: as above; the result may stand where an operand does.
        unsafe { blst_fp_sub(own, own, &raw const other.0) };
    }

    #[inline(always)]
    pub(crate) fn add(&mut self, other: &Self) {
        let own: *mut blst_fp = &raw mut self.0;
        // SAFETY: as above.
        unsafe { blst_fp_add(own, own, &raw const other.0) };
    }

    #[inline(always)]
    pub(crate) fn multiply(&mut self, other: &Self) {
        let own: *mut blst_fp = &raw mut self.0;
        // SAFETY: as above.
        unsafe { blst_fp_mul(own, own, &raw const other.0) };
    }

    #[inline(always)]
    pub(crate) fn negate_if(&mut self, condition: bool) {
        let own: *mut blst_fp = &raw mut self.0;
        // SAFETY: as above.
        unsafe { blst_fp_cneg(own, own, condition) };
    }

    /// The inverse; zero gives zero.
    pub(crate) fn inverse(&self) -> Self {
        let mut result = blst_fp::default();
        // SAFETY: as above.
        unsafe { blst_fp_inverse(&raw mut result, &raw const self.0) };
        Self(result)
    }
}

struct P1Generator;

impl P1Generator {
    /// The generator is kept with `z = 1`: one in Montgomery form.
    fn z_is_one() -> Fp {
        // SAFETY: the function returns the address of a constant.
        Fp(unsafe { (*blst::blst_p1_generator()).z })
    }
}
