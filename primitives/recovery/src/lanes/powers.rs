//! Square roots and inverses by fixed powers.

use super::field::Field;
use super::vector::Vector;

/// Powers `a^(2^k - 1)` that both exponents begin with.
struct Ones<V> {
    two: Field<V>,
    twenty_two: Field<V>,
    /// `k = 223`.
    most: Field<V>,
}

impl<V: Vector> Ones<V> {
    #[inline(always)]
    fn of(a: &Field<V>) -> Self {
        // Of 2^k - 1 and 2^m - 1 to 2^(k+m) - 1.
        let joined = |low: &Field<V>, high: &Field<V>, low_bits: u32| {
            V::times(&V::squared(high, low_bits), low)
        };
        let two = joined(a, a, 1);
        let three = joined(a, &two, 1);
        let six = joined(&three, &three, 3);
        let nine = joined(&three, &six, 3);
        let eleven = joined(&two, &nine, 2);
        let twenty_two = joined(&eleven, &eleven, 11);
        let forty_four = joined(&twenty_two, &twenty_two, 22);
        let eighty_eight = joined(&forty_four, &forty_four, 44);
        let many = joined(&eighty_eight, &eighty_eight, 88);
        let many = joined(&forty_four, &many, 44);
        let most = joined(&three, &many, 3);
        Self { two, twenty_two, most }
    }
}

/// `a^((p + 1) / 4)`: a square root of `a`, reduced, if `a` has one.
#[inline(always)]
pub(super) fn square_root<V: Vector>(a: &Field<V>) -> Field<V> {
    // (p + 1) / 4 in binary: 223 ones, a zero, 22 ones, four zeros, two ones, two zeros.
    let ones = Ones::of(a);
    let power = V::times(&V::squared(&ones.most, 23), &ones.twenty_two);
    let power = V::times(&V::squared(&power, 6), &ones.two);
    V::squared(&power, 2)
}

/// `a^(p - 2) = 1/a`, reduced; zero of zero.
#[inline(always)]
pub(super) fn inverse<V: Vector>(a: &Field<V>) -> Field<V> {
    // p - 2 in binary: 223 ones, a zero, 22 ones, four zeros, 101101.
    let ones = Ones::of(a);
    let power = V::times(&V::squared(&ones.most, 23), &ones.twenty_two);
    let power = V::times(&V::squared(&power, 5), a);
    let power = V::times(&V::squared(&power, 3), &ones.two);
    V::times(&V::squared(&power, 2), a)
}
