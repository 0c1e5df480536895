//! Transactions to the batch inbox.
//!
//! ```text
//! blob transaction                     frames in its blobs, calldata not read
//! 0x00 ‖ frames                        frames in the calldata
//! 0x01 ‖ 0x01 ‖ certificate            frames on the DA network (OP alt-DA, generic commitment)
//! ```
//!
//! Anything else is no batch (OP specification: Batcher transaction format). The inbox contract
//! refuses it too, and what it refused is not looked at.

use alloy_primitives::{Address, B256, Bytes};

/// Version byte of calldata, blobs and DA payloads that hold frames.
const FRAMES: u8 = 0;
/// Version byte of a commitment to data elsewhere.
const COMMITMENT: u8 = 1;
/// Type byte of a commitment that only its own network understands.
const GENERIC_COMMITMENT: u8 = 1;

/// A successful transaction to the inbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboxTransaction {
    /// Position in the block.
    pub index: u64,
    /// Transaction hash.
    pub hash: B256,
    /// Who sent it. Only the batcher's transactions count.
    pub sender: Address,
    /// Where its frames are.
    pub carrier: Carrier,
}

/// Where the frames of a batcher transaction are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carrier {
    /// In this calldata, version byte included.
    Calldata(Bytes),
    /// In the transaction's blobs.
    Blobs(Vec<BlobId>),
    /// On the DA network, under this certificate.
    Certificate(Bytes),
}

/// One blob of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlobId {
    /// Position among all blobs of the block.
    pub index: u64,
    /// Versioned hash (EIP-4844).
    pub versioned_hash: B256,
}

impl Carrier {
    /// What calldata carries; `None` if it is no batch.
    pub fn from_calldata(input: &Bytes) -> Option<Self> {
        match input.first_chunk::<2>() {
            Some([COMMITMENT, GENERIC_COMMITMENT]) => Some(Self::Certificate(input.slice(2..))),
            _ => (input.first() == Some(&FRAMES)).then(|| Self::Calldata(input.clone())),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::bytes;

    use super::*;

    #[test]
    fn first_bytes_tell_the_carrier() {
        let calldata = bytes!("00aabb");
        assert_eq!(Carrier::from_calldata(&calldata), Some(Carrier::Calldata(calldata.clone())));
        let certificate = Carrier::from_calldata(&bytes!("0101aabb"));
        assert_eq!(certificate, Some(Carrier::Certificate(bytes!("aabb"))));
        for other in [bytes!(""), bytes!("01"), bytes!("0100aa"), bytes!("02aa")] {
            assert_eq!(Carrier::from_calldata(&other), None, "{other}");
        }
    }
}
