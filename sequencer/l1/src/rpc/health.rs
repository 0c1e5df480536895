//! Which endpoint to ask next. No I/O and no clock.

use std::time::{Duration, Instant};

/// How long an endpoint is left alone after failures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// After the first failure; doubles with each further one.
    pub first: Duration,
    /// Longest pause, also for what an endpoint asks for.
    pub longest: Duration,
    /// After a lie, where there are others to ask. An only endpoint is asked again as after any other
    /// failure: its lie may be a fault that passes, and nobody else knows better.
    pub lie: Duration,
}

impl Default for Backoff {
    fn default() -> Self {
        Self {
            first: Duration::from_millis(100),
            longest: Duration::from_secs(10),
            lie: Duration::from_secs(60),
        }
    }
}

impl Backoff {
    /// Pause after so many failures in a row.
    pub fn pause(&self, failures: u32) -> Duration {
        let factor = 1_u32.checked_shl(failures.saturating_sub(1)).unwrap_or(u32::MAX);
        self.first.saturating_mul(factor).min(self.longest)
    }
}

/// Why an endpoint is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No usable answer.
    NoAnswer,
    /// It asks to be left alone, perhaps for a time that it names.
    RateLimited(Option<Duration>),
    /// It said what cannot be.
    Lied,
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Ask the endpoint of that index.
    Ask(usize),
    /// All are left alone until then.
    Wait(Instant),
}

/// State of the endpoints, in order of preference.
#[derive(Debug, Clone)]
pub struct Health {
    backoff: Backoff,
    /// Failures in a row, and until when the endpoint is left alone.
    endpoints: Vec<(u32, Option<Instant>)>,
}

impl Health {
    /// So many endpoints, none of which has failed.
    pub fn new(count: usize, backoff: Backoff) -> Self {
        Self { backoff, endpoints: vec![(0, None); count] }
    }

    /// The first endpoint not in `tried` that is not left alone; else the earliest time at which
    /// one of them is not. `None` when all were tried.
    pub fn choose(&self, tried: &[usize], now: Instant) -> Option<Choice> {
        let left = || {
            let all = self.endpoints.iter().enumerate();
            all.filter(|(index, _)| !tried.contains(index))
        };
        let ready = left().find(|(_, (_, until))| until.is_none_or(|until| until <= now));
        if let Some((index, _)) = ready {
            return Some(Choice::Ask(index));
        }
        left().filter_map(|(_, (_, until))| *until).min().map(Choice::Wait)
    }

    /// The endpoint answered.
    pub fn succeeded(&mut self, index: usize) {
        if let Some(endpoint) = self.endpoints.get_mut(index) {
            *endpoint = (0, None);
        }
    }

    /// The endpoint failed and is left alone for a while, which is returned.
    pub fn failed(&mut self, index: usize, failure: Failure, now: Instant) -> Duration {
        let backoff = self.backoff;
        let alone = self.endpoints.len() == 1;
        let Some((failures, until)) = self.endpoints.get_mut(index) else { return Duration::ZERO };
        // Requests that fail together are one failure.
        if until.is_none_or(|until| until <= now) {
            *failures = failures.saturating_add(1);
        }
        let pause = match failure {
            Failure::RateLimited(Some(asked)) => asked.min(backoff.longest),
            Failure::Lied if !alone => backoff.lie,
            Failure::NoAnswer | Failure::RateLimited(None) | Failure::Lied => {
                backoff.pause(*failures)
            }
        };
        let end = now + pause;
        // Answers to concurrent requests come in any order: the longest pause holds.
        *until = Some(until.map_or(end, |until| until.max(end)));
        pause
    }

