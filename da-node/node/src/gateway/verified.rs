//! Certificates that were found valid.
//!
//! A pairing and a sum of keys take milliseconds of a core, and who asks for a payload decides how often. So
//! certificates are verified on threads that may block, no more at a time than there are cores, and what was
//! found valid is remembered: whether it is expired changes, and so may the seed, nothing else.

use std::num::NonZeroUsize;

use alloy_primitives::{B256, Bytes, keccak256};
use cairn_da_client::ClientError;
use cairn_primitives::da::{
    Certificate, CertificateStatus, Domain, Header, Snapshot, Timestamp, check_certificate,
};
use lru::LruCache;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

/// Certificates remembered.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(65_536).expect("not zero");

/// Verifies certificates and remembers the valid ones.
#[derive(Debug)]
pub(super) struct Verified {
    /// By the hash of a certificate: its header, and the seed under which it is valid.
    known: Mutex<LruCache<B256, (Header, B256)>>,
    turns: Semaphore,
}

impl Verified {
    pub(super) fn new(at_a_time: usize) -> Self {
        Self { known: Mutex::new(LruCache::new(REMEMBERED)), turns: Semaphore::new(at_a_time) }
    }

    /// The header of a certificate that is valid now.
    ///
    /// # Errors
    /// [`ClientError::Certificate`] with the status of one that is not.
    pub(super) async fn header(
        &self,
        certificate: &Bytes,
        domain: Domain,
        snapshot: &Snapshot,
        now: Timestamp,
    ) -> Result<Header, ClientError> {
        let hash = keccak256(certificate);
        let seed = snapshot.seed();
        let known = self.known.lock().get(&hash).copied();
        if let Some((header, _)) = known.filter(|(_, valid_under)| *valid_under == seed) {
            let expired = now > header.expiry || now > snapshot.certificates_end();
            let status = CertificateStatus::Expired;
            return if expired { Err(ClientError::Certificate(status)) } else { Ok(header) };
        }
        // The semaphore is never closed.
        let _turn = self.turns.acquire().await.map_err(|_| ClientError::Stopped)?;
        let (certificate, snapshot) = (certificate.clone(), snapshot.clone());
        let verifying =
            tokio::task::spawn_blocking(move || verify(&certificate, &domain, &snapshot, now));
        let header = verifying.await.map_err(|_| ClientError::Stopped)?;
        let header = header.map_err(ClientError::Certificate)?;
        self.known.lock().put(hash, (header, seed));
        Ok(header)
    }
}

fn verify(
    certificate: &[u8],
    domain: &Domain,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Result<Header, CertificateStatus> {
    metrics::counter!("da_certificates_verified_total").increment(1);
    match check_certificate(certificate, domain, Some(snapshot), now) {
        CertificateStatus::Valid => {}
        status => return Err(status),
    }
    Ok(Certificate::decode(certificate, snapshot.operators().len())?.header)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use alloy_primitives::Address;
    use cairn_primitives::da::bls::{SecretKey, Signature};
    use cairn_primitives::da::{
        Epoch, Operator, OperatorIndex, PayloadLength, QuorumId, Reservation, Shape, Signers, Stake,
    };
    use tokio::time::timeout;

    use super::*;

    const DOMAIN: Domain = Domain { chain_id: 1, registry: Address::ZERO };
    const OPERATORS: u8 = 4;

    fn secret(number: u8) -> SecretKey {
        SecretKey::derive(&[number + 1; 32]).unwrap()
    }

    fn snapshot(seed: u8) -> Snapshot {
        let operator = |number: u8| Operator {
            address: Address::with_last_byte(number + 1),
            stake: Stake(1),
            key: secret(number).public_key(),
        };
        let operators = (0..OPERATORS).map(operator).collect();
        let (seed, end) = (B256::repeat_byte(seed), Timestamp(2000));
        Snapshot::new(Epoch(1), QuorumId(0), seed, end, operators).unwrap()
    }

    fn certificate(expiry: u64) -> Bytes {
        let header = Header {
            shape: Shape::new(1, 1).unwrap(),
            payload_length: PayloadLength(31),
            hashes_root: B256::ZERO,
            payer: Address::ZERO,
            reservation: Reservation(1),
            epoch: Epoch(1),
            quorum: QuorumId(0),
            expiry: Timestamp(expiry),
        };
        let digest = DOMAIN.attestation(&header, snapshot(1).seed());
        let signatures: Vec<_> = (0..OPERATORS).map(|number| secret(number).sign(digest)).collect();
        let signature = Signature::sum(&signatures).unwrap();
        let everyone = (0..u16::from(OPERATORS)).map(OperatorIndex);
        let signers = Signers::new(OPERATORS.into(), everyone);
        Certificate { header, signature, signers }.encode().into()
    }

    async fn status(verified: &Verified, bytes: &Bytes, seed: u8, now: u64) -> CertificateStatus {
        match verified.header(bytes, DOMAIN, &snapshot(seed), Timestamp(now)).await {
            Ok(header) => {
                assert_eq!(&header.encode()[..], &bytes[..90]);
                CertificateStatus::Valid
            }
            Err(ClientError::Certificate(status)) => status,
            Err(other) => panic!("{other}"),
        }
    }

    #[tokio::test]
    async fn a_valid_certificate_is_verified_once() {
        let verified = Verified::new(1);
        let (bytes, other) = (certificate(1000), certificate(1001));
        assert_eq!(status(&verified, &bytes, 1, 500).await, CertificateStatus::Valid);
        let turn = verified.turns.acquire().await.unwrap();
        assert_eq!(status(&verified, &bytes, 1, 600).await, CertificateStatus::Valid);
        let wait = Duration::from_millis(200);
        assert!(timeout(wait, status(&verified, &other, 1, 600)).await.is_err(), "out of turn");
        drop(turn);
        assert_eq!(status(&verified, &other, 1, 600).await, CertificateStatus::Valid);
    }

    #[tokio::test]
    async fn what_was_valid_expires_and_goes_with_its_seed() {
        let verified = Verified::new(1);
        let (short, long) = (certificate(1000), certificate(3000));
        for bytes in [&short, &long] {
            assert_eq!(status(&verified, bytes, 1, 500).await, CertificateStatus::Valid);
        }
        assert_eq!(status(&verified, &short, 1, 1000).await, CertificateStatus::Valid);
        assert_eq!(status(&verified, &short, 1, 1001).await, CertificateStatus::Expired);
        assert_eq!(status(&verified, &long, 1, 2000).await, CertificateStatus::Valid);
        assert_eq!(status(&verified, &long, 1, 2001).await, CertificateStatus::Expired);
        assert_eq!(status(&verified, &long, 2, 500).await, CertificateStatus::WrongSignature);
    }

    #[tokio::test]
    async fn what_is_not_valid_is_not_remembered() {
        let verified = Verified::new(1);
        let mut bytes = certificate(1000).to_vec();
        bytes[20] ^= 1;
        let bytes = Bytes::from(bytes);
        assert_eq!(status(&verified, &bytes, 1, 500).await, CertificateStatus::WrongSignature);
        assert!(verified.known.lock().is_empty());
    }
}
