#![allow(unsafe_code)]
//! Sums eight lists side by side with the 52-bit multipliers of AVX-512.
//!
//! A coordinate is eight limbs of 52 bits in Montgomery form with `2^416`. A point among the sources is two
//! cache lines, a coordinate each; points under way are kept limb by limb, one list in each lane. The limbs
//! leave 35 bits above the modulus `p`, so that differences only get a multiple of `p` added that keeps
//! them positive: the largest multiple is known from the number of steps taken, and nothing is reduced before a
//! list ends.

mod field;
mod lanes;
mod memory;
mod point;
#[cfg(test)]
mod tests;

use super::engine::{Engine, Exceptional};
use super::lists::Lists;
use crate::curve::P1Affine;
use point::Point;

/// The engine for x86-64 processors with AVX-512F and AVX-512IFMA.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ifma {
    /// Only [`detect`](Self::detect) makes one.
    _detected: (),
}

impl Ifma {
    /// The engine, if this processor has the instructions.
    pub(crate) fn detect() -> Option<Self> {
        let detected =
            is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma");
        detected.then_some(Self { _detected: () })
    }
}

impl Engine for Ifma {
    type Point = Point;
    const LANES: usize = field::LANES;

    fn load(&self, point: &P1Affine) -> Point {
        Point::new(point)
    }

    fn store(&self, point: &Point) -> P1Affine {
        point.to_affine()
    }

    fn sum(&self, sources: &[Point], lists: &Lists) -> Result<Vec<Point>, Exceptional> {
        // SAFETY: an `Ifma` exists only where the instructions do.
        unsafe { lanes::sum(sources, lists) }
    }

    fn double(&self, points: &mut [Point], times: usize) -> Result<(), Exceptional> {
        // SAFETY: as above.
        unsafe { lanes::double(points, times) }
    }
}
