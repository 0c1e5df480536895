//! Recovery of eight public keys side by side.

use super::field::{Field, Loose};
use super::generator::Generator;
use super::jacobian::{Affine, Jacobian};
use super::multiples::{Multiples, from_rows, to_rows};
use super::powers::{inverse, square_root};
use super::vector::{LANES, Mask, Row, Vector};
use crate::scalars::{
    DIGIT_BITS, Digits, GENERATOR_DIGIT_BITS, GENERATOR_DIGITS, KEY_DIGITS, Task,
};

/// `x` of `λ·(x, y) = (βx, y)` is `x` times this cube root of one.
pub(crate) const BETA: [u64; 4] =
    [0xc139_6c28_7195_01ee, 0x9cf0_4975_12f5_8995, 0x6e64_479e_ac34_34e9, 0x7ae9_6a2b_657c_0710];

/// What a group came to.
#[derive(Debug)]
pub(crate) struct Recovered {
    /// The public key of each lane: four words of `x`, four of `y`, least significant first.
    pub(crate) keys: [Row; LANES],
    /// The lanes whose key is right. In the others there is no key, or an addition was exceptional.
    pub(crate) valid: Mask,
}

/// A sum of which the last inversion is yet to be made.
struct Sum<V> {
    point: Jacobian<V>,
    /// `z` on secp256k1 itself, one in the lanes that are not valid.
    z: Field<V>,
    valid: Mask,
    /// The product of the `z` of all groups before.
    before: Field<V>,
}

/// Recovers groups that share an inversion.
#[inline(always)]
pub(crate) fn recover<V: Vector>(groups: &[[Task; LANES]]) -> Vec<Recovered> {
    let mut product = Field::small(1);
    let mut sums = Vec::with_capacity(groups.len());
    for tasks in groups {
        let sum = Sum { before: product, ..sum::<V>(tasks) };
        product = V::times(&product, &sum.z);
        sums.push(sum);
    }
    let mut inverse = inverse(&product);
    let mut recovered = Vec::with_capacity(groups.len());
    for Sum { point, z, valid, before } in sums.iter().rev() {
        let own = V::times(&inverse, before);
        inverse = V::times(&inverse, z);
        let squared = V::squared(&own, 1);
        let cubed = V::times(&squared, &own);
        let (x, y) = (V::times(&point.x, &squared), V::times(&point.y, &cubed));
        recovered.push(Recovered { keys: to_rows(&Affine { x, y }), valid: *valid });
    }
    recovered.reverse();
    recovered
}

/// `u1·G + u2·R` for each task.
#[inline(always)]
fn sum<V: Vector>(tasks: &[Task; LANES]) -> Sum<V> {
    let (point, on_curve) = lift::<V>(tasks);
    let multiples = Multiples::of(&point);
    let scale = &multiples.scale;
    let generator = Generator::tables();
    let beta = Field::cut(BETA.map(V::splat));
    let mut sum = Jacobian::<V>::infinity();
    for window in (0..KEY_DIGITS).rev() {
        if sum.infinite != Mask::MAX {
            V::double(&mut sum, DIGIT_BITS);
        }
        let row = |lane: usize, index: usize| &multiples.rows[index][lane];
        if let Some((point, active)) = addend::<V, _>(tasks, |task| &task.first, window, row) {
            let z = sum.z;
            V::add_affine(&mut sum, &point, &z, active);
        }
        if let Some((mut point, active)) = addend::<V, _>(tasks, |task| &task.second, window, row) {
            point.x = V::times(&point.x, &beta);
            let z = sum.z;
            V::add_affine(&mut sum, &point, &z, active);
        }
        let Some(window) = generator_window(window) else { continue };
        let row = |_, index: usize| &generator.low[index];
        if let Some((point, active)) = addend::<V, _>(tasks, |task| &task.low, window, row) {
            add_unscaled(&mut sum, &point, scale, active);
        }
        let row = |_, index: usize| &generator.high[index];
        if let Some((point, active)) = addend::<V, _>(tasks, |task| &task.high, window, row) {
            add_unscaled(&mut sum, &point, scale, active);
        }
    }
    let z = V::times(&sum.z, scale);
    let valid = on_curve & !z.zeros() & !sum.infinite;
    Sum { z: Field::select(valid, &z, &Field::small(1)), point: sum, valid, before: z }
}

/// The digit of the generator that is added along with a digit of the point.
#[inline(always)]
fn generator_window(window: usize) -> Option<usize> {
    const RATIO: usize = (GENERATOR_DIGIT_BITS / DIGIT_BITS) as usize;
    const { assert!(RATIO as u32 * DIGIT_BITS == GENERATOR_DIGIT_BITS) };
    (window.is_multiple_of(RATIO) && window / RATIO < GENERATOR_DIGITS).then_some(window / RATIO)
}

/// The point `R` of each task, and the lanes where there is one.
#[inline(always)]
fn lift<V: Vector>(tasks: &[Task; LANES]) -> (Affine<V>, Mask) {
    let rows = tasks.each_ref().map(|task| {
        let [a, b, c, d] = task.x;
        Row([a, b, c, d, u64::from(task.y_is_odd), 0, 0, 0])
    });
    let [x0, x1, x2, x3, odd, ..] = V::load(rows.each_ref());
    let x = Field::cut([x0, x1, x2, x3]);
    let cube = V::times(&V::squared(&x, 1), &x);
    let square = cube.loose().plus(&Field::small(7)).tidy();
    let y = square_root(&square);
    // y² - x³ - 7, of which the last two are below 3p.
    let difference = Loose::modulus(3).minus(&square).plus(&V::squared(&y, 1)).tidy();
    let on_curve = difference.zeros();
    let y = y.canonical();
    let sum = y.0[0].add(odd).and(V::splat(1));
    let same = sum.zeros();
    (Affine { x, y: Field::select(same, &y, &y.negated()) }, on_curve)
}

/// The point that a digit stands for in each lane, and the lanes where the digit is not zero, if there
/// are any.
#[inline(always)]
fn addend<'a, V: Vector, const N: usize>(
    tasks: &'a [Task; LANES],
    digits: impl Fn(&'a Task) -> &'a Digits<N>,
    window: usize,
    row: impl Fn(usize, usize) -> &'a Row,
) -> Option<(Affine<V>, Mask)> {
    let (mut active, mut negative) = (0, 0);
    let rows = std::array::from_fn(|lane| {
        let digit = digits(&tasks[lane]).0[window];
        active |= Mask::from(digit != 0) << lane;
        negative |= Mask::from(digit < 0) << lane;
        row(lane, usize::from(digit.unsigned_abs().saturating_sub(1)))
    });
    if active == 0 {
        return None;
    }
    let Affine { x, y } = from_rows::<V>(rows);
    Some((Affine { x, y: Field::select(negative, &y.negated(), &y) }, active))
}

/// Adds a point of secp256k1 to a sum on the scaled curve.
#[inline(always)]
fn add_unscaled<V: Vector>(
    sum: &mut Jacobian<V>,
    point: &Affine<V>,
    scale: &Field<V>,
    active: Mask,
) {
    let begun = active & sum.infinite;
    let z = V::times(&sum.z, scale);
    V::add_affine(sum, point, &z, active & !begun);
    if begun != 0 {
        let squared = V::squared(scale, 1);
        let cubed = V::times(&squared, scale);
        let scaled = Affine { x: V::times(&point.x, &squared), y: V::times(&point.y, &cubed) };
        V::add_affine(sum, &scaled, scale, begun);
    }
}
