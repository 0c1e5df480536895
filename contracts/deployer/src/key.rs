//! The deployer's key: 32 bytes in hexadecimal, in a file or in the environment.

use std::path::Path;

use alloy::signers::local::PrivateKeySigner;
use cairn_node_setup::{SetupError, read_secret_text};

/// The variable that holds the key where no file is named.
pub const KEY_VARIABLE: &str = "CAIRN_DEPLOYER_KEY";

/// Why there is no key. The text never holds a part of it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Neither a file nor the variable.
    #[error("no key: name a file with --key-file or set {KEY_VARIABLE}")]
    Missing,
    /// The file cannot be read, or others than its owner may read it.
    #[error(transparent)]
    Secret(#[from] SetupError),
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
        Some(path) => (read_secret_text(path)?, path.display().to_string()),
        None => (std::env::var(KEY_VARIABLE).map_err(|_| KeyError::Missing)?, KEY_VARIABLE.into()),
    };
    text.trim().parse().map_err(|_| KeyError::Format { place })
}
