//! Sums of products that are reduced only once.

use super::Scalar;
use super::arithmetic::multiply_add;

/// A sum of at most 2^32 products of 128 bits and an element.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WideSum([u64; 7]);

impl WideSum {
    pub(crate) const ZERO: Self = Self([0; 7]);

    /// Adds `coefficient · element`.
    #[inline(always)]
    pub(crate) const fn add_product(&mut self, coefficient: u128, element: Scalar) {
        let [e0, e1, e2, e3] = element.limbs();
        let sum = &mut self.0;
        let low = coefficient as u64;
        let (s0, carry) = multiply_add(sum[0], low, e0, 0);
        let (s1, carry) = multiply_add(sum[1], low, e1, carry);
        let (s2, carry) = multiply_add(sum[2], low, e2, carry);
        let (s3, carry) = multiply_add(sum[3], low, e3, carry);
        let (s4, over) = sum[4].overflowing_add(carry);
        let high = (coefficient >> 64) as u64;
        let (s1, carry) = multiply_add(s1, high, e0, 0);
        let (s2, carry) = multiply_add(s2, high, e1, carry);
        let (s3, carry) = multiply_add(s3, high, e2, carry);
        let (s4, carry) = multiply_add(s4, high, e3, carry);
        let (s5, over_again) = sum[5].overflowing_add(carry);
        let (s5, over_last) = s5.overflowing_add(over as u64);
        let s6 = sum[6].wrapping_add(over_again as u64 + over_last as u64);
        *sum = [s0, s1, s2, s3, s4, s5, s6];
    }

    /// The sum as an element.
    pub(crate) fn to_scalar(self) -> Scalar {
        Scalar::from_wide(self.0)
    }
}
