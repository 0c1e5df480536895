//! The inputs that others are made from.

use std::collections::BTreeMap;

use rand::Rng;

use super::target::Outcome;

/// Inputs kept beside the seeds; the outcome seen first stays.
const KEPT: usize = 4096;

/// Seeds, and one input for each outcome that was seen, with how often it was.
#[derive(Debug)]
pub struct Corpus {
    inputs: Vec<Vec<u8>>,
    outcomes: BTreeMap<Outcome, u64>,
}

impl Corpus {
    /// A corpus of seeds.
    #[must_use]
    pub fn new(seeds: Vec<Vec<u8>>) -> Self {
        Self { inputs: seeds, outcomes: BTreeMap::new() }
    }

    /// An input to change; empty where there are no seeds.
    pub fn pick(&self, rng: &mut impl Rng) -> &[u8] {
        match self.inputs.len() {
            0 => &[],
            length => &self.inputs[rng.random_range(0..length)],
        }
    }

    /// Counts an outcome; a new one keeps its input.
    pub fn count(&mut self, outcome: Outcome, input: &[u8]) {
        let kept = self.inputs.len();
        let count = self.outcomes.entry(outcome).or_insert_with(|| {
            if kept < KEPT {
                self.inputs.push(input.to_vec());
            }
            0
        });
        *count += 1;
    }

    /// How many inputs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// The outcomes and how often each was.
    #[must_use]
    pub const fn outcomes(&self) -> &BTreeMap<Outcome, u64> {
        &self.outcomes
    }
}
