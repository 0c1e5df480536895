//! The transactions that may be on the wire.
//!
//! ```text
//! <folder>/lock                  held while the journal is open
//! <folder>/<nonce>-<n>.tx        the n-th transaction signed under a nonce:
//!     version (1) ‖ keccak256(body) (32) ‖ body
//!     body = RLP [priority fee, max fee, max blob fee, EIP-2718 network form]
//! <folder>/*.tmp                 being written; worth nothing
//! ```
//!
//! A record is written under another name, synced, renamed, and the folder synced, before its
//! transaction is sent: after a crash every transaction that a node may have is here, whole. A file
//! that is damaged all the same is an error and not passed over: what it held may be mined.
//! Removing is not synced; a record that comes back is one of a nonce that is long used.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::io::Write;
use std::path::{Path, PathBuf};

use alloy_primitives::{Address, Bytes, keccak256};
use alloy_rlp::{Decodable, Encodable, RlpDecodable, RlpEncodable};

use super::Fees;

const VERSION: u8 = 1;
const HASH_BYTES: usize = 32;

/// A journal that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// Reading or writing failed. Writing can be tried again.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another process sends from the same journal.
    #[error("{path} is held by another process")]
    Locked {
        /// The lock.
        path: PathBuf,
    },
    /// A record that cannot be read: find out on L1 what became of its nonce, then remove it.
    #[error("{path} is damaged: {reason}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The journal is that of another account, and its nonces mean nothing for this one: each account has a
    /// folder of its own.
    #[error("the transaction with nonce {nonce} is from {found}, not from {account}")]
    OtherAccount {
        /// The nonce of a record.
        nonce: u64,
        /// Who signed it.
        found: Address,
        /// Who was to send.
        account: Address,
    },
}

/// A signed transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Its fee caps.
    pub fees: Fees,
    /// EIP-2718 encoding, with the sidecar if it has one.
    pub raw: Bytes,
}

#[derive(RlpEncodable, RlpDecodable)]
struct Body {
    priority: u128,
    max: u128,
    blob: u128,
    raw: Bytes,
}

/// An open journal.
#[derive(Debug)]
pub struct Journal {
    folder: PathBuf,
    /// Transactions of each nonce.
    counts: BTreeMap<u64, u32>,
    _lock: File,
}

/// The records of a nonce, in the order of signing.
pub type Records = BTreeMap<u64, Vec<Record>>;

