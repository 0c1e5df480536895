use super::{CarrierChoice, Event};

/// What an operator may tell a running batcher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatcherCommand {
    /// To send the blocks that it has, and not to wait for more.
    Flush,
    /// To use these carriers from now on, until it is told otherwise or started again.
    SetCarrier(CarrierChoice),
    /// To send nothing more until it is told to start, or the process is started again. What is in the mempool may still be included.
    Stop,
    /// To begin behind the safe head, as after a start of the process. Nothing if it runs.
    Start,
}

/// Why a batcher does not do as it is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BatcherCommandError {
    /// Another node may have one.
    #[error("this node has no batcher")]
    NoBatcher,
    /// Its log says why.
    #[error("the batcher has ended")]
    Ended,
    /// Commands came faster than it takes them: tell it again.
    #[error("the batcher is busy")]
    Busy,
    /// It would find no network behind the choice: start it with `auto`.
    #[error("the batcher was started without the DA network")]
    NoDataAvailability,
}

impl From<BatcherCommand> for Event {
    fn from(command: BatcherCommand) -> Self {
        match command {
            BatcherCommand::Flush => Self::Flush,
            BatcherCommand::SetCarrier(choice) => Self::SetCarrier(choice),
            BatcherCommand::Stop => Self::Stop,
            BatcherCommand::Start => Self::Start,
        }
    }
}
