//! Lists of points to be summed, laid out for lanes.

use super::engine::{Engine, Exceptional};

/// A point of a list: its position among the sources and whether it is subtracted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Source(u32);

impl Source {
    /// Marks a lane whose list has ended.
    pub(crate) const NONE: Self = Self(u32::MAX);

    #[inline(always)]
    pub(crate) const fn new(position: u32, negative: bool) -> Self {
        Self(position << 1 | negative as u32)
    }

    #[inline(always)]
    pub(crate) const fn position(self) -> usize {
        (self.0 >> 1) as usize
    }

    #[inline(always)]
    pub(crate) const fn is_negative(self) -> bool {
        self.0 & 1 == 1
    }

    #[inline(always)]
    pub(crate) const fn is_some(self) -> bool {
        self.0 != u32::MAX
    }
}

/// A summand: which sum it belongs to and where it is found.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Term {
    pub(crate) sum: u32,
    pub(crate) source: Source,
}

/// Lists side by side, as many as the engine has lanes: the longest is in the first lane.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    /// Where its first sources stand.
    first: usize,
    /// Entries of its longest list.
    pub(crate) steps: usize,
}

/// Lists of at most [`LONGEST`] sources, in order of falling length.
#[derive(Debug)]
pub(crate) struct Lists {
    lanes: usize,
    sources: Vec<Source>,
    groups: Vec<Group>,
    /// Lists, without those that fill up the last group.
    count: usize,
}

impl Lists {
    /// How many lists there are.
    pub(crate) const fn count(&self) -> usize {
        self.count
    }

    /// Groups of lists, those with the most steps first.
    pub(crate) fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The sources of one step, one for each lane.
    #[inline(always)]
    pub(crate) fn step(&self, group: &Group, step: usize) -> &[Source] {
        let start = group.first + step * self.lanes;
        &self.sources[start..start + self.lanes]
    }
}

/// Longer lists are cut, and the sums of the pieces summed again: a row whose elements are all
/// equal has only a few lists, thousands of entries long, and would otherwise leave lanes idle.
const LONGEST: usize = 1 << LONGEST_BITS;
const LONGEST_BITS: usize = 5;

/// Sums by number. Many are points of few terms or none, so the points stand apart.
pub(crate) struct Sums<P> {
    pub(crate) points: Vec<P>,
    /// The place of each sum among the points.
    places: Vec<u32>,
}

impl<P> Sums<P> {
    /// Marks a sum without terms.
    const EMPTY: u32 = u32::MAX;

    /// For each sum its place among the points; `None` where there is no term.
    pub(crate) fn places(&self) -> impl Iterator<Item = Option<u32>> {
        self.places.iter().map(|place| (*place != Self::EMPTY).then_some(*place))
    }

    /// For each sum its point; `None` where there is no term.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Option<&P>> {
        self.places().map(|place| place.map(|place| &self.points[place as usize]))
    }
}

/// Sums terms.
///
/// # Errors
/// [`Exceptional`].
pub(crate) fn sum_terms<E: Engine>(
    engine: &E,
    sources: &[E::Point],
    terms: &[Term],
    sums: usize,
) -> Result<Sums<E::Point>, Exceptional> {
    let plan = Plan::new(terms, sums);
    let mut points = engine.sum(sources, &plan.lists(terms, E::LANES))?;
    let mut places = vec![Sums::<E::Point>::EMPTY; sums];
    let mut again = Vec::new();
    let mut cut = Vec::new();
    for (sum, place) in places.iter_mut().enumerate() {
        match plan.pieces(sum) {
            [] => {}
            [piece] => *place = *piece,
            pieces => {
                let number = cut.len() as u32;
                let term = |piece: &u32| Term { sum: number, source: Source::new(*piece, false) };
                again.extend(pieces.iter().map(term));
                cut.push(sum);
            }
        }
    }
    if !cut.is_empty() {
        // Each of these sums has become at least LONGEST / 2 times shorter.
        let whole = sum_terms(engine, &points, &again, cut.len())?;
        let first = points.len() as u32;
        for (sum, place) in cut.into_iter().zip(&whole.places) {
            places[sum] = first + place;
        }
        points.extend_from_slice(&whole.points);
    }
    Ok(Sums { points, places })
}

/// Which list each piece of a sum becomes.
struct Plan {
    /// First piece of each sum, and the number of pieces in all at the end.
    first_piece: Vec<u32>,
    /// The list of each piece.
    places: Vec<u32>,
    /// Lengths of the lists, falling.
    lengths: Vec<u8>,
}

impl Plan {
    fn new(terms: &[Term], sums: usize) -> Self {
        let mut counts = vec![0u32; sums];
        for term in terms {
            counts[term.sum as usize] += 1;
        }
        let mut first_piece = Vec::with_capacity(sums + 1);
        let mut piece_lengths = Vec::with_capacity(sums);
        for count in counts {
            first_piece.push(piece_lengths.len() as u32);
            let mut left = count as usize;
            while left > 0 {
                piece_lengths.push(left.min(LONGEST) as u8);
                left -= left.min(LONGEST);
            }
        }
        first_piece.push(piece_lengths.len() as u32);
        let (places, lengths) = order_by_length(&piece_lengths);
        Self { first_piece, places, lengths }
    }

    fn pieces(&self, sum: usize) -> &[u32] {
        &self.places[self.first_piece[sum] as usize..self.first_piece[sum + 1] as usize]
    }

    fn lists(&self, terms: &[Term], lanes: usize) -> Lists {
        let mut groups = Vec::with_capacity(self.lengths.len().div_ceil(lanes));
        let mut size = 0;
        for longest in self.lengths.iter().step_by(lanes) {
            let steps = usize::from(*longest);
            groups.push(Group { first: size, steps });
            size += steps * lanes;
        }
        let mut sources = vec![Source::NONE; size];
        // Where the first source of each piece stands.
        let starts: Vec<u32> = self
            .places
            .iter()
            .map(|place| {
                let place = *place as usize;
                (groups[place / lanes].first + place % lanes) as u32
            })
            .collect();
        let mut filled = vec![0u32; self.first_piece.len() - 1];
        for term in terms {
            let position = &mut filled[term.sum as usize];
            let piece = self.first_piece[term.sum as usize] + (*position >> LONGEST_BITS);
            let step = *position as usize % LONGEST;
            sources[starts[piece as usize] as usize + step * lanes] = term.source;
            *position += 1;
        }
        Lists { lanes, sources, groups, count: self.lengths.len() }
    }
}

/// Counting sort: the place of each length in falling order, and the lengths in that order.
fn order_by_length(lengths: &[u8]) -> (Vec<u32>, Vec<u8>) {
    let mut next = [0u32; LONGEST + 1];
    for length in lengths {
        next[usize::from(*length)] += 1;
    }
    let mut sum = 0;
    for count in next.iter_mut().rev() {
        (*count, sum) = (sum, sum + *count);
    }
    let mut sorted = vec![0; lengths.len()];
    let places = lengths
        .iter()
        .map(|length| {
            let place = &mut next[usize::from(*length)];
            sorted[*place as usize] = *length;
            *place += 1;
            *place - 1
        })
        .collect();
    (places, sorted)
}
