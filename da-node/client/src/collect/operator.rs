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
    /// Attempt `attempt` runs.
    Sending { attempt: u32 },
    /// Attempt `attempt` failed for the reason given; the next one is due.
    Waiting { attempt: u32, until: Duration, reason: String },
    /// Done.
    Signed(Signature),
    /// Given up.
    Failed(String),
}

impl State {
    /// Whether a signature may still come.
    pub(super) const fn is_open(&self) -> bool {
        matches!(self, Self::Sending { .. } | Self::Waiting { .. })
    }

    /// Why there is no signature.
    pub(super) fn failure(&self) -> Option<String> {
        match self {
            Self::NoSlots | Self::Signed(_) => None,
            Self::Sending { .. } => Some("no answer yet".to_string()),
            Self::Waiting { reason, .. } | Self::Failed(reason) => Some(reason.clone()),
        }
    }

    /// The state after a failed attempt.
    pub(super) fn after_failure(
        attempt: u32,
        answer: Answer,
        policy: &CollectPolicy,
        now: Duration,
    ) -> Self {
        let (reason, retryable, asked) = match answer {
            Answer::Refused(refusal) => {
                let asked = refusal.retry_after_seconds.map(Duration::from_secs);
                let pause = asked.filter(|_| refusal.code != RefusalCode::InProgress);
                let text = format!("{:?}: {}", refusal.code, refusal.message);
                (text, refusal.code.is_retryable(), pause)
            }
            Answer::Failed(text) => (text, true, None),
            Answer::Signature(_) => ("the signature is not its own".to_string(), false, None),
        };
        if !retryable || attempt >= policy.attempts {
            return Self::Failed(reason);
        }
        let doubled = policy.pause.saturating_mul(1 << (attempt - 1).min(16));
        let pause = asked.unwrap_or(doubled).min(policy.longest_pause);
        Self::Waiting { attempt, until: now.saturating_add(pause), reason }
    }
}
