//! Additions and doublings in eight lanes that share inversions.

use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch, _mm512_setzero_si512};
use std::sync::OnceLock;

use super::field::{
    Field, LANES, LIMBS, modulus_times, multiply, select, splat, subtract, subtract_thrice, thrice,
    twice,
};
use super::memory::{load, load_x, load_y, store, transpose};
use super::point::{AlignedLimbs, Limbs, Point, from_limbs, to_limbs};
use crate::curve::Fp;
use crate::msm::engine::Exceptional;
use crate::msm::lists::{Group, Lists, Source};

/// Groups of eight lists that share an inversion: sums, differences and products of so many take 512 KiB, half
/// of the second-level cache.
const BATCH: usize = 256;
/// Groups ahead for which sources are fetched.
const AHEAD: usize = 4;
/// Bound of the coordinates of sources, in multiples of `p`.
const SOURCE_BOUND: u64 = 2;

/// One in the form of the lanes.
fn one() -> &'static Limbs {
    static ONE: OnceLock<Limbs> = OnceLock::new();
    ONE.get_or_init(|| to_limbs(&Fp::two_to_the(0)))
}

/// Sums every list.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn sum(sources: &[Point], lists: &Lists) -> Result<Vec<Point>, Exceptional> {
    let mut points = Vec::with_capacity(lists.groups().len() * LANES);
    let mut batch = Batch::new();
    for groups in lists.groups().chunks(BATCH) {
        batch.begin(sources, lists, groups);
        let steps = groups.first().map_or(0, |group| group.steps);
        for step in 1..steps {
            let active = groups.partition_point(|group| group.steps > step);
            batch.add(sources, lists, &groups[..active], step)?;
        }
        batch.finish(&mut points);
    }
    points.truncate(lists.count());
    Ok(points)
}

/// Doubles every point so many times.
#[target_feature(enable = "avx512f,avx512ifma")]
pub(super) fn double(points: &mut [Point], times: usize) -> Result<(), Exceptional> {
    let mut batch = Batch::new();
    for points in points.chunks_mut(BATCH * LANES) {
        batch.x.clear();
        batch.y.clear();
        for group in points.chunks(LANES) {
            let mut lanes = [&group[0]; LANES];
            lanes.iter_mut().zip(group).for_each(|(lane, point)| *lane = point);
            batch.x.push(load_x(&lanes));
            batch.y.push(load_y(&lanes));
        }
        for _ in 0..times {
            batch.double()?;
        }
        let mut doubled = Vec::with_capacity(points.len() + LANES);
        batch.finish(&mut doubled);
        points.copy_from_slice(&doubled[..points.len()]);
    }
    Ok(())
}

/// The sums of some groups, and what is kept between the two passes of a step.
struct Batch {
    x: Vec<Field>,
    y: Vec<Field>,
    /// Denominators of the slopes.
    denominators: Vec<Field>,
    /// The product of the denominators before each.
    products: Vec<Field>,
}

impl Batch {
    fn new() -> Self {
        let list = || Vec::with_capacity(BATCH);
        Self { x: list(), y: list(), denominators: list(), products: list() }
    }

