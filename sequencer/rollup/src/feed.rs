//! Signed unsafe blocks: what a verifier may follow before L1 has them.
//!
//! # Format
//! The subscription `cairn_subscribeUnsafeBlocks` gives objects
//! `{"block": RLP of the block, "signature": r ‖ s ‖ v}` (hex, v = 27 or 28). What is signed is
//!
//! ```text
//! keccak256(keccak256("cairn.feed.block.v1") ‖ chain id (32 bytes) ‖ block hash)
//! ```
//!
//! by the unsafe block signer that the `SystemConfig` names. The hash covers header and, through the
//! transactions root, body. A signature promises nothing but who said so: the block is executed and
//! checked like any other, and is unsafe until derivation gives it.

use alloy_primitives::{Address, B256, Bytes, Signature, U256, keccak256};
use alloy_rlp::Decodable;
use cairn_primitives::Block;
use serde::{Deserialize, Serialize};

/// Largest block that is decoded, in bytes of RLP.
pub const MAX_FEED_BLOCK_BYTES: usize = 64 << 20;

/// A block as the feed carries it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedBlock {
    /// RLP of the block.
    pub block: Bytes,
    /// `r ‖ s ‖ v`.
    pub signature: Bytes,
}

/// A message of the feed that is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// Longer than any block.
    #[error("a block of {0} bytes; at most {MAX_FEED_BLOCK_BYTES} are taken")]
    TooLong(usize),
    /// No RLP of a block, or something behind it.
    #[error("no block: {0}")]
    Block(String),
    /// No signature.
    #[error("no signature: {0}")]
    Signature(String),
    /// Signed by somebody else.
    #[error("block {block} is signed by {signer}, not by {expected}")]
    Signer {
        /// Hash of the block.
        block: B256,
        /// Who signed.
        signer: Address,
        /// Who should have.
        expected: Address,
    },
}

/// What is signed for a block.
pub fn feed_digest(chain_id: u64, block: B256) -> B256 {
    let mut signed = [0; 96];
    let (domain, rest) = signed.split_at_mut(32);
    let (chain, hash) = rest.split_at_mut(32);
    domain.copy_from_slice(keccak256("cairn.feed.block.v1").as_slice());
    chain.copy_from_slice(&U256::from(chain_id).to_be_bytes::<32>());
    hash.copy_from_slice(block.as_slice());
    keccak256(signed)
}

impl SignedBlock {
    /// Joins a block with its signature.
    pub fn new(block: &Block, signature: &Signature) -> Self {
        let block = alloy_rlp::encode(block).into();
        Self { block, signature: Bytes::copy_from_slice(&signature.as_bytes()) }
    }

    /// Checks the signature and gives the block with its hash.
    ///
    /// # Errors
    /// [`FeedError`]; nothing of the message may be used then.
    pub fn open(&self, chain_id: u64, expected: Address) -> Result<(B256, Block), FeedError> {
        if self.block.len() > MAX_FEED_BLOCK_BYTES {
            return Err(FeedError::TooLong(self.block.len()));
        }
        let mut rest = &self.block[..];
        let block = Block::decode(&mut rest).map_err(|e| FeedError::Block(e.to_string()))?;
        if !rest.is_empty() {
            return Err(FeedError::Block(format!("{} bytes behind it", rest.len())));
        }
        let hash = block.header.hash_slow();
        let bad = |e: &dyn std::fmt::Display| FeedError::Signature(e.to_string());
        let signature = Signature::from_raw(&self.signature).map_err(|e| bad(&e))?;
        let signer = signature
            .recover_address_from_prehash(&feed_digest(chain_id, hash))
            .map_err(|e| bad(&e))?;
        if signer != expected {
            return Err(FeedError::Signer { block: hash, signer, expected });
        }
        Ok((hash, block))
    }
}

#[cfg(test)]
mod tests {
    use alloy_signer::SignerSync;
    use alloy_signer_local::PrivateKeySigner;
    use proptest::prelude::*;

    use super::*;

    fn signed(signer: &PrivateKeySigner, chain_id: u64) -> SignedBlock {
        let block = Block::default();
        let digest = feed_digest(chain_id, block.header.hash_slow());
        SignedBlock::new(&block, &signer.sign_hash_sync(&digest).unwrap())
    }

    #[test]
    fn a_signed_block_opens_for_its_chain_and_signer_only() {
        let signer = PrivateKeySigner::random();
        let message = signed(&signer, 901);
        let (hash, block) = message.open(901, signer.address()).unwrap();
        assert_eq!(hash, block.header.hash_slow());
        assert!(matches!(message.open(902, signer.address()), Err(FeedError::Signer { .. })));
        let other = Address::repeat_byte(1);
        assert!(
            matches!(message.open(901, other), Err(FeedError::Signer { expected, .. }) if expected == other)
        );
    }

    #[test]
    fn what_is_no_block_or_no_signature_is_refused() {
        let signer = PrivateKeySigner::random();
        let good = signed(&signer, 901);
        let longer = [&good.block[..], &[0]].concat();
        let behind = SignedBlock { block: longer.into(), ..good.clone() };
        assert!(matches!(behind.open(901, signer.address()), Err(FeedError::Block(_))));
        let short = SignedBlock { signature: good.signature.slice(..64), ..good.clone() };
        assert!(matches!(short.open(901, signer.address()), Err(FeedError::Signature(_))));
        let huge = SignedBlock { block: vec![0; MAX_FEED_BLOCK_BYTES + 1].into(), ..good };
        assert!(matches!(huge.open(901, signer.address()), Err(FeedError::TooLong(_))));
    }

    proptest! {
        #[test]
        fn no_changed_byte_is_taken(at in 0_usize..600, change in 1_u8..) {
            let signer = PrivateKeySigner::random();
            let message = signed(&signer, 901);
            let mut bytes = message.block.to_vec();
            let at = at % bytes.len();
            bytes[at] ^= change;
            let changed = SignedBlock { block: bytes.into(), ..message };
            prop_assert!(changed.open(901, signer.address()).is_err());
        }
    }
}
