//! The lanes held against ruint and k256, in words and, where the processor has them, in registers.

mod field;
mod points;

use alloy_primitives::U256;

use super::field::Field;
use super::vector::{LANES, Row, Vector};

/// A test of lanes of any kind.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Test<'a> {
    /// Products and residues of tidy numbers.
    Field(&'a [[[u64; 5]; LANES]]),
    /// Roots and inverses.
    Powers(&'a [U256; LANES]),
    /// Additions, doublings and multiples of multiples of the generator.
    Points(&'a [[u64; 2]; LANES]),
    /// Transposition there and back.
    Rows(&'a [Row; LANES]),
}

impl Test<'_> {
    #[inline(always)]
    pub(crate) fn run<V: Vector>(self) {
        match self {
            Self::Field(numbers) => field::operations::<V>(numbers),
            Self::Powers(numbers) => field::powers::<V>(numbers),
            Self::Points(multipliers) => points::formulas::<V>(multipliers),
            Self::Rows(rows) => {
                let words = V::load(rows.each_ref());
                assert_eq!(V::store(words), *rows);
                let columns: [Row; LANES] =
                    std::array::from_fn(|word| Row(std::array::from_fn(|lane| rows[lane].0[word])));
                assert_eq!(V::store(V::load(columns.each_ref())), columns);
                assert_eq!(V::store(words.map(|vector| vector.add(V::splat(0)))), *rows);
            }
        }
    }

    /// Runs in every kind of lanes that there is here.
    pub(crate) fn everywhere(self) {
        self.run::<super::portable::Words>();
        #[cfg(target_arch = "x86_64")]
        if let Some(ifma) = super::Ifma::detect() {
            ifma.test(self);
        }
    }
}

/// Tidy numbers of lanes.
#[inline(always)]
fn load<V: Vector>(numbers: &[[u64; 5]; LANES]) -> Field<V> {
    let rows = numbers.map(|[a, b, c, d, e]| Row([a, b, c, d, e, 0, 0, 0]));
    let [a, b, c, d, e, ..] = V::load(rows.each_ref());
    Field([a, b, c, d, e])
}

/// The limbs of lanes.
#[inline(always)]
fn limbs<V: Vector>(field: &Field<V>) -> [[u64; 5]; LANES] {
    let ([a, b, c, d, e], zero) = (field.0, V::splat(0));
    V::store([a, b, c, d, e, zero, zero, zero]).map(|Row([a, b, c, d, e, ..])| [a, b, c, d, e])
}

/// Numbers of 256 bits in lanes.
#[inline(always)]
fn cut<V: Vector>(numbers: &[U256; LANES]) -> Field<V> {
    let rows = numbers.map(|number| {
        let [a, b, c, d] = number.into_limbs();
        Row([a, b, c, d, 0, 0, 0, 0])
    });
    let [a, b, c, d, ..] = V::load(rows.each_ref());
    Field::cut([a, b, c, d])
}

/// The residues below the modulus.
#[inline(always)]
fn residues<V: Vector>(field: &Field<V>) -> [U256; LANES] {
    let ([a, b, c, d], zero) = (field.canonical().join(), V::splat(0));
    V::store([a, b, c, d, zero, zero, zero, zero])
        .map(|Row([a, b, c, d, ..])| U256::from_limbs([a, b, c, d]))
}
