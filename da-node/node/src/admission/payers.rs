//! What each payer sent lately.

use std::time::Duration;

use alloy_primitives::Address;
use lru::LruCache;

use super::Limits;

/// Rates of payers, as token buckets.
#[derive(Debug)]
pub(super) struct Payers(LruCache<Address, Bucket>);

/// Bytes that may be sent, as of a time.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    bytes: u64,
    at: Duration,
}

impl Payers {
    pub(super) fn new(limits: &Limits) -> Self {
        Self(LruCache::new(limits.payers_remembered))
    }

    /// Takes a submission of so many bytes off a payer's bucket, or says how long to wait for
    /// them. A body that is larger than the burst waits for a full bucket.
    pub(super) fn take(
        &mut self,
        payer: Address,
        bytes: u64,
        limits: &Limits,
        now: Duration,
    ) -> Result<(), Duration> {
        let full = Bucket { bytes: limits.payer_burst_bytes, at: now };
        let bucket = self.0.get_or_insert_mut(payer, || full);
        bucket.refill(limits, now);
        let cost = bytes.max(limits.least_charge_bytes).min(limits.payer_burst_bytes);
        match bucket.bytes.checked_sub(cost) {
            Some(rest) => {
                bucket.bytes = rest;
                Ok(())
            }
            None => {
                let missing = (cost - bucket.bytes).saturating_mul(1000);
                let rate = limits.payer_bytes_per_second.max(1);
                Err(Duration::from_millis(missing.div_ceil(rate)))
            }
        }
    }
}

impl Bucket {
    fn refill(&mut self, limits: &Limits, now: Duration) {
        // A clock that went back adds nothing; the time is taken anew.
        let elapsed = now.saturating_sub(self.at).as_millis();
        let gained = elapsed.saturating_mul(u128::from(limits.payer_bytes_per_second)) / 1000;
        let gained = u64::try_from(gained).unwrap_or(u64::MAX);
        if gained > 0 || now < self.at {
            self.bytes = self.bytes.saturating_add(gained).min(limits.payer_burst_bytes);
            self.at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            payer_bytes_per_second: 100,
            payer_burst_bytes: 1000,
            least_charge_bytes: 1,
            ..Limits::default()
        }
    }

    #[test]
    fn a_tiny_submission_costs_the_least_charge() {
        let (limits, payer) = (Limits { least_charge_bytes: 400, ..limits() }, Address::ZERO);
        let mut payers = Payers::new(&limits);
        let at = |seconds: u64| Duration::from_secs(1000 + seconds);
        assert_eq!(payers.take(payer, 1, &limits, at(0)), Ok(()));
        assert_eq!(payers.take(payer, 400, &limits, at(0)), Ok(()));
        assert_eq!(payers.take(payer, 1, &limits, at(0)), Err(Duration::from_secs(2)));
        assert_eq!(payers.take(payer, 1, &limits, at(2)), Ok(()));
        // A charge above the burst is the burst.
        let limits = Limits { least_charge_bytes: 5000, ..limits };
        assert_eq!(payers.take(Address::repeat_byte(1), 1, &limits, at(2)), Ok(()));
    }

    #[test]
    fn a_payer_sends_its_burst_and_then_its_rate() {
        let (limits, payer) = (limits(), Address::ZERO);
        let mut payers = Payers::new(&limits);
        let at = |seconds: u64| Duration::from_secs(1000 + seconds);
        assert_eq!(payers.take(payer, 900, &limits, at(0)), Ok(()));
        assert_eq!(payers.take(payer, 300, &limits, at(0)), Err(Duration::from_secs(2)));
        assert_eq!(payers.take(payer, 300, &limits, at(1)), Err(Duration::from_secs(1)));
        assert_eq!(payers.take(payer, 300, &limits, at(2)), Ok(()));
        assert_eq!(payers.take(Address::repeat_byte(1), 1000, &limits, at(2)), Ok(()));
    }

    #[test]
    fn many_small_steps_refill_as_much_as_one() {
        let (limits, payer) = (limits(), Address::ZERO);
        let mut payers = Payers::new(&limits);
        assert_eq!(payers.take(payer, 1000, &limits, Duration::ZERO), Ok(()));
        for millis in 0..1000 {
            assert!(payers.take(payer, 200, &limits, Duration::from_millis(millis)).is_err());
        }
        assert_eq!(payers.take(payer, 100, &limits, Duration::from_secs(1)), Ok(()));
    }

    #[test]
    fn a_body_above_the_burst_waits_for_a_full_bucket() {
        let (limits, payer) = (limits(), Address::ZERO);
        let mut payers = Payers::new(&limits);
        assert_eq!(payers.take(payer, 5000, &limits, Duration::ZERO), Ok(()));
        assert_eq!(payers.take(payer, 5000, &limits, Duration::ZERO), Err(Duration::from_secs(10)));
        assert_eq!(payers.take(payer, 5000, &limits, Duration::from_secs(10)), Ok(()));
    }

    #[test]
    fn a_clock_that_goes_back_gives_nothing_and_blocks_nobody() {
        let (limits, payer) = (limits(), Address::ZERO);
        let mut payers = Payers::new(&limits);
        assert_eq!(payers.take(payer, 1000, &limits, Duration::from_secs(9999)), Ok(()));
        assert!(payers.take(payer, 1, &limits, Duration::from_secs(10)).is_err());
        assert_eq!(payers.take(payer, 100, &limits, Duration::from_secs(11)), Ok(()));
    }
}
