//! Keys and values of the `meta` column family.
//!
//! | key | value |
//! |---|---|
//! | `schema` | version, 4 bytes |
//! | `chain` | config hash, then the chain's name in UTF-8 |
//! | `genesis` | `B ‖ hash`; absent until genesis is complete |
//! | `tip` | `B ‖ hash` of the last committed block |
//! | `head/unsafe`, `head/safe`, `head/finalized` | `B ‖ hash` |
//! | `floor/state`, `floor/block` | first block whose state, or whose body, can still be read |

use alloy_eips::BlockNumHash;
use alloy_primitives::B256;

use crate::error::{Result, StateError};

pub(crate) const SCHEMA: &[u8] = b"schema";
pub(crate) const CHAIN: &[u8] = b"chain";
pub(crate) const GENESIS: &[u8] = b"genesis";
pub(crate) const TIP: &[u8] = b"tip";
pub(crate) const UNSAFE: &[u8] = b"head/unsafe";
pub(crate) const SAFE: &[u8] = b"head/safe";
pub(crate) const FINALIZED: &[u8] = b"head/finalized";
pub(crate) const STATE_FLOOR: &[u8] = b"floor/state";
pub(crate) const BLOCK_FLOOR: &[u8] = b"floor/block";

pub(crate) fn encode_block(block: BlockNumHash) -> [u8; 40] {
    let mut out = [0; 40];
    out[..8].copy_from_slice(&block.number.to_be_bytes());
    out[8..].copy_from_slice(block.hash.as_slice());
    out
}

pub(crate) fn decode_block(bytes: &[u8]) -> Result<BlockNumHash> {
    let parse = || {
        let (number, hash) = bytes.split_first_chunk::<8>()?;
        let hash = B256::new(hash.try_into().ok()?);
        Some(BlockNumHash { number: u64::from_be_bytes(*number), hash })
    };
    parse().ok_or_else(|| StateError::corrupt("a block reference in meta"))
}

pub(crate) fn decode_number(bytes: &[u8]) -> Result<u64> {
    bytes
        .try_into()
        .map(u64::from_be_bytes)
        .map_err(|_| StateError::corrupt("a block number that is not 8 bytes"))
}
