//! Who waits for a run, and for how long.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cairn_evm::{Interrupt, Stopped};
use serde::Serialize;

use crate::{Args, Backend, Methods, RpcError, answer};

/// A method that may run for long.
type Method<R> = fn(&Backend, &Args, &Caller) -> Result<R, RpcError>;

/// Whoever waits for the result. Known to have gone once the request is dropped.
#[derive(Debug, Clone, Default)]
pub(super) struct Caller {
    gone: Arc<AtomicBool>,
}

/// The end of a run's time.
#[derive(Debug, Clone)]
pub(super) struct Deadline {
    timeout: Duration,
    interrupt: Interrupt,
}

/// Marks the caller as gone when the request's future is dropped.
struct GoneOnDrop(Arc<AtomicBool>);

impl Drop for GoneOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Caller {
    /// Starts the clock of a run.
    pub(super) fn deadline(&self, timeout: Duration) -> Deadline {
        let gone = self.gone.clone();
        // A time too far off to represent never comes.
        let end = Instant::now().checked_add(timeout);
        let interrupt = Interrupt::new(move || {
            gone.load(Ordering::Relaxed) || end.is_some_and(|end| Instant::now() >= end)
        });
        Deadline { timeout, interrupt }
    }
}

impl Deadline {
    /// What ends the EVM.
    pub(super) fn interrupt(&self) -> Interrupt {
        self.interrupt.clone()
    }

    /// Fails once the time is over, for use between runs.
    pub(super) fn check(&self) -> Result<(), RpcError> {
        if self.interrupt.is_due() { Err(self.error()) } else { Ok(()) }
    }

    /// geth's error of a run that took too long.
    pub(super) fn error(&self) -> RpcError {
        RpcError::server(format!("execution aborted (timeout = {})", go_duration(self.timeout)))
    }

    /// The error of a run that was ended.
    pub(super) fn stopped(&self, why: Stopped) -> RpcError {
        match why {
            Stopped::Interrupted => self.error(),
            Stopped::TooLarge => RpcError::server("trace exceeds the largest response"),
        }
    }
}

/// A duration as Go prints it: `5s`, `1m30s`, `1.5s`, `300ms`.
fn go_duration(duration: Duration) -> String {
    let (total, nanos) = (duration.as_secs(), duration.subsec_nanos());
    if total == 0 {
        return match nanos {
            0 => "0s".into(),
            1..1_000 => format!("{nanos}ns"),
            1_000..1_000_000 => format!("{}µs", f64::from(nanos) / 1e3),
            _ => format!("{}ms", f64::from(nanos) / 1e6),
        };
    }
    let fraction = format!("{:.9}", f64::from(nanos) / 1e9);
    let fraction = fraction.trim_start_matches('0').trim_end_matches('0').trim_end_matches('.');
    let (hours, minutes, seconds) = (total / 3600, total / 60 % 60, total % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}{fraction}s"),
        (0, _) => format!("{minutes}m{seconds}{fraction}s"),
        _ => format!("{hours}h{minutes}m{seconds}{fraction}s"),
    }
}

/// Adds a method that runs on the execution pool and knows its caller.
pub(super) fn add<R: Serialize + 'static>(
    methods: &mut Methods,
    name: &'static str,
    at_most: usize,
    method: Method<R>,
) {
    methods.waiting(name, at_most, move |backend, args| {
        Box::pin(async move {
            let caller = Caller::default();
            let _gone = GoneOnDrop(caller.gone.clone());
            let work = backend.clone();
            backend.execute(move || answer(method(&work, &args, &caller))).await
        })
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_printed_as_go_prints_them() {
        for (millis, text) in [
            (5_000, "5s"),
            (1_500, "1.5s"),
            (300, "300ms"),
            (90_000, "1m30s"),
            (3_600_000, "1h0m0s"),
            (0, "0s"),
        ] {
            assert_eq!(go_duration(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn a_run_ends_when_its_time_is_over_or_its_caller_has_gone() {
        let caller = Caller::default();
        let deadline = caller.deadline(Duration::from_secs(3600));
        assert!(deadline.check().is_ok());
        drop(GoneOnDrop(caller.gone));
        assert!(deadline.check().is_err());
        let over = Caller::default().deadline(Duration::ZERO);
        let error = over.check().unwrap_err();
        assert_eq!(error.to_string(), "execution aborted (timeout = 0s)");
        assert!(Caller::default().deadline(Duration::MAX).check().is_ok());
    }
}
