//! The system's clock; the only place that reads it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Time since the Unix epoch. Clones share an offset, by which tests set a clock wrong.
#[derive(Debug, Clone, Default)]
pub struct Clock(Arc<AtomicI64>);

impl Clock {
    /// Time since the Unix epoch.
    pub fn now(&self) -> Duration {
        let system = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let offset = self.0.load(Ordering::Relaxed);
        let distance = Duration::from_secs(offset.unsigned_abs());
        if offset < 0 { system.saturating_sub(distance) } else { system.saturating_add(distance) }
    }

    /// Sets the clock ahead of the system's by so many seconds, or behind it.
    pub fn set_offset(&self, seconds: i64) {
        self.0.store(seconds, Ordering::Relaxed);
    }
}
