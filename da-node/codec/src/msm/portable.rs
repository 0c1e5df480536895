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
            sums.extend(groups.iter().map(|group| read(sources, source(lists, group, 0))));
            let sums = &mut sums[first..];
            let steps = groups.first().map_or(0, |group| group.steps);
            for step in 1..steps {
                let active = groups.partition_point(|group| group.steps > step);
                batch.add(&mut sums[..active], |index| {
                    read(sources, source(lists, &groups[index], step))
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

fn source(lists: &Lists, group: &Group, step: usize) -> Source {
    lists.step(group, step)[0]
}

#[inline(always)]
fn read(sources: &[P1Affine], source: Source) -> P1Affine {
    let point = &sources[source.position()];
    P1Affine::from_coordinates(point.x(), point.y().negate_if(source.is_negative()))
}

/// Additions that share an inversion: the denominator of each slope, and the product of those before.
#[derive(Default)]
struct Batch {
    summands: Vec<P1Affine>,
    denominators: Vec<Fp>,
    products: Vec<Fp>,
}

impl Batch {
    /// Adds to each sum its summand.
    fn add(
        &mut self,
        sums: &mut [P1Affine],
        summand: impl Fn(usize) -> P1Affine,
    ) -> Result<(), Exceptional> {
        self.summands.clear();
        self.summands.extend((0..sums.len()).map(summand));
        self.denominators.clear();
        self.denominators
            .extend(sums.iter().zip(&self.summands).map(|(sum, other)| other.x().minus(&sum.x())));
        let mut inverse = self.invert()?;
        let pairs = sums.iter_mut().zip(&self.summands);
        for ((sum, other), (denominator, product)) in
            pairs.zip(self.denominators.iter().zip(&self.products)).rev()
        {
            let slope = other.y().minus(&sum.y()).times(&inverse.times(product));
            inverse = inverse.times(denominator);
            *sum = third_point(sum, &other.x(), &slope);
        }
        Ok(())
    }

    /// Doubles each point.
    fn double(&mut self, points: &mut [P1Affine]) -> Result<(), Exceptional> {
        self.denominators.clear();
        self.denominators.extend(points.iter().map(|point| point.y().plus(&point.y())));
        let mut inverse = self.invert()?;
        for (point, (denominator, product)) in
            points.iter_mut().zip(self.denominators.iter().zip(&self.products)).rev()
        {
            let square = point.x().square();
            let slope = square.plus(&square).plus(&square).times(&inverse.times(product));
            inverse = inverse.times(denominator);
            *point = third_point(point, &point.x(), &slope);
        }
        Ok(())
    }

    /// The inverse of the product of all denominators; `products[i]` is the product of those before `i`.
    fn invert(&mut self) -> Result<Fp, Exceptional> {
        self.products.clear();
        let mut product = Fp::two_to_the(0);
        for denominator in &self.denominators {
            self.products.push(product);
            product = product.times(denominator);
        }
        if product == Fp::ZERO { Err(Exceptional) } else { Ok(product.inverse()) }
    }
}

/// The negated third intersection of the line through `point`, and a point at `x`, with the curve.
#[inline(always)]
fn third_point(point: &P1Affine, x: &Fp, slope: &Fp) -> P1Affine {
    let third = slope.square().minus(&point.x()).minus(x);
    let y = point.x().minus(&third).times(slope).minus(&point.y());
    P1Affine::from_coordinates(third, y)
}
