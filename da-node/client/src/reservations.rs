//! Numbers for headers, each used once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cairn_primitives::da::Reservation;

/// A payer's numbers: microseconds since the epoch, counted up where they do not suffice. Across
/// restarts they rest on a clock that does not go back; a number used twice is refused by nodes.
#[derive(Debug, Default)]
pub struct Reservations(AtomicU64);

impl Reservations {
    /// A number that was not given before. `now` is the time since the epoch.
    pub fn next(&self, now: Duration) -> Reservation {
        let now = u64::try_from(now.as_micros()).unwrap_or(u64::MAX);
        let after = |last: u64| now.max(last.saturating_add(1));
        let next = |last: u64| Some(after(last));
        let last = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next);
        Reservation(last.map_or(now, after))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_clock_and_never_repeat() {
        let reservations = Reservations::default();
        let at = |micros| reservations.next(Duration::from_micros(micros)).0;
        assert_eq!([at(5), at(5), at(4), at(100), at(100)], [5, 6, 7, 100, 101]);
    }
}
