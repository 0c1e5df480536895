//! Multiples of a point in eight lanes.
//!
//! Points that share their `z` are added with fewer multiplications (Meloni, "New Point Addition Formulae for
//! ECC Applications", 2007): an addition gives the sum and the first summand with a new common `z`, the old one
//! times the difference of the summands. Going back over those differences brings every multiple to the last `z`.
//! On the isomorphic curve with coordinates scaled by that `z` all multiples are affine.

use super::field::{Field, Loose};
use super::jacobian::Affine;
use super::vector::{LANES, Row, Vector};

/// Multiples in a table.
pub(crate) const MULTIPLES: usize = 16;

/// The multiples `1..=16` of a point in each lane, scaled.
#[derive(Debug)]
pub(crate) struct Multiples<V> {
    /// Multiple `m` of lane `l` is row `l` of `m - 1`: four words of `x`, four of `y`, canonical.
    pub(crate) rows: [[Row; LANES]; MULTIPLES],
    /// The multiple `(x, y)` stands for `(x/scale², y/scale³)`.
    pub(crate) scale: Field<V>,
}

impl<V: Vector> Multiples<V> {
    /// Of a point that is not of order 16 or less.
    #[inline(always)]
    pub(crate) fn of(point: &Affine<V>) -> Self {
        let (mut first, mut last) = twice(point);
        let mut points = [last; MULTIPLES];
        // By what the `z` of a multiple is larger than that of the multiple before: 2y for the second.
        let mut runs = [point.y.loose().plus(&point.y).tidy(); MULTIPLES];
        for index in 2..MULTIPLES {
            (last, runs[index]) = add_first(&mut first, &last);
            points[index] = last;
        }
        points[0] = first;

        let mut rows = [[Row::default(); LANES]; MULTIPLES];
        rows[0] = to_rows(&points[0]);
        rows[MULTIPLES - 1] = to_rows(&points[MULTIPLES - 1]);
        let mut scale = runs[MULTIPLES - 1];
        for index in (1..MULTIPLES - 1).rev() {
            let Affine { x, y } = &points[index];
            let squared = V::squared(&scale, 1);
            let cubed = V::times(&squared, &scale);
            rows[index] = to_rows(&Affine { x: V::times(x, &squared), y: V::times(y, &cubed) });
            scale = V::times(&scale, &runs[index]);
        }
        Self { rows, scale }
    }
}

/// The point and twice the point with the common `z = 2y`.
#[inline(always)]
fn twice<V: Vector>(point: &Affine<V>) -> (Affine<V>, Affine<V>) {
    let x_squared = V::squared(&point.x, 1);
    let y_squared = V::squared(&point.y, 1);
    let slope = x_squared.loose().plus_shifted::<1>(&x_squared).tidy();
    let four = Field::small(4);
    let eight = Field::small(8);
    let same_x = V::times(&V::times(&point.x, &y_squared), &four);
    let same_y = V::times(&V::squared(&y_squared, 1), &eight);
    let offset = Loose::modulus(3).minus_shifted::<1>(&same_x);
    let x = slope.wide_square().plus(&offset).reduced();
    let fall = Loose::modulus(2).minus(&x).plus(&same_x).tidy();
    let y = slope.wide(&fall).plus(&Loose::modulus(2).minus(&same_y)).reduced();
    (Affine { x: same_x, y: same_y }, Affine { x, y })
}

/// Adds the first point to the last one, of the same `z`. Both then have the `z` times the second result.
#[inline(always)]
fn add_first<V: Vector>(first: &mut Affine<V>, last: &Affine<V>) -> (Affine<V>, Field<V>) {
    let run = Loose::modulus(2).minus(&last.x).plus(&first.x).tidy();
    let rise = Loose::modulus(2).minus(&last.y).plus(&first.y).tidy();
    let squared = V::squared(&run, 1);
    let first_x = V::times(&first.x, &squared);
    let last_x = V::times(&last.x, &squared);
    let difference = Loose::modulus(2).minus(&last_x).plus(&first_x).tidy();
    let first_y = V::times(&first.y, &difference);
    let offset = Loose::modulus(3).minus(&first_x).minus(&last_x);
    let x = rise.wide_square().plus(&offset).reduced();
    let fall = Loose::modulus(2).minus(&x).plus(&first_x).tidy();
    let y = rise.wide(&fall).plus(&Loose::modulus(2).minus(&first_y)).reduced();
    *first = Affine { x: first_x, y: first_y };
    (Affine { x, y }, run)
}

/// Rows of four words of `x` and four of `y`, canonical.
#[inline(always)]
pub(crate) fn to_rows<V: Vector>(point: &Affine<V>) -> [Row; LANES] {
    let [x0, x1, x2, x3] = point.x.canonical().join();
    let [y0, y1, y2, y3] = point.y.canonical().join();
    V::store([x0, x1, x2, x3, y0, y1, y2, y3])
}

/// The inverse of [`to_rows`].
#[inline(always)]
pub(crate) fn from_rows<V: Vector>(rows: [&Row; LANES]) -> Affine<V> {
    let [x0, x1, x2, x3, y0, y1, y2, y3] = V::load(rows);
    Affine { x: Field::cut([x0, x1, x2, x3]), y: Field::cut([y0, y1, y2, y3]) }
}
