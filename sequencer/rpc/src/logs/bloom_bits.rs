//! The trace that one value leaves in the bloom of a block.

use alloy_primitives::{Bloom, keccak256};

/// The three bits that a value sets in a bloom (Yellow Paper, 4.3.1): six bytes where a bloom of
/// its own would take 256.
#[derive(Debug, Clone, Copy)]
pub(super) struct BloomBits([u16; 3]);

impl BloomBits {
    pub(super) fn of(bytes: &[u8]) -> Self {
        let hash = keccak256(bytes);
        Self([0, 2, 4].map(|at| u16::from_be_bytes([hash[at], hash[at + 1]]) % 2048))
    }

    pub(super) fn are_in(self, bloom: &Bloom) -> bool {
        // The lowest bit is the last of the bloom's bytes.
        self.0.iter().all(|bit| bloom[255 - usize::from(bit / 8)] & (1 << (bit % 8)) != 0)
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{Address, BloomInput};

    use super::*;

    #[test]
    fn the_bits_of_a_value_are_those_that_a_bloom_sets() {
        assert!(size_of::<BloomBits>() < 8, "filters hold many of them");
        for byte in 0..=u8::MAX {
            let bits = BloomBits::of(Address::repeat_byte(byte).as_slice());
            let mut bloom = Bloom::ZERO;
            bloom.accrue(BloomInput::Raw(Address::repeat_byte(byte).as_slice()));
            assert!(bits.are_in(&bloom));
            let mut expected = Bloom::ZERO;
            for bit in bits.0 {
                expected.0[255 - usize::from(bit / 8)] |= 1 << (bit % 8);
            }
            assert_eq!(bloom, expected);
        }
    }
}
