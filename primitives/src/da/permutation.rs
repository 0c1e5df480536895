//! Slot to row, by a permutation that nobody can choose.
//!
//! Four Feistel rounds over `2b` bits, the smallest even number with `2^(2b) ≥ S`, walked until
//! the value is below `S`. A round maps `(L, Q)` to `(Q, L xor F_j(Q))` with
//! `F_j(Q) = keccak256(key ‖ uint8 j ‖ uint16 Q) mod 2^b` and `key = keccak256(seed ‖ headerHash)`.

use alloy_primitives::{B256, Keccak256, keccak256};

use super::{RowIndex, SlotIndex};

const ROUNDS: u8 = 4;

/// The permutation of the `S` slots of one header.
#[derive(Clone)]
pub struct SlotPermutation {
    slots: u16,
    /// Bits of a half.
    half: u32,
    /// `F_j(Q)` for every `j` and `Q`: at most 4 · 2^8 hashes, less than the walk would cost.
    rounds: Vec<Vec<u16>>,
}

impl std::fmt::Debug for SlotPermutation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SlotPermutation").field("slots", &self.slots).finish_non_exhaustive()
    }
}

impl SlotPermutation {
    /// The permutation of slots `0…slots-1` for a header in an epoch with that seed.
    pub fn new(seed: B256, header_hash: B256, slots: u16) -> Self {
        let mut half = 1;
        while 1_u32 << (2 * half) < u32::from(slots) {
            half += 1;
        }
        let key = keccak256([seed, header_hash].concat());
        let mask = (1_u16 << half) - 1;
        let round = |j: u8| (0..=mask).map(|q| round_value(&key, j, q) & mask).collect();
        Self { slots, half, rounds: (0..ROUNDS).map(round).collect() }
    }

    /// Image of a slot, below the number of slots. `None` for a slot that the header has not.
    pub fn image(&self, slot: SlotIndex) -> Option<u16> {
        if slot.0 >= self.slots {
            return None;
        }
        let mut value = self.step(u32::from(slot.0));
        while value >= u32::from(self.slots) {
            value = self.step(value);
        }
        u16::try_from(value).ok()
    }

    /// The row that a slot holds: the image modulo the number of extended rows.
    pub fn row(&self, slot: SlotIndex, extended_rows: u16) -> Option<RowIndex> {
        self.image(slot)?.checked_rem(extended_rows).map(RowIndex)
    }

    fn step(&self, value: u32) -> u32 {
        let mask = (1_u32 << self.half) - 1;
        let (mut left, mut right) = (value >> self.half, value & mask);
        for round in &self.rounds {
            (left, right) = (right, left ^ u32::from(round[right as usize]));
        }
        (left << self.half) | right
    }
}

fn round_value(key: &B256, round: u8, half: u16) -> u16 {
    let mut hasher = Keccak256::new();
    hasher.update(key);
    hasher.update([round]);
    hasher.update(half.to_be_bytes());
    let hash = hasher.finalize();
    u16::from_be_bytes([hash[30], hash[31]])
}
