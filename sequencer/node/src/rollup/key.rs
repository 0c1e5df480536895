//! The key of an account.

use std::path::{Path, PathBuf};

use alloy::signers::local::PrivateKeySigner;
use cairn_node_setup::{SetupError, read_private_key, read_secret_text};

/// A key file that cannot be used. All of them end the command; the text says what to change.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeyError {
    /// The file, or that of the password, cannot be read, others may read it too, or it holds neither a keystore
    /// nor a key.
    #[error(transparent)]
    Secret(#[from] SetupError),
    /// The file cannot be read.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// 32 bytes that are no key of the curve.
    #[error("{path} holds no private key of secp256k1")]
    Format {
        /// Which file.
        path: PathBuf,
    },
    /// A keystore needs a password.
    #[error("{path} is a keystore: it needs a password file")]
    NoPassword {
        /// Which file.
        path: PathBuf,
    },
    /// The password is another, or the keystore is damaged.
    #[error("{path} does not open: {reason}")]
    Keystore {
        /// Which file.
        path: PathBuf,
        /// What the decoder says.
        reason: String,
    },
}

/// Reads a key: a keystore (Web3 Secret Storage, version 3), opened with the text of the password
/// file, or a file with 32 bytes in hexadecimal and mode 0600.
///
/// # Errors
/// [`KeyError`].
pub(super) fn read_signer(
    path: &Path,
    password: Option<&Path>,
) -> Result<PrivateKeySigner, KeyError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| KeyError::File { path: path.to_path_buf(), source })?;
    if text.trim_start().starts_with('{') {
        let password = password.ok_or_else(|| KeyError::NoPassword { path: path.to_path_buf() })?;
        let password = read_secret_text(password)?;
        return PrivateKeySigner::decrypt_keystore(path, password).map_err(|error| {
            KeyError::Keystore { path: path.to_path_buf(), reason: error.to_string() }
        });
    }
    let key = read_private_key(path)?;
    let format = |_| KeyError::Format { path: path.to_path_buf() };
    PrivateKeySigner::from_bytes(&key).map_err(format)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use alloy_primitives::B256;

    use super::*;

    fn secret(folder: &Path, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    #[test]
    fn a_plain_key_must_be_private() {
        let folder = tempfile::tempdir().unwrap();
        let text = format!("0x{}\n", "11".repeat(32));
        let key = secret(folder.path(), "key", &text, 0o600);
        let signer = read_signer(&key, None).unwrap();
        assert_eq!(signer.to_bytes(), B256::repeat_byte(0x11));
        let open = secret(folder.path(), "open", &text, 0o640);
        let error = read_signer(&open, None).unwrap_err();
        let mode = KeyError::Secret(SetupError::Mode { path: open, mode: 0o640 });
        assert_eq!(format!("{error:?}"), format!("{mode:?}"));
    }

    #[test]
    fn a_keystore_opens_with_its_password_alone() {
        let folder = tempfile::tempdir().unwrap();
        let key = B256::repeat_byte(0x22);
        let mut rng = rand_08::thread_rng();
        let written =
            PrivateKeySigner::encrypt_keystore(folder.path(), &mut rng, key, "right", Some("k"));
        written.unwrap();
        let path = folder.path().join("k");
        let right = secret(folder.path(), "right", "right\n", 0o600);
        let wrong = secret(folder.path(), "wrong", "wrong\n", 0o600);
        assert_eq!(read_signer(&path, Some(&right)).unwrap().to_bytes(), key);
        let error = read_signer(&path, Some(&wrong)).unwrap_err();
        assert!(matches!(error, KeyError::Keystore { .. }), "{error}");
        let error = read_signer(&path, None).unwrap_err();
        assert!(matches!(error, KeyError::NoPassword { .. }), "{error}");
    }

    #[test]
    fn other_files_are_no_keys() {
        let folder = tempfile::tempdir().unwrap();
        for text in ["00".repeat(32), "ff".repeat(32)] {
            let path = secret(folder.path(), "key", &text, 0o600);
            let error = read_signer(&path, None).unwrap_err();
            assert!(matches!(error, KeyError::Format { .. }), "{error}");
        }
        let path = secret(folder.path(), "key", "0x1234", 0o600);
        let error = read_signer(&path, None).unwrap_err();
        assert!(matches!(error, KeyError::Secret(SetupError::Key { .. })), "{error}");
        let path = secret(folder.path(), "json", "{}", 0o600);
        let error = read_signer(&path, Some(&path)).unwrap_err();
        assert!(matches!(error, KeyError::Keystore { .. }), "{error}");
        let error = read_signer(&folder.path().join("none"), None).unwrap_err();
        assert!(matches!(error, KeyError::File { .. }), "{error}");
    }
}
