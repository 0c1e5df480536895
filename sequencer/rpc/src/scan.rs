//! Work over many blocks, within a time limit and while somebody waits for it.
//!
//! It has threads of its own: however many such calls come, those that read one thing find theirs
//! free.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::RpcError;

/// The end of a scan's time, and of its caller's patience.
#[derive(Debug, Clone)]
pub(crate) struct Scan {
    /// `None` is too far off to represent.
    end: Option<Instant>,
    gone: Arc<AtomicBool>,
}

/// Ends the scan when it is dropped.
#[derive(Debug)]
pub(crate) struct ScanGuard(Arc<AtomicBool>);

impl Drop for ScanGuard {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Scan {
    /// Starts the clock.
    pub(crate) fn new(timeout: Duration) -> (Self, ScanGuard) {
        let gone = Arc::<AtomicBool>::default();
        let end = Instant::now().checked_add(timeout);
        (Self { end, gone: gone.clone() }, ScanGuard(gone))
    }

    /// Fails once the time is over or the caller has gone; to be asked for every block.
    pub(crate) fn check(&self) -> Result<(), RpcError> {
        let over = self.end.is_some_and(|end| Instant::now() >= end);
        if over || self.gone.load(Ordering::Relaxed) {
            return Err(RpcError::LimitExceeded("query timeout exceeded".into()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_ends_with_its_time_or_its_caller() {
        let (scan, guard) = Scan::new(Duration::MAX);
        assert!(scan.check().is_ok());
        drop(guard);
        assert_eq!(scan.check().unwrap_err().to_string(), "query timeout exceeded");
        let (over, _guard) = Scan::new(Duration::ZERO);
        assert_eq!(over.check().unwrap_err().code(), crate::error::LIMIT_EXCEEDED);
    }
}
