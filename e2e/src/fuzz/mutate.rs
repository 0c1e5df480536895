//! Changing an input.

use rand::Rng;
use rand::seq::IndexedRandom;

/// Bytes at which code likes to go wrong.
const BYTES: [u8; 8] = [0, 1, 0x7f, 0x80, 0xff, 31, 32, 64];
/// Longest block that is moved, doubled or taken out at once.
const BLOCK: usize = 256;
/// Most changes to one input.
const CHANGES: usize = 6;

/// Makes inputs of inputs.
#[derive(Debug)]
pub struct Mutator {
    tokens: Vec<Vec<u8>>,
    max_bytes: usize,
}

impl Mutator {
    /// A mutator that also puts in these tokens and makes nothing longer than `max_bytes`.
    #[must_use]
    pub const fn new(tokens: Vec<Vec<u8>>, max_bytes: usize) -> Self {
        Self { tokens, max_bytes }
    }

    /// Changes an input in one to six places; `other` is where pieces come from.
    pub fn mutate(&self, input: &[u8], other: &[u8], rng: &mut impl Rng) -> Vec<u8> {
        let mut bytes = input.to_vec();
        // One change is as likely as all larger numbers of them together: the nearest are worth most.
        let changes = if rng.random() { 1 } else { rng.random_range(2..=CHANGES) };
        for _ in 0..changes {
            self.change(&mut bytes, other, rng);
            bytes.truncate(self.max_bytes);
        }
        bytes
    }

    fn change(&self, bytes: &mut Vec<u8>, other: &[u8], rng: &mut impl Rng) {
        match rng.random_range(0..12) {
            0 | 1 => flip_bit(bytes, rng),
            2 => set_byte(bytes, rng),
            3 | 4 => change_integer(bytes, rng),
            5 => cut(bytes, rng),
            6 => grow(bytes, rng),
            7 => remove_block(bytes, rng),
            8 => double_block(bytes, rng),
            9 => swap_blocks(bytes, rng),
            10 => splice(bytes, other, rng),
            _ => self.put_token(bytes, rng),
        }
    }

    fn put_token(&self, bytes: &mut Vec<u8>, rng: &mut impl Rng) {
        let Some(token) = self.tokens.choose(rng) else { return flip_bit(bytes, rng) };
        let at = rng.random_range(0..=bytes.len());
        // Over what is there, or between.
        let end = if rng.random() { (at + token.len()).min(bytes.len()) } else { at };
        bytes.splice(at..end, token.iter().copied());
    }
}

fn flip_bit(bytes: &mut [u8], rng: &mut impl Rng) {
    if let Some(byte) = pick(bytes, rng) {
        *byte ^= 1 << rng.random_range(0..8);
    }
}

fn set_byte(bytes: &mut [u8], rng: &mut impl Rng) {
    let value = if rng.random() { rng.random() } else { BYTES[rng.random_range(0..BYTES.len())] };
    if let Some(byte) = pick(bytes, rng) {
        *byte = value;
    }
}

fn pick<'a>(bytes: &'a mut [u8], rng: &mut impl Rng) -> Option<&'a mut u8> {
    let length = bytes.len();
    if length == 0 { None } else { bytes.get_mut(rng.random_range(0..length)) }
}

/// An integer of 2, 4 or 8 bytes, big-endian or little-endian, becomes one beside it or at a border.
fn change_integer(bytes: &mut [u8], rng: &mut impl Rng) {
    let width = [2, 4, 8][rng.random_range(0..3)];
    let Some(last) = bytes.len().checked_sub(width) else { return flip_bit(bytes, rng) };
    let at = rng.random_range(0..=last);
    let field = &mut bytes[at..at + width];
    let little = rng.random_range(0..4) == 0;
    if little {
        field.reverse();
    }
    let value = field.iter().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte));
    let value = match rng.random_range(0..7) {
        0 => value.wrapping_add(1),
        1 => value.wrapping_sub(1),
        2 => 0,
        3 => u64::MAX,
        4 => 1 << rng.random_range(0..64),
        5 => value.wrapping_mul(2),
        _ => (1_u64 << rng.random_range(0..64)).wrapping_sub(1),
    };
    field.copy_from_slice(&value.to_be_bytes()[8 - width..]);
    if little {
        field.reverse();
    }
}

