//! Collecting signatures for a header, without I/O.
//!
//! [`Collection::step`] takes what happened and says what to send and when to wake it. Every
//! operator with slots is sent its rows at once. One that fails in a way that may pass is sent them
//! again, after a pause that doubles, a bounded number of times. A node that is reading the header
//! from somebody else already is asked until the deadline. When two thirds of the slots have
//! signed, the stragglers have a short while more, since a certificate with more signers is cheaper
//! to verify on L1; then the signatures are summed. When so many operators have failed for good that
//! two thirds are out of reach, or at the deadline, it gives up and says who is to blame.

mod operator;
mod step;

use std::time::Duration;

use cairn_primitives::da::{Certificate, OperatorIndex, Refusal};
pub use step::Collection;

/// How long to wait for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CollectPolicy {
    /// Time for one submission and its answer.
    pub attempt_time: Duration,
    /// Times that rows are sent to one operator, those that found the header in progress left out.
    pub attempts: u32,
    /// Pause before the second attempt; it doubles from one to the next.
    pub pause: Duration,
    /// Longest pause, also where a node asks for a longer one.
    pub longest_pause: Duration,
    /// Time for stragglers once two thirds have signed.
    pub straggler_time: Duration,
    /// Time for everything.
    pub deadline: Duration,
}

impl Default for CollectPolicy {
    fn default() -> Self {
        Self {
            attempt_time: Duration::from_secs(10),
            attempts: 3,
            pause: Duration::from_millis(200),
            longest_pause: Duration::from_secs(5),
            straggler_time: Duration::from_millis(200),
            deadline: Duration::from_secs(30),
        }
    }
}

/// What came of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Bytes that should be a signature.
    Signature(Vec<u8>),
    /// The node declined.
    Refused(Refusal),
    /// No connection, no answer in time, or one that is none.
    Failed(String),
}

/// Something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CollectEvent {
    /// Begin.
    Start,
    /// An attempt ended.
    Answered(OperatorIndex, Answer),
    /// The time of the last [`CollectEffect::WakeAt`] has come.
    Tick,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CollectEffect {
    /// Send the operator its rows and report the answer within the time given.
    Send(OperatorIndex, Duration),
    /// Call again with [`CollectEvent::Tick`] at that time.
    WakeAt(Duration),
    /// Done. What is still being sent may be dropped.
    Certified(Box<Certificate>),
    /// It cannot be done.
    GaveUp(Shortfall),
}

/// Why there is no certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortfall {
    /// Slots that signed.
    pub signed: u16,
    /// Slots needed.
    pub needed: u16,
    /// Slots there are.
    pub slots: u16,
    /// What became of each operator that did not sign.
    pub failures: Vec<(OperatorIndex, String)>,
}

impl std::fmt::Display for Shortfall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { signed, needed, slots, failures } = self;
        write!(f, "{signed} of {slots} slots signed, {needed} are needed")?;
        // A few say what is the matter; all of 200 would hide it.
        for (operator, failure) in failures.iter().take(5) {
            write!(f, "; operator {operator}: {failure}")?;
        }
        match failures.len().saturating_sub(5) {
            0 => Ok(()),
            more => write!(f, "; and {more} more"),
        }
    }
}

#[cfg(test)]
mod tests;
