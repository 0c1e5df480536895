//! Files with keys.

use std::path::Path;

use alloy_primitives::hex;
use cairn_node_setup::{SetupError, read_private_key, write_private};
use cairn_primitives::da::bls::SecretKey;

use super::{KeyError, Keystore};

/// Reads a key: a keystore, opened with the text of the password file, or a plain file.
///
/// # Errors
/// [`KeyError`].
pub fn read_key(path: &Path, password: Option<&str>) -> Result<SecretKey, KeyError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| SetupError::File { path: path.to_path_buf(), source })?;
    if text.trim_start().starts_with('{') {
        let keystore: Keystore =
            serde_json::from_str(&text).map_err(|error| KeyError::Keystore(error.to_string()))?;
        let password = password.ok_or_else(|| KeyError::NoPassword { path: path.to_path_buf() })?;
        return keystore.open(password);
    }
    Ok(SecretKey::from_bytes(read_private_key(path)?.as_slice())?)
}

/// Writes a key in hexadecimal.
///
/// # Errors
/// [`KeyError::File`].
pub fn write_plain(path: &Path, key: &SecretKey) -> Result<(), KeyError> {
    Ok(write_private(path, &format!("{}\n", hex::encode_prefixed(key.to_bytes())))?)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    fn secret() -> SecretKey {
        SecretKey::derive(&[7; 32]).unwrap()
    }

    #[test]
    fn a_plain_key_survives_and_is_private() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        write_plain(&path, &secret()).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(read_key(&path, None).unwrap().to_bytes(), secret().to_bytes());
        assert!(matches!(write_plain(&path, &secret()), Err(KeyError::File(_))));
    }

    #[test]
    fn a_plain_key_that_others_may_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        write_plain(&path, &secret()).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        let error = read_key(&path, None).unwrap_err();
        assert!(matches!(error, KeyError::File(SetupError::Mode { mode: 0o640, .. })));
    }

    #[test]
    fn other_files_are_no_keys() {
        let dir = tempfile::tempdir().unwrap();
        let with = |text: &str| {
            let path = dir.path().join("key");
            write_private(&path, text).unwrap();
            let error = read_key(&path, None).unwrap_err();
            std::fs::remove_file(&path).unwrap();
            error
        };
        assert!(matches!(with("zz"), KeyError::File(SetupError::Key { .. })));
        assert!(matches!(with("0x1234"), KeyError::File(SetupError::Key { .. })));
        assert!(matches!(with(&"ff".repeat(32)), KeyError::Key(_)));
        assert!(matches!(with("{}"), KeyError::Keystore(_)));
        let missing = read_key(&dir.path().join("missing"), None).unwrap_err();
        assert!(matches!(missing, KeyError::File(_)));
    }
}