fn cut(bytes: &mut Vec<u8>, rng: &mut impl Rng) {
    // Mostly a little: far cuts all end the same.
    let length = bytes.len();
    let gone = if rng.random_range(0..4) == 0 { length } else { length.min(4) };
    bytes.truncate(length - rng.random_range(0..=gone));
}

fn grow(bytes: &mut Vec<u8>, rng: &mut impl Rng) {
    let at = if rng.random() { bytes.len() } else { rng.random_range(0..=bytes.len()) };
    let length = rng.random_range(1..=16);
    let same = BYTES[rng.random_range(0..BYTES.len())];
    let random: bool = rng.random();
    let added: Vec<u8> = (0..length).map(|_| if random { rng.random() } else { same }).collect();
    bytes.splice(at..at, added);
}

/// A place in `length` bytes.
fn block(length: usize, rng: &mut impl Rng) -> std::ops::Range<usize> {
    if length == 0 {
        return 0..0;
    }
    let start = rng.random_range(0..length);
    let most = (length - start).min(BLOCK);
    start..start + rng.random_range(1..=most)
}

fn remove_block(bytes: &mut Vec<u8>, rng: &mut impl Rng) {
    let range = block(bytes.len(), rng);
    bytes.drain(range);
}

fn double_block(bytes: &mut Vec<u8>, rng: &mut impl Rng) {
    let range = block(bytes.len(), rng);
    let copy = bytes[range.clone()].to_vec();
    bytes.splice(range.end..range.end, copy);
}

/// Two blocks of the same length change places, as rows and commitments may.
fn swap_blocks(bytes: &mut [u8], rng: &mut impl Rng) {
    let first = block(bytes.len(), rng);
    let second = block(bytes.len(), rng);
    for at in 0..first.len().min(second.len()) {
        bytes.swap(first.start + at, second.start + at);
    }
}

/// A block of another input, at its own place or at any.
fn splice(bytes: &mut Vec<u8>, other: &[u8], rng: &mut impl Rng) {
    let from = block(other.len(), rng);
    let at = if rng.random() { from.start } else { rng.random_range(0..=bytes.len()) };
    let start = at.min(bytes.len());
    let end = (start + from.len()).min(bytes.len());
    bytes.splice(start..end, other[from].iter().copied());
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    #[test]
    fn any_input_can_be_changed_and_none_grows_beyond_the_limit() {
        let mut rng = StdRng::seed_from_u64(7);
        let mutator = Mutator::new(vec![b"token".to_vec()], 300);
        for length in [0, 1, 2, 7, 90, 300] {
            let input: Vec<u8> = (0..length).map(|i| i as u8).collect();
            let made: BTreeSet<_> =
                (0..2000).map(|_| mutator.mutate(&input, b"other input", &mut rng)).collect();
            assert!(made.len() > 300, "{length}: {} different", made.len());
            assert!(made.iter().all(|bytes| bytes.len() <= 300));
            let holds_token = |bytes: &&Vec<u8>| bytes.windows(5).any(|window| window == b"token");
            assert!(made.iter().find(holds_token).is_some());
        }
    }

    #[test]
    fn integers_go_to_their_borders() {
        let mut rng = StdRng::seed_from_u64(7);
        let made: BTreeSet<_> = (0..20_000)
            .map(|_| {
                let mut bytes = 1000_u32.to_be_bytes();
                change_integer(&mut bytes, &mut rng);
                u32::from_be_bytes(bytes)
            })
            .collect();
        for value in [0, 999, 1001, 2000, u32::MAX, 1 << 31, (1 << 16) - 1] {
            assert!(made.contains(&value), "{value}");
        }
    }
}
