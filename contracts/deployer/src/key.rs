//! The deployer's key: 32 bytes in hexadecimal, in a file or in the environment.

use std::path::Path;

use alloy::signers::local::PrivateKeySigner;
use cairn_node_setup::{SetupError, parse_private_key, read_private_key};

/// The variable that holds the key where no file is named.
pub const KEY_VARIABLE: &str = "CAIRN_DEPLOYER_KEY";

/// Why there is no key. The text never holds a part of it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// Neither a file nor the variable.
    #[error("no key: name a file with --key-file or set {KEY_VARIABLE}")]
    Missing,
    /// The file cannot be read, others than its owner may read it, or it holds no key.
    #[error(transparent)]
    Secret(#[from] SetupError),
    /// What is there is no key of the curve; of the variable, no 32 bytes in hexadecimal either.
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
    let (key, place) = match file {
        Some(path) => (read_private_key(path)?, path.display().to_string()),
        None => {
            let place = KEY_VARIABLE.to_owned();
            let text = std::env::var(KEY_VARIABLE).map_err(|_| KeyError::Missing)?;
            let Some(key) = parse_private_key(&text) else {
                return Err(KeyError::Format { place });
            };
            (key, place)
        }
    };
    PrivateKeySigner::from_bytes(&key).map_err(|_| KeyError::Format { place })
}
