//! Numbers of 128 bits in digits with a sign.

/// Bits of a digit that a point `R` is multiplied by: its table of sixteen multiples is made for one signature.
pub(crate) const DIGIT_BITS: u32 = 5;
/// Digits of a multiplier of `R`.
pub(crate) const KEY_DIGITS: usize = 128_usize.div_ceil(DIGIT_BITS as usize);
/// Bits of a digit that the generator is multiplied by. With more the table would leave the second-level
/// cache to nobody else: two bits more save four of 78 additions.
pub(crate) const GENERATOR_DIGIT_BITS: u32 = 10;
/// Digits of a multiplier of the generator.
pub(crate) const GENERATOR_DIGITS: usize = 128_usize.div_ceil(GENERATOR_DIGIT_BITS as usize);

/// The number `Σ digit[i]·2^(bits·i)`, its digits within `-2^(bits-1) ..= 2^(bits-1)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digits<const N: usize>(pub(crate) [i16; N]);

impl<const N: usize> Digits<N> {
    /// Cuts a number, or its negation. The highest digit has room for the last carry, because `N·bits` is
    /// above 128.
    pub(crate) fn of(magnitude: u128, negative: bool, bits: u32) -> Self {
        let base = 1_i16 << bits;
        let (mut rest, mut carry) = (magnitude, 0);
        let mut digits = [0; N];
        for digit in &mut digits {
            // Of at most ten bits.
            let value = (rest & u128::from(base.unsigned_abs() - 1)) as i16 + carry;
            rest >>= bits;
            carry = i16::from(value >= base / 2);
            let value = value - carry * base;
            *digit = if negative { -value } else { value };
        }
        debug_assert!(rest == 0 && carry == 0, "the digits hold the number");
        Self(digits)
    }
}
