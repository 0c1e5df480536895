//! What can go wrong with a run, and with one case of it.

use std::path::PathBuf;

use cairn_chain::{ChainError, ImportError};
use cairn_evm::{BlockError, TxError};
use cairn_pool::PoolError;
use cairn_primitives::{GenesisError, ReadError};
use cairn_state::{Difference, StateError};

/// Why a suite could not be run at all.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The directory cannot be read.
    #[error("{path}: {source}")]
    Directory {
        /// What was to be read.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The directory holds no test file, so a run would prove nothing.
    #[error("no test file under {0}")]
    Empty(PathBuf),
    /// No file holds a case for what was asked.
    #[error("no case of {wanted} in {files} files under {path}")]
    NoCase {
        /// Directory that was searched.
        path: PathBuf,
        /// Test files in it.
        files: u64,
        /// Forks that were asked for.
        wanted: String,
    },
    /// The fixtures are required and absent.
    #[error("no fixtures at {0}: set CAIRN_FIXTURES")]
    NoFixtures(PathBuf),
    /// A thread of the run could not be started.
    #[error("worker thread: {0}")]
    Thread(std::io::Error),
}

/// Why a case failed.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
    /// The file, or this test of it, is not shaped like its suite.
    #[error("unknown shape: {0}")]
    Json(#[from] serde_json::Error),
    /// A field has a value that the suite does not allow.
    #[error("unknown shape: {0}")]
    Shape(String),
    /// A value differs.
    #[error("{what}: got {got}, the file says {want}")]
    Mismatch {
        /// What was compared.
        what: &'static str,
        /// Ours.
        got: String,
        /// The file's.
        want: String,
    },
    /// Something that has to be refused was accepted.
    #[error("accepted, the file expects {expected}")]
    Accepted {
        /// Exception that the file names.
        expected: String,
    },
    /// The decoder or the recovery of the sender refused a valid transaction.
    #[error("valid transaction refused: {0}")]
    Decode(#[from] PoolError),
    /// The executor refused a valid transaction, or failed.
    #[error("valid transaction refused: {0}")]
    Transaction(#[from] TxError),
    /// The end of a block failed.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// RLP that has to be valid is not.
    #[error("valid RLP refused: {0}")]
    Rlp(alloy_rlp::Error),
    /// A valid block was refused, or the node failed at one.
    #[error("block {index}: {source}")]
    Import {
        /// Position in the file.
        index: usize,
        /// What the import said.
        source: Box<ImportError>,
    },
    /// The store contradicts itself.
    #[error("store: {0}")]
    Unsound(Difference),
    /// The store failed.
    #[error("store: {0}")]
    Store(#[from] StateError),
    /// State could not be read.
    #[error("store: {0}")]
    Read(#[from] ReadError),
    /// The chain failed.
    #[error("chain: {0}")]
    Chain(#[from] ChainError),
    /// The test's genesis starts no chain.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// A panic, which is a bug wherever it came from.
    #[error("panicked: {0}")]
    Panic(String),
    /// An entry of the exceptions list is out of date.
    #[error("stands in the exceptions list ({reason}) and passes now: remove the entry")]
    Stale {
        /// Reason in the list.
        reason: &'static str,
    },
    /// An entry of the exceptions list names a case that its file does not have.
    #[error("an entry of the exceptions list names no case of this file: remove it")]
    Dangling,
}

/// Compares a value with the file's.
pub(crate) fn same<T: PartialEq + std::fmt::Debug>(
    what: &'static str,
    got: &T,
    want: &T,
) -> Result<(), CaseError> {
    if got == want {
        return Ok(());
    }
    Err(CaseError::Mismatch { what, got: format!("{got:?}"), want: format!("{want:?}") })
}
