//! Lanes in eight words: the same algorithms where the instructions are missing, for tests alone.

use super::field::Field;
use super::jacobian::{Affine, Jacobian};
use super::vector::{LANES, Mask, Row, Vector};

/// Eight words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Words([u64; LANES]);

fn product(a: u64, b: u64) -> u128 {
    const MASK: u64 = (1 << 52) - 1;
    u128::from(a & MASK) * u128::from(b & MASK)
}

impl Words {
    fn zip(self, other: Self, operation: impl Fn(u64, u64) -> u64) -> Self {
        Self(std::array::from_fn(|lane| operation(self.0[lane], other.0[lane])))
    }
}

impl Vector for Words {
    fn splat(word: u64) -> Self {
        Self([word; LANES])
    }
    // Stricter than the trait: nothing that is added or subtracted here may wrap.
    fn add(self, other: Self) -> Self {
        self.zip(other, |a, b| a.checked_add(b).expect("limbs stay below 2^64"))
    }
    fn sub(self, other: Self) -> Self {
        self.zip(other, |a, b| a.checked_sub(b).expect("limbs stay positive"))
    }
    fn and(self, other: Self) -> Self {
        self.zip(other, |a, b| a & b)
    }
    fn or(self, other: Self) -> Self {
        self.zip(other, |a, b| a | b)
    }
    fn left<const BITS: u32>(self) -> Self {
        Self(self.0.map(|word| word << BITS))
    }
    fn right<const BITS: u32>(self) -> Self {
        Self(self.0.map(|word| word >> BITS))
    }
    fn add_low(self, a: Self, b: Self) -> Self {
        self.add(a.zip(b, |a, b| product(a, b) as u64 & ((1 << 52) - 1)))
    }
    fn add_high(self, a: Self, b: Self) -> Self {
        self.add(a.zip(b, |a, b| (product(a, b) >> 52) as u64))
    }
    fn select(mask: Mask, yes: Self, no: Self) -> Self {
        Self(std::array::from_fn(
            |lane| if mask >> lane & 1 == 1 { yes.0[lane] } else { no.0[lane] },
        ))
    }
    fn zeros(self) -> Mask {
        (0..LANES).map(|lane| u8::from(self.0[lane] == 0) << lane).sum()
    }
    fn load(rows: [&Row; LANES]) -> [Self; LANES] {
        std::array::from_fn(|word| Self(rows.map(|row| row.0[word])))
    }
    fn store(words: [Self; LANES]) -> [Row; LANES] {
        std::array::from_fn(|lane| Row(words.map(|word| word.0[lane])))
    }

    fn times(a: &Field<Self>, b: &Field<Self>) -> Field<Self> {
        a.times(b)
    }
    fn squared(a: &Field<Self>, times: u32) -> Field<Self> {
        (0..times).fold(*a, |power, _| power.squared())
    }
    fn double(point: &mut Jacobian<Self>, times: u32) {
        (0..times).for_each(|_| *point = point.doubled());
    }
    fn add_affine(point: &mut Jacobian<Self>, other: &Affine<Self>, z: &Field<Self>, active: Mask) {
        *point = point.plus(other, z, active);
    }
}
