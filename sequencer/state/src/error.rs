//! What can go wrong, by what the caller does about it.

use std::path::PathBuf;

use alloy_primitives::B256;
use cairn_primitives::ReadError;

/// An error of the store. The variants are decisions for the caller.
///
/// | variant | what to do |
/// |---|---|
/// | [`Locked`](Self::Locked), [`WrongSchema`](Self::WrongSchema), [`WrongChain`](Self::WrongChain), [`WrongGenesis`](Self::WrongGenesis) | refuse to start, show the text |
/// | [`NoSpace`](Self::NoSpace) | stop accepting, keep serving reads, retry the same call |
/// | [`Unavailable`](Self::Unavailable) | answer the reader with it |
/// | [`NotOnTip`](Self::NotOnTip), [`NotCanonical`](Self::NotCanonical), [`BelowFinalized`](Self::BelowFinalized), [`Genesis`](Self::Genesis), [`ForeignChanges`](Self::ForeignChanges) | a caller's bug, nothing was written |
/// | [`RootMismatch`](Self::RootMismatch), [`Corrupt`](Self::Corrupt), [`Database`](Self::Database) | stop the node |
#[derive(Debug, Clone, thiserror::Error)]
pub enum StateError {
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
    /// The store belongs to another chain, or to the same chain with another configuration.
    #[error("the store at {path} holds {found}, not {expected}")]
    WrongChain {
        /// Directory of the store.
        path: PathBuf,
        /// Chain of the store.
        found: String,
        /// Chain that was asked for.
        expected: String,
    },
    /// Same configuration, other genesis block.
    #[error("the store at {path} starts from genesis {found}, not {expected}")]
    WrongGenesis {
        /// Directory of the store.
        path: PathBuf,
        /// Genesis hash in the store.
        found: B256,
        /// Genesis hash that was asked for.
        expected: B256,
    },
    /// Genesis is missing where it is needed, or present where it is about to be written.
    #[error("genesis: {0}")]
    Genesis(&'static str),
    /// The disk is full. Nothing of the call was applied; it succeeds once space returns.
    #[error("no space left on the store's disk: {0}")]
    NoSpace(String),
    /// A block does not follow the store's tip.
    #[error("block {number} with parent {parent} does not follow the tip {tip_number} {tip}")]
    NotOnTip {
        /// Number of the block.
        number: u64,
        /// Its parent hash.
        parent: B256,
        /// Number of the store's tip.
        tip_number: u64,
        /// Hash of the store's tip.
        tip: B256,
    },
    /// The block is not one of the chain's.
    #[error("block {number} ({hash}) is not canonical")]
    NotCanonical {
        /// Number of the block.
        number: u64,
        /// Its hash.
        hash: B256,
    },
    /// An unwind would remove finalized blocks.
    #[error("unwinding to {target} would remove finalized blocks up to {finalized}")]
    BelowFinalized {
        /// Block to unwind to.
        target: u64,
        /// Finalized head.
        finalized: u64,
    },
    /// Changes whose previous values are not those of the state they are applied to.
    #[error("changes of {key} were made on another state: {what}")]
    ForeignChanges {
        /// Hashed key, or the hashed address and slot.
        key: String,
        /// Which value differs.
        what: &'static str,
    },
    /// The state of that block cannot be read (pruned, unwound, or not yet known).
    #[error("state at block {block} is not available: {reason}")]
    Unavailable {
        /// Block that was asked for.
        block: u64,
        /// What became of it.
        reason: &'static str,
    },
    /// A computed root differs from the header's. Nothing was written.
    #[error("state root of block {block}: computed {computed}, header says {expected}")]
    RootMismatch {
        /// Block number.
        block: u64,
        /// Root in the header.
        expected: B256,
        /// Root that the state gives.
        computed: B256,
    },
    /// A stored value is missing or malformed.
    #[error("the store is corrupt: {0}")]
    Corrupt(String),
    /// The database failed.
    #[error("database: {0}")]
    Database(String),
}

impl StateError {
    /// Whether the same call may succeed later without any other change.
    pub const fn is_retryable(&self) -> bool {
        matches!(self, Self::NoSpace(_))
    }

    /// Holds the root that a state gives against the one in the block's header.
    pub(crate) fn check_root(block: u64, expected: B256, computed: B256) -> Result<()> {
        if computed == expected {
            return Ok(());
        }
        Err(Self::RootMismatch { block, expected, computed })
    }

    pub(crate) fn corrupt(what: impl Into<String>) -> Self {
        Self::Corrupt(what.into())
    }
}

impl From<rocksdb::Error> for StateError {
    fn from(error: rocksdb::Error) -> Self {
        let text = error.into_string();
        // RocksDB gives the sub-code of an I/O error in its text alone.
        if text.contains("No space left on device") || text.contains("no space") {
            Self::NoSpace(text)
        } else if text.starts_with("Corruption") {
            Self::Corrupt(text)
        } else {
            Self::Database(text)
        }
    }
}

impl From<StateError> for ReadError {
    fn from(error: StateError) -> Self {
        match error {
            StateError::Unavailable { block, reason } => Self::Unavailable { block, reason },
            other => Self::Store(other.to_string()),
        }
    }
}

impl From<ReadError> for StateError {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Unavailable { block, reason } => Self::Unavailable { block, reason },
            ReadError::Store(text) => Self::Database(text),
        }
    }
}

/// Result of the store.
pub type Result<T, E = StateError> = std::result::Result<T, E>;
