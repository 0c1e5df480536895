//! Points of `y² = x³ + b` in eight lanes.
//!
//! No formula contains `b`, so they hold on every curve isomorphic to secp256k1 by a scaling of the coordinates.
//!
//! Adding equal or opposite points gives `z = 0`, and neither doubling nor adding leaves it again: `z` becomes
//! `2·y·z` or `z·(…)`. A lane in which an addition was exceptional is thereby known by its last `z`, and
//! nothing has to be compared on the way.

use super::field::{Field, Loose};
use super::vector::{Mask, Vector};

/// Reduced coordinates `(x/z², y/z³)`, and the lanes that are still at infinity.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Jacobian<V> {
    pub(crate) x: Field<V>,
    pub(crate) y: Field<V>,
    pub(crate) z: Field<V>,
    /// The lanes to which no point was added yet; their coordinates mean nothing.
    pub(crate) infinite: Mask,
}

/// Coordinates `x`, reduced, and `y`, tidy.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Affine<V> {
    pub(crate) x: Field<V>,
    pub(crate) y: Field<V>,
}

impl<V: Vector> Jacobian<V> {
    /// Infinity in all lanes.
    #[inline(always)]
    pub(crate) fn infinity() -> Self {
        let zero = Field::small(0);
        Self { x: zero, y: zero, z: zero, infinite: Mask::MAX }
    }

    /// Twice the point: three multiplications and four squarings.
    #[inline(always)]
    pub(crate) fn doubled(&self) -> Self {
        let slope = self.x.squared();
        let slope = slope.loose().plus_shifted::<1>(&slope).tidy();
        let y_squared = self.y.squared();
        let quarter = self.x.times(&y_squared);
        let eighth = y_squared.squared();
        let x = slope.wide_square();
        let x = x.plus(&Loose::modulus(9).minus_shifted::<3>(&quarter)).reduced();
        // Below 6·2^256.
        let fall = Loose::modulus(2).minus(&x).plus_shifted::<2>(&quarter).tidy();
        let y = slope.wide(&fall);
        let y = y.plus(&Loose::modulus(9).minus_shifted::<3>(&eighth)).reduced();
        let twice_y = self.y.loose().plus(&self.y).tidy();
        Self { x, y, z: twice_y.times(&self.z), infinite: self.infinite }
    }

    /// The sum with a point in the active lanes. `z` scales that point: it is `self.z` for a point of the curve
    /// on which this one is, and for `(x·c², y·c³)` given as `(x, y)` it is `self.z·c`. In lanes at
    /// infinity the sum is the point as given.
    #[inline(always)]
    pub(crate) fn plus(&self, other: &Affine<V>, z: &Field<V>, active: Mask) -> Self {
        let z_squared = z.squared();
        let z_cubed = z_squared.times(z);
        let minus_x = Loose::modulus(2).minus(&self.x);
        let minus_y = Loose::modulus(2).minus(&self.y);
        let run = other.x.wide(&z_squared).plus(&minus_x).reduced();
        let rise = other.y.wide(&z_cubed).plus(&minus_y).reduced();
        let new_z = self.z.times(&run);
        let run_squared = run.squared();
        let run_cubed = run_squared.times(&run);
        let middle = self.x.times(&run_squared);
        let x = rise.wide_square();
        let offset = Loose::modulus(4).minus(&run_cubed).minus_shifted::<1>(&middle);
        let x = x.plus(&offset).reduced();
        // Below 4·2^256.
        let fall = Loose::modulus(2).minus(&x).plus(&middle).tidy();
        let y = rise.wide(&fall).plus_product(&minus_y.tidy(), &run_cubed).reduced();

        let added = active & !self.infinite;
        let mut sum = Self {
            x: Field::select(added, &x, &self.x),
            y: Field::select(added, &y, &self.y),
            z: Field::select(added, &new_z, &self.z),
            infinite: self.infinite & !active,
        };
        let begun = active & self.infinite;
        if begun != 0 {
            sum.x = Field::select(begun, &other.x, &sum.x);
            // Reduced, for it may be a negation.
            sum.y = Field::select(begun, &other.y.times(&Field::small(1)), &sum.y);
            sum.z = Field::select(begun, &Field::small(1), &sum.z);
        }
        sum
    }
}
