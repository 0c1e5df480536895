//! What elements are multiplied by: roots of unity, Lagrange coefficients, random coefficients.

use std::sync::OnceLock;

use super::arithmetic::{Limbs, montgomery, subtract_residues};
use super::scalar::Scalar;

/// A residue in Montgomery form, `a·2^256`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Factor(pub(super) Limbs);

impl Factor {
    pub(crate) const ZERO: Self = Self([0; 4]);
    pub(crate) const ONE: Self = Self([
        0x0000_0001_ffff_fffe,
        0x5884_b7fa_0003_4802,
        0x998c_4fef_ecbc_4ff5,
        0x1824_b159_acc5_056f,
    ]);
    /// The number `2^256`.
    pub(super) const TWO_256: Self = Self([
        0xc999_e990_f3f2_9c6d,
        0x2b6c_edcb_8792_5c23,
        0x05d3_1496_7254_398f,
        0x0748_d9d9_9f59_ff11,
    ]);
    /// The primitive root of EIP-4844; its powers with exponents not divisible by `r - 1` over a power
    /// of two lie in no domain of ours.
    pub(crate) const GENERATOR: Self = Scalar([7, 0, 0, 0]).to_factor();

    pub(crate) const fn from_u64(value: u64) -> Self {
        Scalar([value, 0, 0, 0]).to_factor()
    }

    /// The same number as an element.
    pub(crate) const fn to_scalar(self) -> Scalar {
        Scalar(montgomery(self.0, [1, 0, 0, 0]))
    }

    #[inline(always)]
    pub(crate) const fn times(self, other: Self) -> Self {
        Self(montgomery(self.0, other.0))
    }

    #[inline(always)]
    pub(crate) const fn minus(self, other: Self) -> Self {
        Self(subtract_residues(self.0, other.0))
    }

    /// To the power of an integer of four limbs.
    fn power_wide(self, exponent: Limbs) -> Self {
        let mut result = Self::ONE;
        for limb in exponent.iter().rev() {
            for bit in (0..64).rev() {
                result = result.times(result);
                if limb >> bit & 1 == 1 {
                    result = result.times(self);
                }
            }
        }
        result
    }

    pub(crate) fn power(self, exponent: u64) -> Self {
        self.power_wide([exponent, 0, 0, 0])
    }

    /// The inverse; zero has none and gives zero.
    pub(crate) fn inverse(self) -> Self {
        let [low, rest @ ..] = super::arithmetic::MODULUS;
        self.power_wide([low - 2, rest[0], rest[1], rest[2]])
    }

    /// Inverts all of them with one inversion; zeros stay zero.
    pub(crate) fn invert_all(factors: &mut [Self]) {
        let mut prefixes = Vec::with_capacity(factors.len());
        let mut product = Self::ONE;
        for factor in factors.iter() {
            prefixes.push(product);
            if *factor != Self::ZERO {
                product = product.times(*factor);
            }
        }
        let mut inverse = product.inverse();
        for (factor, prefix) in factors.iter_mut().zip(prefixes).rev() {
            if *factor != Self::ZERO {
                let next = inverse.times(*factor);
                *factor = inverse.times(prefix);
                inverse = next;
            }
        }
    }

    /// The powers `ω^0 … ω^(size-1)` of the primitive root of unity of EIP-4844 of order `size`, a
    /// power of two up to 4096.
    pub(crate) fn root_of_unity_power(size: usize, exponent: usize) -> Self {
        let powers = roots_of_unity();
        powers[(exponent % size) * (powers.len() / size)]
    }
}

/// Order of the largest domain: the columns of a blob.
const LARGEST_DOMAIN: usize = 4096;

/// Powers of the root of unity of order 4096, `7^((r-1)/4096)`.
fn roots_of_unity() -> &'static [Factor] {
    static POWERS: OnceLock<Vec<Factor>> = OnceLock::new();
    POWERS.get_or_init(|| {
        // r - 1 = 2^32 times an odd number.
        let [_, m1, m2, m3] = super::arithmetic::MODULUS;
        let low = super::arithmetic::MODULUS[0] - 1;
        let odd = [low >> 32 | m1 << 32, m1 >> 32 | m2 << 32, m2 >> 32 | m3 << 32, m3 >> 32];
        let mut root = Factor::GENERATOR.power_wide(odd);
        for _ in LARGEST_DOMAIN.trailing_zeros()..32 {
            root = root.times(root);
        }
        let mut powers = Vec::with_capacity(LARGEST_DOMAIN);
        let mut power = Factor::ONE;
        for _ in 0..LARGEST_DOMAIN {
            powers.push(power);
            power = power.times(root);
        }
        powers
    })
}
