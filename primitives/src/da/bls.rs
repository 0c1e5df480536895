//! BLS12-381 signatures of operators: signatures in G1, keys in G2.
//!
//! Suites of RFC 9380 and draft-irtf-cfrg-bls-signature: attestations under
//! `BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_`, possession under
//! `BLS_POP_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_`. The tags differ, so neither passes for the other;
//! with possession proven at registration keys may be summed without more.
//!
//! Bytes are those of EIP-2537 without padding: a G1 point is `x ‖ y` (96), a G2 point is
//! `x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1` (192), each coordinate 48 bytes and below the modulus. A value of
//! [`PublicKey`] or [`Signature`] is always in the group and never the identity.

use alloy_primitives::B256;
use blst::BLST_ERROR;
use blst::min_sig;

const ATTESTATION_SUITE: &[u8] = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";
const POSSESSION_SUITE: &[u8] = b"BLS_POP_BLS12381G1_XMD:SHA-256_SSWU_RO_POP_";
const COORDINATE: usize = 48;
/// Flags of the compressed form. A coordinate has them clear: the modulus has 381 bits.
const FLAG_BITS: u8 = 0xe0;

/// Bytes that are no key, signature or point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BlsError {
    /// Not the length of the format.
    #[error("{0} bytes do not make a key or signature")]
    Length(usize),
    /// A coordinate is not below the modulus, or the point is off the curve.
    #[error("not a point of the curve")]
    NotOnCurve,
    /// A point of the curve outside the subgroup of prime order.
    #[error("the point is outside the subgroup")]
    NotInSubgroup,
    /// The identity, which every message verifies under.
    #[error("the point at infinity")]
    Identity,
    /// A secret key that is zero or not below the order, or key material under 32 bytes.
    #[error("not a secret key")]
    SecretKey,
}

/// An operator's secret key. Not printed, wiped when dropped.
pub struct SecretKey(min_sig::SecretKey);

/// An operator's public key, or a sum of such: a point of G2.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(min_sig::PublicKey);

/// A signature, or a sum of such: a point of G1.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(min_sig::Signature);

/// A signature under the possession suite. A type of its own, so that neither stands for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PossessionProof(Signature);

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretKey(..)")
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "PublicKey({})", alloy_primitives::hex::encode(self.0.compress()))
    }
}

impl std::fmt::Debug for Signature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Signature({})", alloy_primitives::hex::encode(self.0.compress()))
    }
}

impl SecretKey {
    /// Bytes of a secret key, big-endian.
    pub const BYTES: usize = 32;

    /// Derives a key from at least 32 bytes of entropy (KeyGen of the BLS draft).
    ///
    /// # Errors
    /// [`BlsError::SecretKey`] for less entropy.
    pub fn derive(entropy: &[u8]) -> Result<Self, BlsError> {
        min_sig::SecretKey::key_gen(entropy, &[]).map(Self).map_err(|_| BlsError::SecretKey)
    }

    /// Reads a key.
    ///
    /// # Errors
    /// [`BlsError::SecretKey`] unless it is 32 bytes, above zero and below the order.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BlsError> {
        min_sig::SecretKey::from_bytes(bytes).map(Self).map_err(|_| BlsError::SecretKey)
    }

    /// The secret itself, for a keystore.
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        self.0.to_bytes()
    }

    /// The key that verifies.
    pub fn public_key(&self) -> PublicKey {
        PublicKey(self.0.sk_to_pk())
    }

    /// Signs an attestation digest.
    pub fn sign(&self, digest: B256) -> Signature {
        Signature(self.0.sign(digest.as_slice(), ATTESTATION_SUITE, &[]))
    }

    /// Signs a possession digest.
    pub fn prove_possession(&self, digest: B256) -> PossessionProof {
        PossessionProof(Signature(self.0.sign(digest.as_slice(), POSSESSION_SUITE, &[])))
    }
}

impl PublicKey {
    /// Bytes of a key.
    pub const BYTES: usize = 4 * COORDINATE;

