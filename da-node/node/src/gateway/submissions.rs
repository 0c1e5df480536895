//! What became of what was submitted.

use std::num::NonZeroUsize;

use alloy_primitives::{B256, Bytes};
use lru::LruCache;
use serde::{Deserialize, Serialize};

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

/// The memory of the gateway.
#[derive(Debug)]
pub(super) struct Submissions {
    states: LruCache<B256, SubmissionState>,
    certificates: LruCache<B256, Bytes>,
}

impl Submissions {
    pub(super) fn new() -> Self {
        Self { states: LruCache::new(REMEMBERED), certificates: LruCache::new(REMEMBERED) }
    }

    pub(super) fn set(&mut self, submission: B256, state: SubmissionState) {
        self.states.put(submission, state);
    }

    pub(super) fn state(&mut self, submission: B256) -> Option<SubmissionState> {
        self.states.get(&submission).cloned()
    }

    pub(super) fn certify(&mut self, header_hash: B256, certificate: Bytes) {
        self.certificates.put(header_hash, certificate);
    }

    /// The certificate of a header, or of the header that a submission is in.
    pub(super) fn certificate(&mut self, hash: B256) -> Option<Bytes> {
        let header = match self.states.get(&hash) {
            Some(SubmissionState::Certified { blob }) => blob.header_hash,
            Some(_) => return None,
            None => hash,
        };
        self.certificates.get(&header).cloned()
    }
}