    /// Time until an endpoint may be asked.
    pub fn wait(&self, now: Instant) -> Duration {
        match self.choose(&[], now) {
            Some(Choice::Wait(until)) => until.saturating_duration_since(now),
            _ => Duration::ZERO,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BACKOFF: Backoff = Backoff {
        first: Duration::from_secs(1),
        longest: Duration::from_secs(10),
        lie: Duration::from_secs(60),
    };

    #[test]
    fn the_first_endpoint_that_may_be_asked_is_asked() {
        let now = Instant::now();
        let mut health = Health::new(3, BACKOFF);
        assert_eq!(health.choose(&[], now), Some(Choice::Ask(0)));
        assert_eq!(health.choose(&[0], now), Some(Choice::Ask(1)));
        assert_eq!(health.choose(&[0, 1, 2], now), None);
        health.failed(0, Failure::NoAnswer, now);
        assert_eq!(health.choose(&[], now), Some(Choice::Ask(1)));
        let later = now + Duration::from_secs(1);
        assert_eq!(health.choose(&[], later), Some(Choice::Ask(0)));
        health.succeeded(0);
        assert_eq!(health.choose(&[], now), Some(Choice::Ask(0)));
    }

    #[test]
    fn the_pause_is_what_the_endpoint_asks_for_within_bounds() {
        let now = Instant::now();
        let mut health = Health::new(1, BACKOFF);
        let asked = Duration::from_secs(3);
        assert_eq!(health.failed(0, Failure::RateLimited(Some(asked)), now), asked);
        assert_eq!(health.choose(&[], now), Some(Choice::Wait(now + asked)));
        assert_eq!(health.wait(now), asked);
        let long = Failure::RateLimited(Some(Duration::from_secs(86_400)));
        assert_eq!(health.failed(0, long, now), BACKOFF.longest);
    }

    #[test]
    fn a_liar_is_left_alone_for_long_only_if_there_is_another() {
        let now = Instant::now();
        let mut health = Health::new(2, BACKOFF);
        assert_eq!(health.failed(0, Failure::Lied, now), BACKOFF.lie);
        assert_eq!(health.choose(&[], now), Some(Choice::Ask(1)));
        let mut alone = Health::new(1, BACKOFF);
        assert_eq!(alone.failed(0, Failure::Lied, now), BACKOFF.first);
        let later = now + BACKOFF.first;
        assert_eq!(alone.failed(0, Failure::Lied, later), 2 * BACKOFF.first);
    }

    #[test]
    fn requests_that_fail_together_are_one_failure() {
        let now = Instant::now();
        let mut health = Health::new(1, BACKOFF);
        for _ in 0..8 {
            assert_eq!(health.failed(0, Failure::NoAnswer, now), BACKOFF.first);
        }
        let later = now + BACKOFF.first;
        assert_eq!(health.failed(0, Failure::NoAnswer, later), 2 * BACKOFF.first);
    }

    proptest! {
        #[test]
        fn pauses_grow_and_are_bounded(failures in 1_u32..200) {
            let pause = BACKOFF.pause(failures);
            prop_assert!(pause >= BACKOFF.first && pause <= BACKOFF.longest);
            prop_assert!(pause >= BACKOFF.pause(failures - 1).min(BACKOFF.longest));
        }

        #[test]
        fn a_choice_is_never_one_that_was_tried_or_is_left_alone(
            failures in prop::collection::vec((0_usize..4, 0_u64..20), 0..20),
            tried in prop::collection::vec(0_usize..4, 0..4),
            seconds in 0_u64..40,
        ) {
            let start = Instant::now();
            let mut health = Health::new(4, BACKOFF);
            let mut until = [start; 4];
            for (index, at) in failures {
                let at = start + Duration::from_secs(at);
                let pause = health.failed(index, Failure::NoAnswer, at);
                until[index] = until[index].max(at + pause);
            }
            let now = start + Duration::from_secs(seconds);
            match health.choose(&tried, now) {
                Some(Choice::Ask(index)) => {
                    prop_assert!(!tried.contains(&index) && until[index] <= now);
                }
                Some(Choice::Wait(end)) => {
                    let left = (0..4).filter(|index| !tried.contains(index));
                    prop_assert_eq!(Some(end), left.map(|index| until[index]).min());
                    prop_assert!(end > now);
                }
                None => prop_assert!((0..4).all(|index| tried.contains(&index))),
            }
        }
    }
}