    /// Reads a key and checks curve, subgroup and that it is not the identity.
    ///
    /// # Errors
    /// [`BlsError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BlsError> {
        let swapped = swap_halves(bytes)?;
        check_plain(&swapped)?;
        let key = min_sig::PublicKey::deserialize(&swapped).map_err(point_error)?;
        key.validate().map_err(point_error)?;
        Ok(Self(key))
    }

    /// `x.c0 ‖ x.c1 ‖ y.c0 ‖ y.c1`.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        // blst writes the other order, that of Zcash.
        swap_halves(&self.0.serialize()).unwrap_or([0; Self::BYTES])
    }

    /// The compressed form (96 bytes), by which people name a key.
    pub fn compress(self) -> [u8; Self::BYTES / 2] {
        self.0.compress()
    }

    /// The sum of keys. `None` for none, or when they cancel out.
    pub fn sum<'a>(keys: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut keys = keys.into_iter();
        let mut sum = min_sig::AggregatePublicKey::from_public_key(&keys.next()?.0);
        for key in keys {
            // Without group check: keys are checked when they are made.
            sum.add_public_key(&key.0, false).ok()?;
        }
        let sum = sum.to_public_key();
        sum.validate().is_ok().then_some(Self(sum))
    }

    /// Whether this key, or these keys together, signed an attestation digest.
    pub fn verify(&self, digest: B256, signature: &Signature) -> bool {
        self.verify_under(ATTESTATION_SUITE, digest, signature)
    }

    /// Whether the holder of this key signed a possession digest.
    pub fn verify_possession(&self, digest: B256, proof: &PossessionProof) -> bool {
        self.verify_under(POSSESSION_SUITE, digest, &proof.0)
    }

    fn verify_under(&self, suite: &[u8], digest: B256, signature: &Signature) -> bool {
        let result = signature.0.verify(false, digest.as_slice(), suite, &[], &self.0, false);
        result == BLST_ERROR::BLST_SUCCESS
    }
}

impl Signature {
    /// Bytes of a signature.
    pub const BYTES: usize = 2 * COORDINATE;

    /// Reads a signature and checks curve, subgroup and that it is not the identity.
    ///
    /// # Errors
    /// [`BlsError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BlsError> {
        if bytes.len() != Self::BYTES {
            return Err(BlsError::Length(bytes.len()));
        }
        check_plain(bytes)?;
        let signature = min_sig::Signature::deserialize(bytes).map_err(point_error)?;
        signature.validate(true).map_err(point_error)?;
        Ok(Self(signature))
    }

    /// `x ‖ y`.
    pub fn to_bytes(self) -> [u8; Self::BYTES] {
        self.0.serialize()
    }

    /// The sum of signatures. `None` for none, or when they cancel out.
    pub fn sum<'a>(signatures: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut signatures = signatures.into_iter();
        let mut sum = min_sig::AggregateSignature::from_signature(&signatures.next()?.0);
        for signature in signatures {
            // Without group check: signatures are checked when they are made.
            sum.add_signature(&signature.0, false).ok()?;
        }
        let sum = sum.to_signature();
        sum.validate(true).is_ok().then_some(Self(sum))
    }
}

impl PossessionProof {
    /// Reads a proof, with the checks of a signature.
    ///
    /// # Errors
    /// [`BlsError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, BlsError> {
        Signature::from_bytes(bytes).map(Self)
    }

    /// `x ‖ y`.
    pub fn to_bytes(self) -> [u8; Signature::BYTES] {
        self.0.to_bytes()
    }
}

/// Exchanges `c0` and `c1` of both coordinates of a G2 point.
fn swap_halves(bytes: &[u8]) -> Result<[u8; PublicKey::BYTES], BlsError> {
    let bytes: &[u8; PublicKey::BYTES] =
        bytes.try_into().map_err(|_| BlsError::Length(bytes.len()))?;
    // The partner of coordinate k is its neighbour k xor 1.
    Ok(std::array::from_fn(|i| bytes[((i / COORDINATE) ^ 1) * COORDINATE + i % COORDINATE]))
}

/// Refuses what blst reads as a compressed point or as its form of infinity, and names the
/// identity, which EIP-2537 writes as zeros.
fn check_plain(bytes: &[u8]) -> Result<(), BlsError> {
    if bytes.iter().all(|byte| *byte == 0) {
        return Err(BlsError::Identity);
    }
    if bytes.first().is_none_or(|first| first & FLAG_BITS != 0) {
        return Err(BlsError::NotOnCurve);
    }
    Ok(())
}

const fn point_error(error: BLST_ERROR) -> BlsError {
    match error {
        BLST_ERROR::BLST_POINT_NOT_IN_GROUP => BlsError::NotInSubgroup,
        BLST_ERROR::BLST_PK_IS_INFINITY => BlsError::Identity,
        _ => BlsError::NotOnCurve,
    }
}
