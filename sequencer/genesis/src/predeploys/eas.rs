//! The Ethereum Attestation Service, whose constructor computes immutables.

use alloy_primitives::{B256, Bytes, U256, keccak256};

use super::{EAS, word};
use crate::artifact::artifact;

/// Code as the constructor of `EAS` would leave it, had it run at the proxy's address: the EIP-712
/// domain is then the cached one.
pub(super) fn code(chain_id: u64) -> Bytes {
    let domain_type = keccak256(
        "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)",
    );
    let (name, version) = (keccak256("EAS"), keccak256("1.3.0"));
    let separator = keccak256(
        [domain_type, name, version, word(chain_id), EAS.into_word()].map(|word| word.0).concat(),
    );
    artifact!("predeploys/EAS")
        .with("_CACHED_DOMAIN_SEPARATOR", separator)
        .with("_CACHED_CHAIN_ID", word(chain_id))
        .with("_CACHED_THIS", EAS.into_word())
        .with("_HASHED_NAME", name)
        .with("_HASHED_VERSION", version)
        .with("_TYPE_HASH", domain_type)
        .with("_name", short_string("EAS"))
        .code()
}

/// A string of at most 32 bytes, left-aligned.
fn short_string(text: &str) -> B256 {
    let value = U256::try_from_be_slice(text.as_bytes()).expect("at most 32 bytes");
    B256::from(value << (256 - 8 * text.len()))
}
