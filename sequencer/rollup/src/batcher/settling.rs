//! Finding out where to begin.

use std::time::Duration;

use super::{Batcher, Effect, Phase};

/// What is known of the time before.
#[derive(Debug, Default)]
pub(super) struct Settling {
    since: Option<Duration>,
    /// The L1 block as of which nothing of ours is in the mempool.
    settled_at: Option<u64>,
    /// When nonces were asked for.
    asked: Option<Duration>,
    /// When a transaction was last replaced.
    cancelled: Option<Duration>,
}

/// Time between questions for nonces.
const POLL: Duration = Duration::from_secs(2);

impl Settling {
    pub(super) fn new(since: Duration) -> Self {
        Self { since: Some(since), ..Self::default() }
    }
}

impl Batcher {
    /// Asks for nonces, and begins once derivation has read what is on L1.
    pub(super) fn settle(&mut self, now: Duration) {
        let Phase::Settling(settling) = &mut self.phase else { return };
        settling.since.get_or_insert(now);
        match (settling.settled_at, &self.safe) {
            (None, _) => {
                if settling.asked.is_none_or(|asked| now >= asked + POLL) {
                    settling.asked = Some(now);
                    self.effects.push(Effect::QueryNonces);
                }
            }
            (Some(block), Some(safe)) if safe.derived_from.number >= block => {
                let base = safe.block;
                self.run_from(base);
                self.request_blocks();
            }
            (Some(_), _) => {}
        }
    }

    pub(super) fn nonces(&mut self, latest: u64, pending: u64, at: u64, now: Duration) {
        let timeout = self.config.settle_timeout;
        let Phase::Settling(settling) = &mut self.phase else { return };
        if pending <= latest {
            settling.settled_at.get_or_insert(at);
            return;
        }
        let last = settling.cancelled.or(settling.since).unwrap_or(now);
        if now >= last + timeout {
            settling.cancelled = Some(now);
            self.effects.push(Effect::Cancel { nonce: latest });
        }
    }
}