impl Journal {
    /// Opens the journal of an account, making the folder if it is not there, and reads it.
    ///
    /// # Errors
    /// [`JournalError`].
    pub fn open(folder: &Path) -> Result<(Self, Records), JournalError> {
        std::fs::create_dir_all(folder).map_err(file_error(folder))?;
        let path = folder.join("lock");
        let lock = File::options().create(true).append(true).open(&path);
        let lock = lock.map_err(file_error(&path))?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(JournalError::Locked { path }),
            Err(TryLockError::Error(source)) => return Err(JournalError::File { path, source }),
        }
        let mut found: BTreeMap<u64, BTreeMap<u32, Record>> = BTreeMap::new();
        for entry in std::fs::read_dir(folder).map_err(file_error(folder))? {
            let path = entry.map_err(file_error(folder))?.path();
            if path.extension().is_some_and(|extension| extension == "tmp") {
                std::fs::remove_file(&path).map_err(file_error(&path))?;
            } else if path.extension().is_some_and(|extension| extension == "tx") {
                let (nonce, place) = place_of(&path)?;
                found.entry(nonce).or_default().insert(place, read(&path)?);
            }
        }
        let counts = found.iter().filter_map(|(nonce, records)| {
            let last = *records.last_key_value()?.0;
            Some((*nonce, last.saturating_add(1)))
        });
        let counts = counts.collect();
        let in_order = |records: BTreeMap<u32, Record>| records.into_values().collect();
        let records = found.into_iter().map(|(nonce, records)| (nonce, in_order(records)));
        Ok((Self { folder: folder.to_path_buf(), counts, _lock: lock }, records.collect()))
    }

    /// Writes a record and syncs it. After an error it may be there or not.
    ///
    /// # Errors
    /// [`JournalError::File`].
    pub fn append(&mut self, nonce: u64, record: &Record) -> Result<(), JournalError> {
        let count = self.counts.entry(nonce).or_default();
        let path = self.folder.join(format!("{nonce}-{count}.tx"));
        let temporary = path.with_extension("tmp");
        let mut file = File::create(&temporary).map_err(file_error(&temporary))?;
        let written = file.write_all(&encode(record)).and_then(|()| file.sync_all());
        written.map_err(file_error(&temporary))?;
        std::fs::rename(&temporary, &path).map_err(file_error(&path))?;
        let folder = File::open(&self.folder).and_then(|folder| folder.sync_all());
        folder.map_err(file_error(&self.folder))?;
        *count = count.saturating_add(1);
        Ok(())
    }

    /// Removes the records of a nonce that is done.
    ///
    /// # Errors
    /// [`JournalError::File`].
    pub fn forget(&mut self, nonce: u64) -> Result<(), JournalError> {
        for place in 0..self.counts.remove(&nonce).unwrap_or_default() {
            let path = self.folder.join(format!("{nonce}-{place}.tx"));
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(file_error(&path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> JournalError + '_ {
    move |source| JournalError::File { path: path.to_path_buf(), source }
}

/// Nonce and place of a record, from the name of its file.
fn place_of(path: &Path) -> Result<(u64, u32), JournalError> {
    let name = path.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    let parts = name.split_once('-');
    let place = parts.and_then(|(nonce, place)| Some((nonce.parse().ok()?, place.parse().ok()?)));
    let reason = "the name is not <nonce>-<n>.tx".to_owned();
    place.ok_or_else(|| JournalError::Damaged { path: path.to_path_buf(), reason })
}

fn encode(record: &Record) -> Vec<u8> {
    let Fees { priority, max, blob } = record.fees;
    let mut body = Vec::new();
    Body { priority, max, blob, raw: record.raw.clone() }.encode(&mut body);
    [&[VERSION][..], keccak256(&body).as_slice(), &body].concat()
}

fn read(path: &Path) -> Result<Record, JournalError> {
    let bytes = std::fs::read(path).map_err(file_error(path))?;
    let damaged = |reason: &str| JournalError::Damaged {
        path: path.to_path_buf(),
        reason: reason.to_owned(),
    };
    let (version, rest) = bytes.split_first().ok_or_else(|| damaged("empty"))?;
    if *version != VERSION {
        return Err(damaged("of another version"));
    }
    let (hash, mut body) = rest.split_at_checked(HASH_BYTES).ok_or_else(|| damaged("too short"))?;
    if keccak256(body).as_slice() != hash {
        return Err(damaged("another hash"));
    }
    let Body { priority, max, blob, raw } =
        Body::decode(&mut body).map_err(|error| damaged(&error.to_string()))?;
    Ok(Record { fees: Fees { priority, max, blob }, raw })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(byte: u8) -> Record {
        let fees = Fees { priority: 1, max: u128::MAX, blob: u128::from(byte) };
        Record { fees, raw: vec![byte; 300].into() }
    }

    #[test]
    fn records_outlive_the_process_until_they_are_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, records) = Journal::open(folder.path()).unwrap();
        assert!(records.is_empty());
        for (nonce, byte) in [(7, 1), (8, 2), (7, 3)] {
            journal.append(nonce, &record(byte)).unwrap();
        }
        drop(journal);
        let (mut journal, records) = Journal::open(folder.path()).unwrap();
        let all = [(7, vec![record(1), record(3)]), (8, vec![record(2)])];
        assert_eq!(records, BTreeMap::from(all));
        journal.append(8, &record(4)).unwrap();
        journal.forget(7).unwrap();
        journal.forget(7).unwrap();
        drop(journal);
        let (_, records) = Journal::open(folder.path()).unwrap();
        assert_eq!(records, BTreeMap::from([(8, vec![record(2), record(4)])]));
    }

    #[test]
    fn two_processes_do_not_share_a_journal() {
        let folder = tempfile::tempdir().unwrap();
        let _held = Journal::open(folder.path()).unwrap();
        let error = Journal::open(folder.path()).unwrap_err();
        assert!(matches!(error, JournalError::Locked { .. }), "{error}");
    }

    #[test]
    fn half_a_file_is_nothing_and_a_damaged_record_an_error() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("3-0.tmp"), b"half").unwrap();
        let (mut journal, records) = Journal::open(folder.path()).unwrap();
        assert!(records.is_empty() && !folder.path().join("3-0.tmp").exists());
        journal.append(3, &record(1)).unwrap();
        drop(journal);
        let path = folder.path().join("3-0.tx");
        let whole = std::fs::read(&path).unwrap();
        for damaged in [&whole[..0], &whole[..20], &whole[..whole.len() - 1], b"\x02rest"] {
            std::fs::write(&path, damaged).unwrap();
            let error = Journal::open(folder.path()).unwrap_err();
            assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
        }
        std::fs::write(&path, whole).unwrap();
        std::fs::write(folder.path().join("x.tx"), b"").unwrap();
        let error = Journal::open(folder.path()).unwrap_err();
        assert!(matches!(error, JournalError::Damaged { .. }), "{error}");
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        std::fs::write(&path, b"").unwrap();
        assert!(matches!(Journal::open(&path), Err(JournalError::File { .. })));
        let (mut journal, _) = Journal::open(folder.path()).unwrap();
        std::fs::create_dir(folder.path().join("1-0.tmp")).unwrap();
        assert!(matches!(journal.append(1, &record(1)), Err(JournalError::File { .. })));
    }
}
