//! What can go wrong, by what the caller does about it.

use std::path::PathBuf;

use alloy_primitives::{Address, B256};
use cairn_primitives::da::Reservation;

/// An error of the store.
///
/// | variant | what to do |
/// |---|---|
/// | [`Locked`](Self::Locked), [`WrongSchema`](Self::WrongSchema), [`WrongIdentity`](Self::WrongIdentity) | refuse to start, show the text |
/// | [`NoSpace`](Self::NoSpace) | sign nothing, keep serving reads, retry later |
/// | [`ReservationUsed`](Self::ReservationUsed) | refuse the submission; nothing was written |
/// | [`Corrupt`](Self::Corrupt), [`Database`](Self::Database) | stop the node |
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another process has the directory open.
    #[error("the store at {path} is in use by another process")]
    Locked {
        /// Directory of the store.
        path: PathBuf,
    },
    /// Written by another version of this program.
    #[error("the store at {path} has schema {found}, this program reads schema {expected}")]
    WrongSchema {
        /// Directory of the store.
        path: PathBuf,
        /// Version in the store.
        found: u32,
        /// Version of this program.
        expected: u32,
    },
    /// The store belongs to another operator, registry or chain.
    #[error("the store at {path} belongs to {found}, not to {expected}")]
    WrongIdentity {
        /// Directory of the store.
        path: PathBuf,
        /// Whose the store is.
        found: String,
        /// Who asked.
        expected: String,
    },
    /// The disk is full. Nothing of the call was applied.
    #[error("no space left on the store's disk: {0}")]
    NoSpace(String),
    /// The payer used the number for another header.
    #[error("reservation {reservation} of {payer} is used by header {used_by}")]
    ReservationUsed {
        /// The payer.
        payer: Address,
        /// The payer's number.
        reservation: Reservation,
        /// Header that has it.
        used_by: B256,
    },
    /// A stored value is missing or malformed.
    #[error("the store is corrupt: {0}")]
    Corrupt(&'static str),
    /// The database failed.
    #[error("database: {0}")]
    Database(String),
}

/// Result of the store.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

impl From<rocksdb::Error> for StoreError {
    fn from(error: rocksdb::Error) -> Self {
        let text = error.into_string();
        // RocksDB gives the sub-code of an I/O error in its text alone.
        if text.contains("No space left on device") || text.contains("no space") {
            Self::NoSpace(text)
        } else {
            Self::Database(text)
        }
    }
}
