//! Files with secrets.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use alloy_primitives::hex;
use cairn_primitives::da::bls::SecretKey;

use super::{KeyError, Keystore};

/// Permission bits of everyone but the owner.
const OTHERS: u32 = 0o077;

fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> KeyError + '_ {
    move |source| KeyError::File { path: path.to_path_buf(), source }
}

/// Reads a file that only its owner may read, without the white space around its text.
///
/// # Errors
/// [`KeyError::Mode`] if others may, [`KeyError::File`].
pub fn read_secret_text(path: &Path) -> Result<String, KeyError> {
    let mode = std::fs::metadata(path).map_err(file_error(path))?.mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(KeyError::Mode { path: path.to_path_buf(), mode });
    }
    let text = std::fs::read_to_string(path).map_err(file_error(path))?;
    Ok(text.trim().to_string())
}

/// Reads a key: a keystore, opened with the text of the password file, or a plain file.
///
/// # Errors
/// [`KeyError`].
pub fn read_key(path: &Path, password: Option<&str>) -> Result<SecretKey, KeyError> {
    let text = std::fs::read_to_string(path).map_err(file_error(path))?;
    if text.trim_start().starts_with('{') {
        let keystore: Keystore =
            serde_json::from_str(&text).map_err(|error| KeyError::Keystore(error.to_string()))?;
        let password = password.ok_or_else(|| KeyError::NoPassword { path: path.to_path_buf() })?;
        return keystore.open(password);
    }
    let text = read_secret_text(path)?;
    let bytes = hex::decode(text).map_err(|_| KeyError::Format { path: path.to_path_buf() })?;
    if bytes.len() != SecretKey::BYTES {
        return Err(KeyError::Format { path: path.to_path_buf() });
    }
    Ok(SecretKey::from_bytes(&bytes)?)
}

/// Writes a new file with mode 0600. An existing file is never overwritten: it may be the only
/// copy of a key.
///
/// # Errors
/// [`KeyError::File`].
pub fn write_private(path: &Path, text: &str) -> Result<(), KeyError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(file_error(path))?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(file_error(path))
}

/// Writes a key in hexadecimal.
///
/// # Errors
/// [`KeyError::File`].
pub fn write_plain(path: &Path, key: &SecretKey) -> Result<(), KeyError> {
    write_private(path, &format!("{}\n", hex::encode_prefixed(key.to_bytes())))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

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
        assert!(matches!(write_plain(&path, &secret()), Err(KeyError::File { .. })));
    }

    #[test]
    fn a_plain_key_that_others_may_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        write_plain(&path, &secret()).unwrap();
        for mode in [0o640, 0o604, 0o610, 0o620, 0o666] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = read_key(&path, None).unwrap_err();
            assert!(matches!(error, KeyError::Mode { mode: found, .. } if found == mode));
        }
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
        assert!(matches!(with("zz"), KeyError::Format { .. }));
        assert!(matches!(with("0x1234"), KeyError::Format { .. }));
        assert!(matches!(with(&"ff".repeat(32)), KeyError::Key(_)));
        assert!(matches!(with("{}"), KeyError::Keystore(_)));
        let missing = read_key(&dir.path().join("missing"), None).unwrap_err();
        assert!(matches!(missing, KeyError::File { .. }));
    }
}
