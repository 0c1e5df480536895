//! Why a node does not start.

use std::path::PathBuf;

/// A setting or a file that cannot be used. All of them end the command; the text says what to
/// change.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Others than the owner may read or write a file with a secret.
    #[error("{path} has mode {mode:04o}: a secret must be readable by its owner alone (0600)")]
    Mode {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file with a private key holds something else, which is not shown.
    #[error("{path} does not hold a key of 32 bytes in hexadecimal")]
    Key {
        /// Which file.
        path: PathBuf,
    },
    /// The configuration file is no TOML, or has keys or values that are none.
    #[error("configuration file {path}: {reason}")]
    Settings {
        /// Which file.
        path: PathBuf,
        /// Where and what.
        reason: String,
    },
    /// `--log.filter` is no filter.
    #[error("log.filter: {0}")]
    LogFilter(String),
    /// Logs or metrics were started already.
    #[error("started twice: {0}")]
    Twice(String),
    /// An address cannot be listened on.
    #[error("{address}: {source}")]
    Listen {
        /// Which address.
        address: std::net::SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// A signal cannot be waited for.
    #[error("signals: {0}")]
    Signal(std::io::Error),
}
