//! What can go wrong, by what is done about it.

use std::time::Duration;

use cairn_chain::{ChainError, DeriveError, ImportError};
use cairn_da_client::ClientError;
use cairn_da_client::registry::RegistryError;
use cairn_l1::send::SendError;
use cairn_l1::{DataError, L1Error, NextStep};
use cairn_rollup::derivation::{DerivationError, ResetReason};
use cairn_rollup::l1::L1BlockError;
use cairn_rollup::start::StartError;

/// An error of the driver. [`DriverError::next_step`] says what to do.
#[derive(Debug, thiserror::Error)]
pub enum DriverError {
    /// L1 does not answer, has changed, or is the wrong one.
    #[error(transparent)]
    L1(#[from] L1Error),
    /// An L1 block cannot be derived from.
    #[error(transparent)]
    L1Block(#[from] L1BlockError),
    /// L1 does not say which blob parameters hold at that time.
    #[error("L1 tells no blob parameters for time {0}")]
    BlobParams(u64),
    /// The DA network does not answer.
    #[error("DA network: {0}")]
    Da(#[from] ClientError),
    /// The data of a batch cannot be had.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Derivation must start anew.
    #[error("reset: {0}")]
    Reset(#[from] ResetReason),
    /// An operator asked for a reset.
    #[error("a reset was asked for")]
    ResetAsked,
    /// Derivation cannot go on.
    #[error(transparent)]
    Derivation(#[from] DerivationError),
    /// There is no starting point.
    #[error(transparent)]
    Start(#[from] StartError),
    /// There is none yet: the endpoint has not got to a block that the chain is built on.
    #[error("L1 is behind: {0}")]
    L1Behind(StartError),
    /// The chain failed.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// A derived block could not be made.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// An unsafe block was not taken, or could not be removed.
    #[error(transparent)]
    Import(Box<ImportError>),
    /// The chain holds a block that says not what it was built on.
    #[error("L2 block: {0}")]
    Block(String),
    /// The derivation machine asks for nothing: a bug.
    #[error("derivation asks for nothing and would wait for ever")]
    Idle,
    /// What sends transactions has ended.
    #[error("sending: {0}")]
    Send(#[from] SendError),
    /// A task panicked: a bug.
    #[error("a task has ended with a {0}")]
    Panic(String),
    /// The runtime is shutting down.
    #[error("shutting down")]
    Stopped,
}

impl DriverError {
    /// Pause after a failure of the node itself or of the DA network.
    const PAUSE: Duration = Duration::from_secs(1);

    /// What to do about it.
    pub fn next_step(&self) -> NextStep {
        match self {
            Self::L1(error) => error.next_step(),
            Self::Data(error) => error.next_step(),
            Self::Reset(_) | Self::ResetAsked | Self::Derive(DeriveError::UnknownParent(_)) => {
                NextStep::Reset
            }
            Self::Da(ClientError::Registry(RegistryError::WrongChain { .. })) => NextStep::Stop,
            Self::Da(_) | Self::BlobParams(_) | Self::Import(_) | Self::L1Behind(_) => {
                NextStep::Retry(Self::PAUSE)
            }
            Self::Start(StartError::NeedL1(_) | StartError::Store(_)) => {
                NextStep::Retry(Self::PAUSE)
            }
            // The safe head moved by another hand, or L1 was reorganised below it.
            Self::Derive(DeriveError::BelowSafe { .. }) => NextStep::Reset,
            Self::Chain(error) | Self::Derive(DeriveError::Chain(error)) => {
                if error.is_fatal() {
                    NextStep::Stop
                } else {
                    NextStep::Retry(Self::PAUSE)
                }
            }
            Self::L1Block(L1BlockError::Receipts { .. }) => NextStep::Retry(Self::PAUSE),
            Self::L1Block(_)
            | Self::Derivation(_)
            | Self::Start(_)
            | Self::Derive(_)
            | Self::Block(_)
            | Self::Idle
            | Self::Send(_)
            | Self::Panic(_)
            | Self::Stopped => NextStep::Stop,
        }
    }
}

impl From<ImportError> for DriverError {
    fn from(error: ImportError) -> Self {
        match error {
            ImportError::Chain(error) => Self::Chain(error),
            error => Self::Import(error.into()),
        }
    }
}
