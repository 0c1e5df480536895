//! The senders of many signatures at once.

#[cfg(any(target_arch = "x86_64", test))]
mod in_lanes;
#[cfg(any(target_arch = "x86_64", test))]
mod lanes;
mod one_by_one;
#[cfg(any(target_arch = "x86_64", test))]
mod scalars;
#[cfg(test)]
mod tests;

pub use alloy_consensus::crypto::RecoveryError;
use alloy_primitives::{Address, B256, Signature};

/// What was signed, and the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed {
    /// The hash that was signed.
    pub digest: B256,
    /// The signature.
    pub signature: Signature,
}

/// A way to recover senders.
#[derive(Debug, Clone, Copy)]
pub struct Engine(Kind);

#[derive(Debug, Clone, Copy)]
enum Kind {
    OneByOne,
    #[cfg(target_arch = "x86_64")]
    Lanes(lanes::Ifma),
}

impl Engine {
    /// libsecp256k1, one signature after the other.
    pub const ONE_BY_ONE: Self = Self(Kind::OneByOne);

    /// The fastest way that this processor has.
    pub fn detect() -> Self {
        Self::lanes().unwrap_or(Self::ONE_BY_ONE)
    }

    /// Eight at a time, if this processor has the instructions.
    pub fn lanes() -> Option<Self> {
        #[cfg(target_arch = "x86_64")]
        return lanes::Ifma::detect().map(|lanes| Self(Kind::Lanes(lanes)));
        #[cfg(not(target_arch = "x86_64"))]
        None
    }

    /// The sender of each signature, in their order; the same as
    /// [`recover_signer`](alloy_consensus::crypto::secp256k1::recover_signer) gives for it.
    ///
    /// # Errors
    /// For a signature: `r` or `s` is zero or not below the group order, `s` is above half of it (EIP-2), `r` is
    /// not the coordinate of a point, or the public key is infinity.
    pub fn recover_all(self, signatures: &[Signed]) -> Vec<Result<Address, RecoveryError>> {
        match self.0 {
            Kind::OneByOne => signatures.iter().map(one_by_one::recover).collect(),
            #[cfg(target_arch = "x86_64")]
            Kind::Lanes(lanes) => in_lanes::recover_all(|groups| lanes.recover(groups), signatures),
        }
    }
}

/// [`Engine::recover_all`] by the [fastest way](Engine::detect).
///
/// # Errors
/// See there.
pub fn recover_all(signatures: &[Signed]) -> Vec<Result<Address, RecoveryError>> {
    Engine::detect().recover_all(signatures)
}
