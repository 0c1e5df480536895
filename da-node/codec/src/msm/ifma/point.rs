//! Points between blst's form and that of the lanes.

use std::sync::OnceLock;

use super::field::{LIMBS, MASK, MODULUS_64};
use crate::curve::{Fp, P1Affine};

/// Limbs of one coordinate in one lane, each below `2^52`.
pub(super) type Limbs = [u64; LIMBS];

/// Limbs where a vector can be loaded from and stored to: one cache line.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct AlignedLimbs(pub(super) Limbs);

/// A point as the lanes load it: each coordinate one cache line, below twice the modulus.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(crate) struct Point {
    pub(super) x: AlignedLimbs,
    pub(super) y: AlignedLimbs,
}

impl Point {
    pub(super) fn new(point: &P1Affine) -> Self {
        Self { x: AlignedLimbs(to_limbs(&point.x)), y: AlignedLimbs(to_limbs(&point.y)) }
    }

    pub(super) fn to_affine(self) -> P1Affine {
        P1Affine { x: from_limbs(&self.x.0), y: from_limbs(&self.y.0) }
    }
}

/// `2^32` and its inverse: between Montgomery form with `2^384` and with `2^416`.
fn factors() -> &'static (Fp, Fp) {
    static FACTORS: OnceLock<(Fp, Fp)> = OnceLock::new();
    FACTORS.get_or_init(|| {
        let factor = Fp::two_to_the(32);
        (factor, factor.inverse())
    })
}

/// Into the form of the lanes.
pub(super) fn to_limbs(number: &Fp) -> Limbs {
    cut(&number.times(&factors().0).limbs())
}

/// Out of the form of the lanes; the number is below twice the modulus.
pub(super) fn from_limbs(limbs: &Limbs) -> Fp {
    Fp::from_limbs(reduce(join(limbs))).times(&factors().1)
}

/// Six limbs of 64 bits as eight of 52.
pub(super) const fn cut(number: &[u64; 6]) -> Limbs {
    let mut limbs = [0; LIMBS];
    let mut index = 0;
    while index < LIMBS {
        let bit = 52 * index;
        let (word, shift) = (bit / 64, bit % 64);
        let low = number[word] >> shift;
        let high = if shift == 0 || word == 5 { 0 } else { number[word + 1] << (64 - shift) };
        limbs[index] = (low | high) & MASK;
        index += 1;
    }
    limbs
}

/// Eight limbs of 52 bits as six of 64; the number is below `2^384`.
fn join(limbs: &Limbs) -> [u64; 6] {
    let mut number = [0; 6];
    for (index, limb) in limbs.iter().enumerate() {
        let bit = 52 * index;
        let (word, shift) = (bit / 64, bit % 64);
        number[word] |= limb << shift;
        if shift > 12 && word < 5 {
            number[word + 1] |= limb >> (64 - shift);
        }
    }
    number
}

/// A number below twice the modulus as a residue.
fn reduce(number: [u64; 6]) -> [u64; 6] {
    let mut difference = [0; 6];
    let mut borrow = false;
    for ((place, limb), modulus) in difference.iter_mut().zip(number).zip(MODULUS_64) {
        let (first, under) = limb.overflowing_sub(modulus);
        let (second, again) = first.overflowing_sub(u64::from(borrow));
        (*place, borrow) = (second, under | again);
    }
    if borrow { number } else { difference }
}
