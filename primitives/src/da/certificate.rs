//! The certificate that enough slots hold a header's rows.
//!
//! ```text
//! header (90) │ signature (96: G1 x ‖ y) │ signers (⌈n/8⌉)
//! ```
//!
//! Bit `i` of the signers, least significant first within each byte, is operator `i`; bits from
//! `n` on are zero. [`check_certificate`] answers what `CertificateVerifier` on L1 answers.

use super::bls::{BlsError, PublicKey, Signature};
use super::header::RawHeader;
use super::{
    Domain, Epoch, HEADER_BYTES, Header, HeaderError, OperatorIndex, QuorumId, Snapshot, Timestamp,
};

const SIGNERS_AT: usize = HEADER_BYTES + Signature::BYTES;

/// What is the matter with a certificate; the first that holds in the order of the numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum CertificateStatus {
    /// Enough slots signed.
    Valid = 0,
    /// Length, or a bitmap of another length or with bits from `n` on.
    Malformed = 1,
    /// Version, layout, class, codec or expansion of another version.
    Unsupported = 2,
    /// Rows, columns or payload length of no matrix.
    ImpossibleShape = 3,
    /// A quorum that does not exist.
    UnknownQuorum = 4,
    /// No snapshot of that epoch, or no seed yet.
    UnknownEpoch = 5,
    /// Past its expiry, or past the time for which the operators' stakes stay.
    Expired = 6,
    /// Fewer than two thirds of the slots.
    TooFewSlots = 7,
    /// The signature is not a point of the group.
    SignatureNotAPoint = 8,
    /// The signers did not sign this.
    WrongSignature = 9,
}

impl From<HeaderError> for CertificateStatus {
    fn from(error: HeaderError) -> Self {
        match error {
            HeaderError::Length(_) => Self::Malformed,
            HeaderError::Unsupported { .. } => Self::Unsupported,
            HeaderError::Shape(_) => Self::ImpossibleShape,
            HeaderError::Quorum(_) => Self::UnknownQuorum,
        }
    }
}

/// A set of operators as a bitmap of `⌈n/8⌉` bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signers(Vec<u8>);

impl Signers {
    /// The bitmap of some of `operators` operators. Indices without operator are left out.
    pub fn new(operators: usize, signers: impl IntoIterator<Item = OperatorIndex>) -> Self {
        let mut bytes = vec![0; operators.div_ceil(8)];
        for OperatorIndex(index) in signers {
            if usize::from(index) < operators {
                bytes[usize::from(index / 8)] |= 1 << (index % 8);
            }
        }
        Self(bytes)
    }

    /// Reads a bitmap of `operators` operators. `None` for another length or bits beyond them.
    pub fn from_bytes(operators: usize, bytes: &[u8]) -> Option<Self> {
        if bytes.len() != operators.div_ceil(8) {
            return None;
        }
        let used = operators % 8;
        let beyond = bytes.last().is_some_and(|last| used != 0 && last >> used != 0);
        (!beyond).then(|| Self(bytes.to_vec()))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The operators in it, ascending.
    pub fn iter(&self) -> impl Iterator<Item = OperatorIndex> + '_ {
        self.0.iter().enumerate().flat_map(|(at, byte)| {
            (0..8)
                .filter(move |bit| byte >> bit & 1 == 1)
                .filter_map(move |bit| u16::try_from(at * 8 + bit).ok().map(OperatorIndex))
        })
    }
}

/// A header with the aggregate signature of some operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// What is certified.
    pub header: Header,
    /// Sum of the signers' signatures.
    pub signature: Signature,
    /// Who signed.
    pub signers: Signers,
}

