//! When blocks are sealed, and with which timestamp.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use cairn_primitives::Header;

use super::BlockTiming;
use super::run::Worker;
use crate::TimestampRule;

/// How long a block is open at least while the chain catches up with the clock, so that it holds
/// transactions that wait: with blocks of a second, it catches up fifty times as fast as time runs.
const CATCH_UP_FILL: Duration = Duration::from_millis(20);

impl Worker {
    /// Timestamp of the block after `parent`: see [`BlockTiming`]. By the clock it is the second in
    /// which the block will be sealed, later than its parent's unless several blocks share a second.
    pub(super) fn timestamp(&self, parent: &Header, deadline: Instant) -> u64 {
        if let BlockTiming::FixedInterval(seconds) = self.options.timing {
            return parent.timestamp.saturating_add(seconds.get());
        }
        let seal = SystemTime::now() + deadline.saturating_duration_since(Instant::now());
        let seconds = seal.duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
        let least = match self.chain.inner.options.timestamps {
            TimestampRule::Increasing => parent.timestamp.saturating_add(1),
            TimestampRule::NonDecreasing => parent.timestamp,
        };
        seconds.max(least)
    }

    /// When to seal the open block of that timestamp. `beat` is the sequencer's own rhythm, which a
    /// fixed interval does not follow.
    pub(super) fn deadline(&self, timestamp: u64, beat: Instant) -> Instant {
        match self.options.timing {
            BlockTiming::WallClock => beat,
            BlockTiming::FixedInterval(_) => {
                let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Instant::now() + time_left(timestamp, since_epoch)
            }
        }
    }
}

/// From now to the block's timestamp, but never less than a block needs to hold transactions.
fn time_left(timestamp: u64, since_epoch: Duration) -> Duration {
    // A timestamp that no clock reaches leaves a wait without end, not an overflow.
    let most = Duration::from_secs(u64::from(u32::MAX));
    Duration::from_secs(timestamp).saturating_sub(since_epoch).clamp(CATCH_UP_FILL, most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_is_sealed_at_its_timestamp_or_soon_when_that_is_past() {
        let now = Duration::from_millis(10_500);
        assert_eq!(time_left(11, now), Duration::from_millis(500));
        assert_eq!(time_left(10, now), CATCH_UP_FILL);
        assert_eq!(time_left(0, now), CATCH_UP_FILL);
        assert_eq!(time_left(u64::MAX, now), Duration::from_secs(u64::from(u32::MAX)));
    }
}
