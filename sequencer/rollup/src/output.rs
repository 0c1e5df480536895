use alloy_primitives::{B256, keccak256};

/// Output root of version 0: what a proposal claims of a block (OP specification: Proposals).
///
/// `keccak(version (32) ‖ state root ‖ storage root of L2ToL1MessagePasser ‖ block hash)`. Since
/// Isthmus the storage root stands in the header as its withdrawals root.
pub fn output_root(state_root: B256, message_passer_root: B256, block_hash: B256) -> B256 {
    keccak256([B256::ZERO.0, state_root.0, message_passer_root.0, block_hash.0].concat())
}

#[cfg(test)]
mod tests {
    use alloy_primitives::{U256, b256};

    use super::*;

    #[test]
    fn root_is_the_hash_of_four_words() {
        let word = |n: u64| B256::from(U256::from(n));
        assert_ne!(output_root(word(1), word(2), word(3)), output_root(word(1), word(3), word(2)));
        // keccak256 of 128 zero bytes.
        let zero = b256!("012893657d8eb2efad4de0a91bcd0e39ad9837745dec3ea923737ea803fc8e3d");
        assert_eq!(output_root(B256::ZERO, B256::ZERO, B256::ZERO), zero);
    }
}
