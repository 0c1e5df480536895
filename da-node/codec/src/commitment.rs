//! Commitments of rows and their versioned hashes.

use std::fmt;

use alloy_primitives::{B256, hex};
use sha2::{Digest, Sha256};

/// Bytes of a commitment or proof.
pub const COMMITMENT_BYTES: usize = 48;
/// First byte of a versioned hash of a KZG commitment (EIP-4844).
const VERSIONED_HASH_VERSION_KZG: u8 = 1;

/// A KZG commitment: a compressed point of G1, not yet checked to be one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Commitment(pub [u8; COMMITMENT_BYTES]);

impl Commitment {
    /// The commitment of a row of zeros: the point at infinity.
    pub const INFINITY: Self = {
        let mut bytes = [0; COMMITMENT_BYTES];
        bytes[0] = 0xc0;
        Self(bytes)
    };

    /// The versioned hash of EIP-4844: what a blob transaction and the header's list name a row by.
    #[must_use]
    pub fn versioned_hash(&self) -> B256 {
        let mut hash: [u8; 32] = Sha256::digest(self.0).into();
        hash[0] = VERSIONED_HASH_VERSION_KZG;
        B256::from(hash)
    }
}

impl fmt::Debug for Commitment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Commitment({})", hex::encode_prefixed(self.0))
    }
}
