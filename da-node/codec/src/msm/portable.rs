//! Sums one list after the other with blst's field arithmetic; runs everywhere.

use super::engine::{Engine, Exceptional};
use super::lists::{Group, Lists, Source};
use crate::curve::{Fp, P1Affine};

/// The engine for processors without vectors of 52-bit multipliers.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Portable;

/// Lists that share inversions. An inversion takes as long as fifty multiplications; the sums,
/// differences and products of so many lists stay in the second-level cache.
const BATCH: usize = 1024;

impl Engine for Portable {
    type Point = P1Affine;
    const LANES: usize = 1;

    fn load(&self, point: &P1Affine) -> P1Affine {
        *point
    }

    fn store(&self, point: &P1Affine) -> P1Affine {
        *point
    }

    fn sum(&self, sources: &[P1Affine], lists: &Lists) -> Result<Vec<P1Affine>, Exceptional> {
        let mut sums = Vec::with_capacity(lists.count());
        let mut batch = Batch::default();
        for groups in lists.groups().chunks(BATCH) {
            let first = sums.len();
            sums.extend(groups.iter().map(|group| sources[source(lists, group, 0).position()]));
            let sums = &mut sums[first..];
            for (sum, group) in sums.iter_mut().zip(groups) {
                sum.y.negate_if(source(lists, group, 0).is_negative());
            }
            let steps = groups.first().map_or(0, |group| group.steps);
            for step in 1..steps {
                let active = groups.partition_point(|group| group.steps > step);
                batch.add(&mut sums[..active], |index| {
                    let source = source(lists, &groups[index], step);
                    (&sources[source.position()], source.is_negative())
                })?;
            }
        }
        Ok(sums)
    }

    fn double(&self, points: &mut [P1Affine], times: usize) -> Result<(), Exceptional> {
        let mut batch = Batch::default();
        for points in points.chunks_mut(BATCH) {
            for _ in 0..times {
                batch.double(points)?;
            }
        }
        Ok(())
    }
}

#[inline(always)]
fn source(lists: &Lists, group: &Group, step: usize) -> Source {
    lists.step(group, step)[0]
}

/// Additions that share an inversion: the denominator of each slope, and the product of those before.
#[derive(Default)]
struct Batch {
    denominators: Vec<Fp>,
    /// One more than denominators: the last is the product of all.
    products: Vec<Fp>,
}

impl Batch {
    /// Adds to each sum its summand, which may have to be negated.
    fn add<'a>(
        &mut self,
        sums: &mut [P1Affine],
        summand: impl Fn(usize) -> (&'a P1Affine, bool),
    ) -> Result<(), Exceptional> {
        self.denominators.resize(sums.len(), Fp::ZERO);
        for (index, (denominator, sum)) in self.denominators.iter_mut().zip(&*sums).enumerate() {
            denominator.set_difference(&summand(index).0.x, &sum.x);
        }
        let mut inverse = self.invert()?;
        for (index, sum) in sums.iter_mut().enumerate().rev() {
            let (other, negative) = summand(index);
            let mut slope = other.y;
            slope.negate_if(negative);
            slope.subtract(&sum.y);
            slope.multiply(&inverse);
            slope.multiply(&self.products[index]);
            inverse.multiply(&self.denominators[index]);
            third_point(sum, &other.x, &slope);
        }
        Ok(())
    }

    /// Doubles each point.
    fn double(&mut self, points: &mut [P1Affine]) -> Result<(), Exceptional> {
        self.denominators.resize(points.len(), Fp::ZERO);
        for (denominator, point) in self.denominators.iter_mut().zip(&*points) {
            denominator.set_sum(&point.y, &point.y);
        }
        let mut inverse = self.invert()?;
        let (mut square, mut slope) = (Fp::ZERO, Fp::ZERO);
        for (index, point) in points.iter_mut().enumerate().rev() {
            square.set_square(&point.x);
            slope.set_sum(&square, &square);
            slope.add(&square);
            slope.multiply(&inverse);
            slope.multiply(&self.products[index]);
            inverse.multiply(&self.denominators[index]);
            let x = point.x;
            third_point(point, &x, &slope);
        }
        Ok(())
    }

    /// The inverse of the product of all denominators; `products[i]` is the product of those before `i`.
    fn invert(&mut self) -> Result<Fp, Exceptional> {
        let count = self.denominators.len();
        self.products.resize(count + 1, Fp::ZERO);
        self.products[0] = Fp::two_to_the(0);
        for (index, denominator) in self.denominators.iter().enumerate() {
            let (before, after) = self.products.split_at_mut(index + 1);
            after[0].set_product(&before[index], denominator);
        }
        let product = &self.products[count];
        if *product == Fp::ZERO { Err(Exceptional) } else { Ok(product.inverse()) }
    }
}

/// Moves `point` to the negated third intersection of the curve and the line of this slope through it
/// and through a point at `x`.
#[inline(always)]
fn third_point(point: &mut P1Affine, x: &Fp, slope: &Fp) {
    let mut third = Fp::ZERO;
    third.set_square(slope);
    third.subtract(&point.x);
    third.subtract(x);
    point.x.subtract(&third);
    point.x.multiply(slope);
    let y = point.y;
    point.y.set_difference(&point.x, &y);
    point.x = third;
}
