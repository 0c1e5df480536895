//! Files with secrets: readable by their owner alone, never overwritten.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use alloy_primitives::{B256, hex};

use crate::SetupError;

/// Permission bits of everyone but the owner.
const OTHERS: u32 = 0o077;

fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> SetupError + '_ {
    move |source| SetupError::File { path: path.to_path_buf(), source }
}

/// Reads a file that only its owner may read, without the white space around its text.
///
/// # Errors
/// [`SetupError::Mode`] if others may, [`SetupError::File`].
pub fn read_secret_text(path: &Path) -> Result<String, SetupError> {
    let mode = std::fs::metadata(path).map_err(file_error(path))?.mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(SetupError::Mode { path: path.to_path_buf(), mode });
    }
    let text = std::fs::read_to_string(path).map_err(file_error(path))?;
    Ok(text.trim().to_string())
}

/// Reads a private key, 32 bytes in hexadecimal, from a file that only its owner may read. Whether they are a key
/// of a curve is for the caller.
///
/// # Errors
/// [`SetupError::Key`], and those of [`read_secret_text`].
pub fn read_private_key(path: &Path) -> Result<B256, SetupError> {
    let text = read_secret_text(path)?;
    parse_private_key(&text).ok_or_else(|| SetupError::Key { path: path.to_path_buf() })
}

/// The same of a text, with or without `0x` and white space around it.
pub fn parse_private_key(text: &str) -> Option<B256> {
    // The decoder's error would name digits of the key.
    let mut key = B256::ZERO;
    hex::decode_to_slice(text.trim(), key.as_mut_slice()).ok().map(|()| key)
}

/// Writes a new file with mode 0600. An existing file is never overwritten: it may be the only
/// copy of a key.
///
/// # Errors
/// [`SetupError::File`].
pub fn write_private(path: &Path, text: &str) -> Result<(), SetupError> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .map_err(file_error(path))?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    written.map_err(file_error(path))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_secret_is_private_and_written_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        write_private(&path, " a secret\n").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(read_secret_text(&path).unwrap(), "a secret");
        assert!(matches!(write_private(&path, "other"), Err(SetupError::File { .. })));
        assert_eq!(read_secret_text(&path).unwrap(), "a secret");
        let missing = read_secret_text(&dir.path().join("none"));
        assert!(matches!(missing, Err(SetupError::File { .. })));
    }

    #[test]
    fn a_private_key_is_32_bytes_in_hexadecimal() {
        let key = B256::repeat_byte(0x1f);
        let digits = "1f".repeat(32);
        for text in [digits.clone(), format!("0x{digits}"), format!(" 0x{digits}\n")] {
            assert_eq!(parse_private_key(&text), Some(key));
        }
        for text in ["", "0x", &digits[1..], &format!("{digits}00"), &digits.replace('f', "g")] {
            assert_eq!(parse_private_key(text), None);
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        write_private(&path, &digits).unwrap();
        assert_eq!(read_private_key(&path).unwrap(), key);
        let other = dir.path().join("other");
        write_private(&other, "1f1g").unwrap();
        let error = read_private_key(&other).unwrap_err();
        assert!(matches!(&error, SetupError::Key { path } if *path == other), "{error}");
        assert!(!error.to_string().contains("1f1g"), "{error}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert!(matches!(read_private_key(&path), Err(SetupError::Mode { .. })));
    }

    #[test]
    fn a_secret_that_others_may_touch_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("key");
        write_private(&path, "a secret").unwrap();
        for mode in [0o640, 0o604, 0o610, 0o620, 0o666] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = read_secret_text(&path).unwrap_err();
            assert!(matches!(error, SetupError::Mode { mode: found, .. } if found == mode));
        }
    }
}
