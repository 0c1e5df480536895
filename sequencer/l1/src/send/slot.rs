//! What is known of one nonce.

use std::time::Instant;

use alloy_eips::BlockNumHash;
use alloy_primitives::B256;

use super::Fees;

/// A request, numbered by the sender.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

/// Pools keep the two apart: an account has transactions of one kind in them at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionKind {
    /// Without blobs.
    Plain,
    /// With blobs.
    Blobs,
}

/// What a nonce is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// A request of this run.
    Request(RequestId),
    /// A transaction that the journal had.
    Restored,
    /// A nonce that must be used up for those behind it: a transfer of nothing to ourselves.
    Cancel,
}

/// One signed transaction of a nonce.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) hash: B256,
    pub(super) fees: Fees,
}

/// A nonce in doubt.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    pub(super) intent: Intent,
    pub(super) kind: TransactionKind,
    /// In the order of signing; each replaces the one before it.
    pub(super) versions: Vec<Version>,
    /// Whether one is being signed.
    pub(super) signing: bool,
    /// Whether a node took one of them.
    pub(super) accepted: bool,
    /// Refusals since the last acceptance.
    pub(super) refusals: u32,
    /// The pool says that the fees replace nothing.
    pub(super) underpriced: bool,
    /// When the newest version was priced.
    pub(super) priced_at: Instant,
    /// When it was sent last; none: at once.
    pub(super) sent_at: Option<Instant>,
    /// Where one of the versions stands.
    pub(super) mined: Option<(B256, BlockNumHash)>,
    /// First head at which the nonce was seen used by none of the versions.
    pub(super) displaced_at: Option<u64>,
}

impl Slot {
    pub(super) const fn new(intent: Intent, kind: TransactionKind, now: Instant) -> Self {
        Self {
            intent,
            kind,
            versions: Vec::new(),
            signing: false,
            accepted: false,
            refusals: 0,
            underpriced: false,
            priced_at: now,
            sent_at: None,
            mined: None,
            displaced_at: None,
        }
    }

    pub(super) fn newest(&self) -> Option<&Version> {
        self.versions.last()
    }

    pub(super) fn has(&self, hash: B256) -> bool {
        self.versions.iter().any(|version| version.hash == hash)
    }
}
