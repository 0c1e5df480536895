//! Where the collection stands with one operator.

use std::time::Duration;

use cairn_primitives::da::RefusalCode;
use cairn_primitives::da::bls::Signature;

use super::{Answer, CollectPolicy};

/// The way of one operator: sending, perhaps waiting and sending again, then signed or failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum State {
    /// Nothing to sign for.
    NoSlots,
    /// A submission runs.
    Sending(Attempts),
    /// The last submission failed for the reason given; the next one is due.
    Waiting { made: Attempts, until: Duration, reason: String },
    /// Done.
    Signed(Signature),
    /// Given up.
    Failed(String),
}

/// Submissions to an operator so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Attempts {
    /// Those that count.
    pub(super) counted: u32,
    /// Those that found the header in progress. Another sender of it, who may be none of ours, must
    /// not use up the attempts.
    pub(super) in_progress: u32,
}

impl Attempts {
    /// One more.
    pub(super) const fn next(self) -> Self {
        Self { counted: self.counted.saturating_add(1), ..self }
    }
}

impl State {
    /// Whether a signature may still come.
    pub(super) const fn is_open(&self) -> bool {
        matches!(self, Self::Sending(_) | Self::Waiting { .. })
    }

    /// Why there is no signature.
    pub(super) fn failure(&self) -> Option<String> {
        match self {
            Self::NoSlots | Self::Signed(_) => None,
            Self::Sending(_) => Some("no answer yet".to_string()),
            Self::Waiting { reason, .. } | Self::Failed(reason) => Some(reason.clone()),
        }
    }

    /// The state after a failed attempt.
    pub(super) fn after_failure(
        mut made: Attempts,
        answer: Answer,
        policy: &CollectPolicy,
        now: Duration,
    ) -> Self {
        let in_progress = matches!(
            &answer,
            Answer::Refused(refusal) if refusal.code == RefusalCode::InProgress
        );
        let (reason, retryable, asked) = match answer {
            Answer::Refused(refusal) => {
                let asked = refusal.retry_after_seconds.map(Duration::from_secs);
                let text = format!("{:?}: {}", refusal.code, refusal.message);
                (text, refusal.code.is_retryable(), asked.filter(|_| !in_progress))
            }
            Answer::Failed(text) => (text, true, None),
            Answer::Signature(_) => ("the signature is not its own".to_string(), false, None),
        };
        if in_progress {
            made.counted = made.counted.saturating_sub(1);
            made.in_progress = made.in_progress.saturating_add(1);
        } else if !retryable || made.counted >= policy.attempts {
            return Self::Failed(reason);
        }
        let before = made.counted.saturating_add(made.in_progress).saturating_sub(1);
        let doubled = policy.pause.saturating_mul(1 << before.min(16));
        let pause = asked.unwrap_or(doubled).min(policy.longest_pause);
        Self::Waiting { made, until: now.saturating_add(pause), reason }
    }
}