    /// Begins every list with its first source.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn begin(&mut self, sources: &[Point], lists: &Lists, groups: &[Group]) {
        let negation = modulus_times(SOURCE_BOUND);
        self.x.clear();
        self.y.clear();
        for (index, group) in groups.iter().enumerate() {
            fetch(sources, lists, groups.get(index + AHEAD), 0, |point| &point.x);
            fetch(sources, lists, groups.get(index + AHEAD), 0, |point| &point.y);
            let lanes = Lanes::new(sources, lists.step(group, 0));
            self.x.push(lanes.x());
            self.y.push(lanes.y(&negation));
        }
    }

    /// Adds the sources of one step. Before step `s` the coordinates of the sums are below
    /// `o = (2 + 4(s - 1))·p`, and the new ones below `o + 4p`, because a product is below `2p`.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn add(
        &mut self,
        sources: &[Point],
        lists: &Lists,
        groups: &[Group],
        step: usize,
    ) -> Result<(), Exceptional> {
        let bound = SOURCE_BOUND + 4 * (step as u64 - 1);
        let offset = modulus_times(bound);
        let one = splat(one());
        let mut product = one;
        self.denominators.clear();
        self.products.clear();
        for (index, group) in groups.iter().enumerate() {
            fetch(sources, lists, groups.get(index + AHEAD), step, |point| &point.x);
            let lanes = Lanes::new(sources, lists.step(group, step));
            let difference = subtract(&lanes.x(), &self.x[index], &offset);
            let difference = select(lanes.active, &difference, &one);
            self.products.push(product);
            product = multiply(&product, &difference);
            self.denominators.push(difference);
        }
        let mut inverse = invert(&product)?;
        // `difference` holds the offset already: λ² - x₂ - x₁ + o + 2p in terms of it.
        let third = modulus_times(2 * bound + SOURCE_BOUND);
        let falling = modulus_times(bound + SOURCE_BOUND + 2);
        let negation = modulus_times(SOURCE_BOUND);
        for (index, group) in groups.iter().enumerate().rev() {
            let ahead = index.checked_sub(AHEAD).map(|ahead| &groups[ahead]);
            fetch(sources, lists, ahead, step, |point| &point.y);
            let lanes = Lanes::new(sources, lists.step(group, step));
            let (x, y) = (&self.x[index], &self.y[index]);
            let denominator = &self.denominators[index];
            let rise = subtract(&lanes.y(&negation), y, &offset);
            let slope = multiply(&rise, &multiply(&inverse, &self.products[index]));
            inverse = multiply(&inverse, denominator);
            let square = multiply(&slope, &slope);
            let new_x = subtract_thrice(&square, denominator, x, &third);
            let fall = subtract(x, &new_x, &falling);
            let new_y = subtract(&multiply(&slope, &fall), y, &offset);
            self.x[index] = select(lanes.active, &new_x, x);
            self.y[index] = select(lanes.active, &new_y, y);
        }
        Ok(())
    }

    /// Doubles every sum. Coordinates are below `2p` before and after.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn double(&mut self) -> Result<(), Exceptional> {
        let one = splat(one());
        let offset = modulus_times(SOURCE_BOUND);
        let zero = [_mm512_setzero_si512(); LIMBS];
        let (third, falling) =
            (modulus_times(2 * SOURCE_BOUND), modulus_times(2 * SOURCE_BOUND + 2));
        let mut product = one;
        self.denominators.clear();
        self.products.clear();
        for y in &self.y {
            let denominator = twice(y);
            self.products.push(product);
            product = multiply(&product, &denominator);
            self.denominators.push(denominator);
        }
        let mut inverse = invert(&product)?;
        for index in (0..self.x.len()).rev() {
            let (x, y) = (&self.x[index], &self.y[index]);
            let numerator = thrice(&multiply(x, x));
            let slope = multiply(&numerator, &multiply(&inverse, &self.products[index]));
            inverse = multiply(&inverse, &self.denominators[index]);
            let square = multiply(&slope, &slope);
            let new_x = subtract_thrice(&square, &zero, x, &third);
            let fall = subtract(x, &new_x, &falling);
            let new_y = subtract(&multiply(&slope, &fall), y, &offset);
            self.x[index] = multiply(&new_x, &one);
            self.y[index] = multiply(&new_y, &one);
        }
        Ok(())
    }

    /// Appends the sums, below `2p`, lane after lane.
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn finish(&self, points: &mut Vec<Point>) {
        let one = splat(one());
        for (x, y) in self.x.iter().zip(&self.y) {
            let x = transpose(multiply(x, &one)).map(|lane| store(lane));
            let y = transpose(multiply(y, &one)).map(|lane| store(lane));
            points.extend(x.into_iter().zip(y).map(|(x, y)| Point { x, y }));
        }
    }
}

/// The sources of one step.
struct Lanes<'a> {
    points: [&'a Point; LANES],
    /// Lanes whose list goes on.
    active: u8,
    /// Lanes whose source is subtracted.
    negative: u8,
}

impl<'a> Lanes<'a> {
    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn new(sources: &'a [Point], step: &[Source]) -> Self {
        let mut lanes = Self { points: [&sources[0]; LANES], active: 0, negative: 0 };
        for (lane, source) in step.iter().enumerate().take(LANES) {
            if source.is_some() {
                lanes.points[lane] = &sources[source.position()];
                lanes.active |= 1 << lane;
                lanes.negative |= u8::from(source.is_negative()) << lane;
            }
        }
        lanes
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn x(&self) -> Field {
        load_x(&self.points)
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512ifma")]
    fn y(&self, offset: &Field) -> Field {
        let y = load_y(&self.points);
        let zero = [_mm512_setzero_si512(); LIMBS];
        select(self.negative, &subtract(&zero, &y, offset), &y)
    }
}

/// Fetches a coordinate of the sources of a step into the first-level cache.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn fetch<'a>(
    sources: &'a [Point],
    lists: &Lists,
    group: Option<&Group>,
    step: usize,
    coordinate: impl Fn(&'a Point) -> &'a AlignedLimbs,
) {
    let Some(group) = group else { return };
    for source in lists.step(group, step) {
        if let Some(point) = sources.get(source.position()) {
            _mm_prefetch::<_MM_HINT_T0>(coordinate(point).0.as_ptr().cast());
        }
    }
}

/// The inverse in every lane, by one inversion of the product of all.
#[target_feature(enable = "avx512f,avx512ifma")]
fn invert(product: &Field) -> Result<Field, Exceptional> {
    // Reduced below 2p, which `from_limbs` wants.
    let reduced = multiply(product, &splat(one()));
    let numbers = transpose(reduced).map(|lane| from_limbs(&store(lane).0));
    let mut prefixes = [Fp::two_to_the(0); LANES];
    for lane in 1..LANES {
        prefixes[lane] = prefixes[lane - 1].times(&numbers[lane - 1]);
    }
    let all = prefixes[LANES - 1].times(&numbers[LANES - 1]);
    if all == Fp::ZERO {
        return Err(Exceptional);
    }
    let mut inverse = all.inverse();
    let mut inverses = [Limbs::default(); LANES];
    for lane in (0..LANES).rev() {
        inverses[lane] = to_limbs(&inverse.times(&prefixes[lane]));
        inverse = inverse.times(&numbers[lane]);
    }
    Ok(transpose(inverses.map(|limbs| load(&AlignedLimbs(limbs)))))
}
