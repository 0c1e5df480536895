//! How much the node takes on, and from whom.

use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use alloy_primitives::Address;

const MIB: u64 = 1 << 20;

/// Limits of submissions.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Longest body. An operator with all stake of a full matrix would get 129 MiB.
    pub max_body_bytes: u64,
    /// Bytes of bodies in memory over all submissions. A body takes them as it arrives, in steps that
    /// double.
    pub in_flight_bytes: u64,
    /// Bytes of the whole bodies of one payer who has more than one submission in progress: nobody
    /// else is kept out by a payer, or by who replays the headers of one.
    pub payer_in_flight_bytes: u64,
    /// Submissions of one payer at a time.
    pub in_flight_per_payer: usize,
    /// Bytes of bodies of one payer per second in the long run.
    pub payer_bytes_per_second: u64,
    /// Bytes that a payer who was silent may send at once.
    pub payer_burst_bytes: u64,
    /// Bytes that a submission counts at least: headers and reservations stay for long.
    pub least_charge_bytes: u64,
    /// Payers whose rates are remembered; the least recent one is forgotten first.
    pub payers_remembered: NonZeroUsize,
    /// Payers served; empty means any.
    pub payers_allowed: BTreeSet<Address>,
    /// Longest time that rows are kept: a later expiry is refused.
    pub retention: Duration,
    /// Age of the last L1 block read from which on nothing is signed.
    pub l1_max_age: Duration,
    /// Time after the expiry before rows go, for readers whose clocks are behind.
    pub prune_grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_body_bytes: 160 * MIB,
            in_flight_bytes: 256 * MIB,
            payer_in_flight_bytes: 64 * MIB,
            in_flight_per_payer: 16,
            payer_bytes_per_second: 32 * MIB,
            payer_burst_bytes: 256 * MIB,
            least_charge_bytes: 64 << 10,
            payers_remembered: NonZeroUsize::new(4096).expect("not zero"),
            payers_allowed: BTreeSet::new(),
            retention: Duration::from_secs(14 * 24 * 3600),
            l1_max_age: Duration::from_secs(1800),
            prune_grace: Duration::from_secs(600),
        }
    }
}
