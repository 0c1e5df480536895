//! What became of what was submitted.

use std::num::NonZeroUsize;
use std::path::Path;

use alloy_primitives::{B256, Bytes};
use cairn_primitives::da::Domain;
use lru::LruCache;
use serde::{Deserialize, Serialize};

use super::records::{Records, Remembered};
use crate::store::StoreError;

/// Submissions and certificates remembered; the oldest are forgotten first.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(65_536).expect("not zero");

/// A range of the payload of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlobRef {
    /// The header.
    pub header_hash: B256,
    /// First byte.
    pub offset: u32,
    /// Bytes.
    pub length: u32,
}

/// Where a submission stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "state")]
pub enum SubmissionState {
    /// Waiting for others, or for signatures.
    Pending,
    /// The network holds it.
    Certified {
        /// Where it is.
        blob: BlobRef,
    },
    /// The network does not hold it.
    Failed {
        /// Why.
        reason: String,
    },
}

/// The memory of the gateway, with records on disk behind it where there is a directory for them.
#[derive(Debug)]
pub(super) struct Submissions {
    states: LruCache<B256, SubmissionState>,
    certificates: LruCache<B256, Bytes>,
    records: Option<Records>,
}

impl Submissions {
    /// A memory that ends with the gateway.
    pub(super) fn new() -> Self {
        Self::remembering(REMEMBERED, None, Remembered::default())
    }

    /// A memory that begins with what an earlier gateway left in a directory.
    ///
    /// # Errors
    /// [`StoreError`].
    pub(super) fn open(path: &Path, domain: &Domain) -> Result<Self, StoreError> {
        let (records, remembered) = Records::open(path, domain)?;
        Ok(Self::remembering(REMEMBERED, Some(records), remembered))
    }

    fn remembering(most: NonZeroUsize, records: Option<Records>, old: Remembered) -> Self {
        let mut this =
            Self { states: LruCache::new(most), certificates: LruCache::new(most), records: None };
        old.submissions.into_iter().for_each(|(id, state)| this.set(id, state));
        old.certificates.into_iter().for_each(|(hash, bytes)| this.certify(hash, bytes));
        Self { records, ..this }
    }

    pub(super) fn set(&mut self, submission: B256, state: SubmissionState) {
        let evicted = self.states.push(submission, state.clone());
        let evicted = evicted.map(|(key, _)| key).filter(|key| *key != submission);
        let put = |records: &Records| records.put_submission(submission, &state, evicted);
        report(self.records.as_ref().map(put));
    }

    /// Does not count as use: who asks all the time would keep the oldest.
    pub(super) fn state(&self, submission: B256) -> Option<SubmissionState> {
        self.states.peek(&submission).cloned()
    }

    pub(super) fn certify(&mut self, header_hash: B256, certificate: Bytes) {
        let evicted = self.certificates.push(header_hash, certificate.clone());
        let evicted = evicted.map(|(key, _)| key).filter(|key| *key != header_hash);
        let put = |records: &Records| records.put_certificate(header_hash, &certificate, evicted);
        report(self.records.as_ref().map(put));
    }

    /// The certificate of a header, or of the header that a submission is in.
    pub(super) fn certificate(&self, hash: B256) -> Option<Bytes> {
        let header = match self.states.peek(&hash) {
            Some(SubmissionState::Certified { blob }) => blob.header_hash,
            Some(_) => return None,
            None => hash,
        };
        self.certificates.peek(&header).cloned()
    }
}

/// The network holds a payload whether its record is written or not, so that is no reason to fail.
fn report(written: Option<Result<(), StoreError>>) {
    if let Some(Err(error)) = written {
        metrics::counter!("da_gateway_records_failed_total").increment(1);
        tracing::warn!(target: "da::gateway", %error, "not recorded");
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;

    use super::*;

    const DOMAIN: Domain = Domain { chain_id: 1, registry: Address::ZERO };

    fn id(number: u8) -> B256 {
        B256::repeat_byte(number)
    }

    fn certified(number: u8) -> SubmissionState {
        let blob = BlobRef { header_hash: id(number), offset: 3, length: 4 };
        SubmissionState::Certified { blob }
    }

    #[test]
    fn a_gateway_that_ends_leaves_its_answers_to_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let mut submissions = Submissions::open(dir.path(), &DOMAIN).unwrap();
        let failed = SubmissionState::Failed { reason: "too few slots".into() };
        for (number, state) in [(1, certified(7)), (2, failed.clone())] {
            submissions.set(id(number), SubmissionState::Pending);
            submissions.set(id(number), state);
        }
        submissions.set(id(3), SubmissionState::Pending);
        submissions.certify(id(7), vec![9; 186].into());
        drop(submissions);
        let again = Submissions::open(dir.path(), &DOMAIN).unwrap();
        assert_eq!(again.state(id(1)), Some(certified(7)));
        assert_eq!(again.state(id(2)), Some(failed));
        let ended = again.state(id(3)).unwrap();
        assert!(matches!(&ended, SubmissionState::Failed { reason } if reason.contains("ended")));
        assert_eq!(again.state(id(4)), None);
        assert_eq!(again.certificate(id(1)), Some(vec![9; 186].into()));
        assert_eq!(again.certificate(id(7)), Some(vec![9; 186].into()));
    }

    #[test]
    fn the_oldest_are_forgotten_on_disk_too_and_after_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let most = NonZeroUsize::new(3).unwrap();
        let open = || {
            let (records, old) = Records::open(dir.path(), &DOMAIN).unwrap();
            Submissions::remembering(most, Some(records), old)
        };
        let known = |submissions: &Submissions| -> Vec<u8> {
            (0..9).filter(|number| submissions.state(id(*number)).is_some()).collect()
        };
        let mut submissions = open();
        for number in [5, 4, 3, 2] {
            submissions.set(id(number), certified(number));
            submissions.certify(id(number), vec![number].into());
        }
        assert_eq!(known(&submissions), [2, 3, 4]);
        drop(submissions);
        let mut submissions = open();
        assert_eq!(known(&submissions), [2, 3, 4]);
        // The order of ages is what it was: 4 is older than 3 and 2.
        submissions.set(id(1), certified(1));
        assert_eq!(known(&submissions), [1, 2, 3]);
        drop(submissions);
        assert_eq!(known(&open()), [1, 2, 3]);
        assert_eq!(open().certificate(id(5)), None);
    }

    #[test]
    fn records_of_another_registry_or_of_nobody_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let first = Submissions::open(dir.path(), &DOMAIN).unwrap();
        let locked = Submissions::open(dir.path(), &DOMAIN).unwrap_err();
        assert!(matches!(locked, StoreError::Locked { .. }), "{locked}");
        drop(first);
        let other = Domain { chain_id: 2, ..DOMAIN };
        let error = Submissions::open(dir.path(), &other).unwrap_err();
        assert!(matches!(error, StoreError::WrongIdentity { .. }), "{error}");
        let file = dir.path().join("file");
        std::fs::write(&file, "").unwrap();
        let error = Submissions::open(&file, &DOMAIN).unwrap_err();
        assert!(matches!(error, StoreError::Database(_)), "{error}");
    }
}
