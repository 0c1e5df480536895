//! The senders of many signatures at once.
//!
//! A transaction names its sender by an ECDSA signature over secp256k1, and finding the sender is what a node
//! spends most time on before it executes anything. Signatures come in numbers, and a recovery takes the
//! same steps for all of them. So eight share the registers of AVX-512, one in each 64-bit lane, multiplied by
//! its 52-bit multipliers (IFMA). Processors without them recover one by one, as does a signature that is alone.
//!
//! # Algorithm
//! The public key of `(r, s)` over the digest `z` is `u1·G + u2·R`, `u1 = -z/r`, `u2 = s/r`, where `R` is the point
//! with `x = r` and the parity of `y` that the signature gives (SEC 1, section 4.1.6). For a group of eight:
//! 1. `scalars`: one inversion modulo the group order for all signatures of a batch; `u2 = k1 + k2·λ` with
//!    halves of 128 bits (Gallant, Lambert and Vanstone, 2001), `u1` cut into halves; all in digits with a sign.
//! 2. `y` of `R` is `(x³ + 7)^((p + 1)/4)`; lanes where that is no root have no point.
//! 3. `lanes::multiples`: the multiples 1 to 16 of `R`, not divided by their `z` but scaled to a common
//!    one: on the isomorphic curve so scaled they are affine ("effective affine" in libsecp256k1).
//! 4. 125 doublings shared by `R`, `λR = (βx, y)`, `G` and `2^128·G`; 26 digits of five bits for each of the first
//!    two, 13 of ten bits for the others, whose multiples are in a fixed table of 64 KiB. A digit of zero and a
//!    sum still at infinity are lanes of a mask.
//! 5. One inversion modulo `p` for all groups of a batch; `x` and `y` below `p`; Keccak-256.
//!
//! Everything is public, so nothing has to take constant time.
//!
//! # Why lanes may decide
//! An address that differs from that of other nodes splits the chain. Lanes only ever give an address, and
//! only if the numbers are in range, `R` is on the curve and no addition was exceptional; every other
//! signature goes to libsecp256k1, which recovers or refuses it as it does for everyone. Additions of equal or
//! opposite points have no valid formula; they leave `z = 0` and nothing that follows leaves that, so one look at
//! the last `z` finds them all. Such signatures can be made on purpose. They cost what they cost without
//! lanes, and what a place in a lane costs.
//!
//! The lanes are written once for any vector of eight words. The tests run them in registers and in plain
//! words that panic when a limb would wrap.
//!
//! # Cost
//! 6.8 µs for each signature in batches of 64 and more, 9.0 in a group of eight, 34 in one of two, where
//! libsecp256k1 takes 40 to 42 for each (one core of an AMD EPYC with AVX-512 IFMA). About 2,270 multiplications and
//! squarings modulo `p` make up a group of a batch, and their 52-bit products bound it. A signature alone is left to libsecp256k1.
//!
//! `cargo run --release -p cairn-recovery --example recovery_costs` measures it here; with a number it compares so
//! many million random signatures.

#[cfg(any(target_arch = "x86_64", test))]
mod in_lanes;
#[cfg(any(target_arch = "x86_64", test))]
mod lanes;
mod one_by_one;
#[cfg(any(target_arch = "x86_64", test))]
mod scalars;
#[cfg(test)]
mod tests;

use std::fmt;

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

/// A way to recover senders. [`Display`](fmt::Display) names it.
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

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::OneByOne => "libsecp256k1",
            #[cfg(target_arch = "x86_64")]
            Kind::Lanes(_) => "eight lanes of AVX-512 IFMA",
        })
    }
}

/// [`Engine::recover_all`] by the [fastest way](Engine::detect).
///
/// # Errors
/// See there.
pub fn recover_all(signatures: &[Signed]) -> Vec<Result<Address, RecoveryError>> {
    Engine::detect().recover_all(signatures)
}
