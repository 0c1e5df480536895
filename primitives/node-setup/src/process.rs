//! The process: signals, descriptors, TLS.

use tokio::signal::unix::{SignalKind, signal};

use crate::SetupError;

/// Waits for SIGTERM or SIGINT and names it. From the first poll on the signals no longer end the
/// process.
///
/// # Errors
/// [`SetupError::Signal`].
pub async fn told_to_stop() -> Result<&'static str, SetupError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(SetupError::Signal)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(SetupError::Signal)?;
    tokio::select! {
        _ = terminate.recv() => Ok("SIGTERM"),
        _ = interrupt.recv() => Ok("SIGINT"),
    }
}

/// Thousands of connections need thousands of descriptors; the usual soft limit is 1024.
pub fn raise_descriptor_limit() {
    match rlimit::increase_nofile_limit(u64::MAX) {
        Ok(limit) => tracing::debug!(target: "node", limit, "file descriptors"),
        Err(error) => tracing::warn!(target: "node", %error, "file descriptor limit not raised"),
    }
}

/// One TLS stack for all clients: rustls with ring.
pub fn install_tls() {
    // A second call finds it installed already.
    let _ = rustls::crypto::ring::default_provider().install_default();
}
