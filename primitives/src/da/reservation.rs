//! The payer's signature under a header.
//!
//! EIP-191 `personal_sign` over the 32 bytes of the header hash, secp256k1, 65 bytes `r ‖ s ‖ v`
//! with `v` 27 or 28 and `s` in the lower half of the order.

use alloy_consensus::crypto::secp256k1::recover_signer;
use alloy_primitives::{Address, B256, Signature, eip191_hash_message};

use super::Header;

/// What the payer signs, ready for secp256k1.
pub fn reservation_digest(header: &Header) -> B256 {
    eip191_hash_message(header.hash())
}

/// 65 bytes, not yet checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayerSignature(pub [u8; Self::BYTES]);

/// The payer did not sign the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PayerSignatureError {
    /// `v` is not 27 or 28, `s` is in the upper half, or no key gives this signature.
    #[error("the payer's signature is malformed")]
    Malformed,
    /// A signature of someone else, or under another header.
    #[error("the header names payer {payer}, {signer} signed it")]
    WrongSigner {
        /// Payer in the header.
        payer: Address,
        /// Address that the signature recovers to.
        signer: Address,
    },
}

impl PayerSignature {
    /// Length on the wire.
    pub const BYTES: usize = 65;

    /// Checks that the payer of the header signed it.
    ///
    /// # Errors
    /// [`PayerSignatureError`].
    pub fn check(&self, header: &Header) -> Result<(), PayerSignatureError> {
        let odd = match self.0[Self::BYTES - 1] {
            27 => false,
            28 => true,
            _ => return Err(PayerSignatureError::Malformed),
        };
        let signature = Signature::from_bytes_and_parity(&self.0[..64], odd);
        let signer = recover_signer(&signature, reservation_digest(header))
            .map_err(|_| PayerSignatureError::Malformed)?;
        if signer == header.payer {
            Ok(())
        } else {
            Err(PayerSignatureError::WrongSigner { payer: header.payer, signer })
        }
    }
}

impl From<Signature> for PayerSignature {
    fn from(signature: Signature) -> Self {
        Self(signature.normalized_s().as_bytes())
    }
}
