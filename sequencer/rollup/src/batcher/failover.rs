use std::time::Duration;

use super::{BatcherConfig, CarrierChoice, DispersalFailure};
use crate::blob::MAX_BLOB_DATA_SIZE;

/// What brings frames to L1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// A certificate of the DA network.
    DataAvailability,
    /// Blobs of L1.
    Blobs,
    /// Calldata.
    Calldata,
}

impl Carrier {
    /// Most bytes in one transaction.
    pub(super) const fn capacity(self, config: &BatcherConfig) -> usize {
        match self {
            Self::DataAvailability => config.max_da_payload,
            Self::Blobs => (config.max_blobs.get() as usize).saturating_mul(MAX_BLOB_DATA_SIZE),
            Self::Calldata => config.max_calldata,
        }
    }
}

/// Chooses between the DA network and blobs.
#[derive(Debug)]
pub(super) struct Failover {
    choice: CarrierChoice,
    /// In a row.
    failures: u32,
    /// Until then the DA network is left alone.
    blocked_until: Option<Duration>,
}

impl Failover {
    pub(super) const fn new(choice: CarrierChoice) -> Self {
        Self { choice, failures: 0, blocked_until: None }
    }

    pub(super) const fn choose(&mut self, choice: CarrierChoice) {
        self.choice = choice;
    }

    pub(super) fn carrier(&self, now: Duration) -> Carrier {
        match self.choice {
            CarrierChoice::Blobs => Carrier::Blobs,
            CarrierChoice::Calldata => Carrier::Calldata,
            CarrierChoice::Auto if self.blocked_until.is_some_and(|until| now < until) => {
                Carrier::Blobs
            }
            CarrierChoice::Auto => Carrier::DataAvailability,
        }
    }

    pub(super) const fn succeeded(&mut self) {
        self.failures = 0;
        self.blocked_until = None;
    }

    /// After the cool-down, one more failure is enough.
    pub(super) fn failed(&mut self, why: DispersalFailure, now: Duration, config: &BatcherConfig) {
        let limit = config.da_failures.get();
        self.failures = match why {
            DispersalFailure::Unavailable => limit,
            DispersalFailure::Failed => self.failures.saturating_add(1),
        };
        if self.failures >= limit {
            self.failures = limit - 1;
            self.blocked_until = Some(now + config.da_cool_down);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_da_network_is_left_after_failures_in_a_row_and_tried_again_after_a_while() {
        use Carrier::*;
        use DispersalFailure::*;
        let config = BatcherConfig::default();
        let at = Duration::from_secs;
        let mut failover = Failover::new(CarrierChoice::Auto);
        failover.failed(Failed, at(0), &config);
        failover.failed(Failed, at(1), &config);
        failover.succeeded();
        failover.failed(Failed, at(2), &config);
        failover.failed(Failed, at(3), &config);
        assert_eq!(failover.carrier(at(4)), DataAvailability);
        failover.failed(Failed, at(4), &config);
        assert_eq!((failover.carrier(at(4)), failover.carrier(at(303))), (Blobs, Blobs));
        assert_eq!(failover.carrier(at(304)), DataAvailability);
        failover.failed(Failed, at(304), &config);
        assert_eq!(failover.carrier(at(305)), Blobs, "one more was enough");
        failover.succeeded();
        assert_eq!(failover.carrier(at(306)), DataAvailability);
        failover.failed(Unavailable, at(307), &config);
        assert_eq!(failover.carrier(at(308)), Blobs, "503 is enough");
        failover.choose(CarrierChoice::Calldata);
        assert_eq!(failover.carrier(at(308)), Calldata);
    }
}