impl Certificate {
    /// The bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = self.header.encode().to_vec();
        bytes.extend_from_slice(&self.signature.to_bytes());
        bytes.extend_from_slice(self.signers.as_bytes());
        bytes
    }

    /// Reads the certificate of a quorum with `operators` operators. Whether it is valid is
    /// [`check_certificate`]'s business.
    ///
    /// # Errors
    /// The status of what is malformed.
    pub fn decode(bytes: &[u8], operators: usize) -> Result<Self, CertificateStatus> {
        let parts = Parts::split(bytes).ok_or(CertificateStatus::Malformed)?;
        let signers = Signers::from_bytes(operators, parts.signers);
        let signers = signers.ok_or(CertificateStatus::Malformed)?;
        let header = Header::decode(parts.header)?;
        let signature = Signature::from_bytes(parts.signature).map_err(signature_status)?;
        Ok(Self { header, signature, signers })
    }

    /// Epoch and quorum of a certificate, by which its snapshot is looked up. `None` if it is too
    /// short.
    pub fn snapshot_of(bytes: &[u8]) -> Option<(Epoch, QuorumId)> {
        let raw = RawHeader::read(Parts::split(bytes)?.header);
        Some((raw.epoch, raw.quorum))
    }
}

struct Parts<'a> {
    header: &'a [u8; HEADER_BYTES],
    signature: &'a [u8],
    signers: &'a [u8],
}

impl<'a> Parts<'a> {
    fn split(bytes: &'a [u8]) -> Option<Self> {
        let (header, rest) = bytes.split_first_chunk()?;
        let (signature, signers) = rest.split_at_checked(SIGNERS_AT - HEADER_BYTES)?;
        Some(Self { header, signature, signers })
    }
}

/// Infinity is a point of the group, but nobody's signature.
const fn signature_status(error: BlsError) -> CertificateStatus {
    match error {
        BlsError::Identity => CertificateStatus::WrongSignature,
        _ => CertificateStatus::SignatureNotAPoint,
    }
}

/// Checks a certificate as the contract on L1 does at time `now`, against the snapshot that
/// [`Certificate::snapshot_of`] names, `None` where there is none or it has no seed yet.
pub fn check_certificate(
    bytes: &[u8],
    domain: &Domain,
    snapshot: Option<&Snapshot>,
    now: Timestamp,
) -> CertificateStatus {
    match checked(bytes, domain, snapshot, now) {
        Ok(()) => CertificateStatus::Valid,
        Err(status) => status,
    }
}

fn checked(
    bytes: &[u8],
    domain: &Domain,
    snapshot: Option<&Snapshot>,
    now: Timestamp,
) -> Result<(), CertificateStatus> {
    let parts = Parts::split(bytes).ok_or(CertificateStatus::Malformed)?;
    let raw = RawHeader::read(parts.header);
    let snapshot = snapshot.filter(|it| it.epoch() == raw.epoch && it.quorum() == raw.quorum);
    // The length of the bitmap is known by the snapshot alone; without one there is no verdict.
    let signers = snapshot.map(|it| Signers::from_bytes(it.operators().len(), parts.signers));
    if signers == Some(None) {
        return Err(CertificateStatus::Malformed);
    }
    let header = Header::decode(parts.header)?;
    let (Some(snapshot), Some(Some(signers))) = (snapshot, signers) else {
        return Err(CertificateStatus::UnknownEpoch);
    };
    if now > header.expiry || now > snapshot.certificates_end() {
        return Err(CertificateStatus::Expired);
    }
    let table = snapshot.slot_table(&header);
    let signed: u32 = signers.iter().map(|operator| u32::from(table.weight(operator))).sum();
    if signed < u32::from(table.threshold()) {
        return Err(CertificateStatus::TooFewSlots);
    }
    let signature = Signature::from_bytes(parts.signature).map_err(signature_status)?;
    let keys = signers.iter().filter_map(|operator| snapshot.operator(operator));
    let key = PublicKey::sum(keys.map(|operator| &operator.key));
    let key = key.ok_or(CertificateStatus::WrongSignature)?;
    if key.verify(domain.attestation(&header, snapshot.seed()), &signature) {
        Ok(())
    } else {
        Err(CertificateStatus::WrongSignature)
    }
}
