//! The deployer's key: 32 bytes in hexadecimal, in a file or in the environment.

use std::path::{Path, PathBuf};

use alloy::signers::local::PrivateKeySigner;

/// The variable that holds the key where no file is named.
pub const KEY_VARIABLE: &str = "CAIRN_DEPLOYER_KEY";

/// Why there is no key. The text never holds a part of it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Neither a file nor the variable.
    #[error("no key: name a file with --key-file or set {KEY_VARIABLE}")]
    Missing,
    /// The file cannot be read.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Others than the owner may read the file.
    #[error("{path} has mode {mode:04o}: a secret must be readable by its owner alone (0600)")]
    Mode {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// What is there is no key.
    #[error("{place} does not hold a key of 32 bytes in hexadecimal")]
    Format {
        /// The file or the variable.
        place: String,
    },
}

/// The key in a file, or else in [`KEY_VARIABLE`].
///
/// # Errors
/// See [`KeyError`].
pub fn read_key(file: Option<&Path>) -> Result<PrivateKeySigner, KeyError> {
    let (text, place) = match file {
        Some(path) => (read_file(path)?, path.display().to_string()),
        None => (std::env::var(KEY_VARIABLE).map_err(|_| KeyError::Missing)?, KEY_VARIABLE.into()),
    };
    text.trim().parse().map_err(|_| KeyError::Format { place })
}

fn read_file(path: &Path) -> Result<String, KeyError> {
    use std::os::unix::fs::MetadataExt;
    let fail = |source| KeyError::File { path: path.to_path_buf(), source };
    let mode = std::fs::metadata(path).map_err(fail)?.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(KeyError::Mode { path: path.to_path_buf(), mode });
    }
    std::fs::read_to_string(path).map_err(fail)
}
