//! Limits against peers who are slow, or many.

use std::time::Duration;

/// Limits against peers who are slow, or many.
#[derive(Debug, Clone, Copy)]
pub struct ServerLimits {
    /// Open connections; more wait to be accepted.
    pub connections: usize,
    /// Open connections of one address, or of one /64 of IPv6; more are closed at once.
    pub connections_per_peer: usize,
    /// Time for request line and headers, and for a connection to stay idle between requests.
    pub header_time: Duration,
    /// Time for any body, to which comes what the bytes that are here take at the lowest rate.
    pub body_grace: Duration,
    /// Bytes a second that a sender must reach all along, once the grace is over.
    pub body_bytes_per_second: u64,
    /// Time for which an answer may wait for its reader, to which comes what the bytes that it took take at
    /// the lowest rate.
    pub answer_grace: Duration,
    /// Bytes a second that a reader must take while answers wait for it.
    pub answer_bytes_per_second: u64,
}

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: 1024,
            connections_per_peer: 256,
            header_time: Duration::from_secs(15),
            body_grace: Duration::from_secs(10),
            body_bytes_per_second: 256 << 10,
            answer_grace: Duration::from_secs(10),
            answer_bytes_per_second: 64 << 10,
        }
    }
}

impl ServerLimits {
    /// Time from the start of a body until the bytes after the first `length` must be here.
    #[must_use]
    pub fn time_for_body(&self, length: usize) -> Duration {
        let millis = (length as u64).saturating_mul(1000) / self.body_bytes_per_second.max(1);
        self.body_grace.saturating_add(Duration::from_millis(millis))
    }
}
