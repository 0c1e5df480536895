//! What to report, and whose turn it is; without I/O.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use alloy_primitives::{B256, TxHash};
use cairn_primitives::da::{Epoch, Timestamp};

/// Certificates in one report.
pub(super) const GROUP: usize = 32;
/// Batches without certificate that a report walks over before its first certificate, and again
/// between the others.
const WALK_MAX: u64 = 500;
/// Batches that one `passOver` walks over.
const PASS_MAX: u64 = 4000;
/// Seconds after which a certificate is reported whose epoch has not ended.
const AGE_MAX: u64 = 12 * 3600;
/// Seconds from one operator's turn to the next one's.
const TURN: u64 = 24;
/// All turns of a quorum take this part of an epoch at most.
const TURNS_PART: u64 = 4;

/// Index of a batch in the inbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct BatchIndex(pub(super) u64);

/// A certificate in the inbox.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Pending {
    /// What L1 says of it.
    pub(super) place: Place,
    /// When it was appended, or seen where L1 does not say.
    pub(super) time: Timestamp,
    /// What is reported; `None` where the calldata of its transaction is not its certificate.
    pub(super) signed: Option<Signed>,
}

/// Where a certificate is on L1, and the hashes that the inbox gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Place {
    /// Number of its block.
    pub(super) block: u64,
    /// Its transaction.
    pub(super) transaction: TxHash,
    /// Hash of its header.
    pub(super) header_hash: B256,
    /// Hash of epoch and bitmap.
    pub(super) signers_hash: B256,
}

/// Who signed a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Signed {
    /// Its epoch.
    pub(super) epoch: Epoch,
    /// Bitmap of the operators.
    pub(super) bitmap: Vec<u8>,
    /// Root over the versioned hashes of its original rows.
    pub(super) hashes_root: B256,
    /// Binary logarithm of their number.
    pub(super) depth: u32,
}

/// When the epochs of a registry are.
#[derive(Debug, Clone, Copy)]
pub(super) struct EpochClock {
    /// Begin of epoch 0, Unix seconds.
    pub(super) genesis: u64,
    /// Seconds.
    pub(super) length: NonZeroU64,
}

impl EpochClock {
    /// The epoch at a time.
    pub(super) const fn at(&self, time: Timestamp) -> Epoch {
        Epoch(time.0.saturating_sub(self.genesis) / self.length.get())
    }

    /// Begin of an epoch.
    pub(super) const fn start(&self, epoch: Epoch) -> Timestamp {
        Timestamp(self.genesis.saturating_add(epoch.0.saturating_mul(self.length.get())))
    }

    /// End of an epoch, which belongs to the next one.
    const fn end(&self, epoch: Epoch) -> Timestamp {
        self.start(Epoch(epoch.0.saturating_add(1)))
    }
}

/// The order in which the operators of a quorum send what all of them could: without it all would
/// at once, and all but one pay for a transaction that reverts. It changes from one report to the next.
#[derive(Debug, Clone, Copy)]
pub(super) struct Turn {
    /// This operator's index; behind all others where it is none.
    pub(super) index: u64,
    /// Operators of the quorum.
    pub(super) operators: u64,
}

impl Turn {
    /// Seconds that this operator leaves something numbered to others.
    pub(super) fn wait(&self, number: u64, clock: &EpochClock) -> u64 {
        let operators = self.operators.max(1);
        let rank = if self.index < self.operators {
            (self.index + number % operators) % operators
        } else {
            operators
        };
        let shortest = rank.saturating_mul(clock.length.get()) / operators / TURNS_PART;
        rank.saturating_mul(TURN).min(shortest)
    }
}

/// What to send next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing is due.
    Wait,
    /// Pass over so many batches at most.
    Pass(u64),
    /// Report these, which are next.
    Report(Vec<Signed>),
    /// The next certificate cannot be reported.
    Blocked(BatchIndex),
}

/// What is due at `now`, if `next` is the first batch that is not reported.
pub(super) fn next_step(
    pending: &BTreeMap<BatchIndex, Pending>,
    next: BatchIndex,
    clock: &EpochClock,
    turn: &Turn,
    now: Timestamp,
) -> Step {
    let (mut group, mut due) = (Vec::new(), Timestamp(u64::MAX));
    let (mut first_gap, mut walked, mut behind) = (0, 0, next.0);
    for (batch, certificate) in pending.range(next..) {
        let Some(signed) = &certificate.signed else {
            if group.is_empty() {
                return Step::Blocked(*batch);
            }
            break;
        };
        let gap = batch.0.saturating_sub(behind);
        if group.is_empty() {
            first_gap = gap;
        } else {
            walked += gap;
        }
        if walked > WALK_MAX {
            due = due.min(certificate.time);
            break;
        }
        behind = batch.0.saturating_add(1);
        due = due.min(due_alone(certificate.time, signed.epoch, clock));
        group.push(signed.clone());
        if group.len() == GROUP {
            due = due.min(certificate.time);
            break;
        }
    }
    let turn = due.0.saturating_add(turn.wait(next.0, clock));
    if group.is_empty() || now.0 < turn {
        Step::Wait
    } else if first_gap > WALK_MAX {
        Step::Pass(first_gap.min(PASS_MAX))
    } else {
        Step::Report(group)
    }
}

/// When a certificate is due though its group is not full: rates are made of completed epochs.
fn due_alone(time: Timestamp, epoch: Epoch, clock: &EpochClock) -> Timestamp {
    let aged = Timestamp(time.0.saturating_add(AGE_MAX));
    clock.end(epoch).max(time).min(aged)
}

/// Whether all certificates from `next` on that can count before the epoch `current` are reported.
pub(super) fn complete_before(
    pending: &BTreeMap<BatchIndex, Pending>,
    next: BatchIndex,
    current: Epoch,
) -> bool {
    let later = |signed: &Signed| signed.epoch >= current;
    pending.range(next..).all(|(_, certificate)| certificate.signed.as_ref().is_some_and(later))
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
