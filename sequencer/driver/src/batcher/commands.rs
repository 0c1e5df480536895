//! Commands of operators on their way to the batcher's thread.

use cairn_rollup::RollupHandle;
use cairn_rollup::batcher::{BatcherCommand, BatcherCommandError, CarrierChoice};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

/// Commands that may wait.
const WAITING_MAX: usize = 16;

/// Takes the commands that the handle is given from now on. `has_network` says whether there is a DA
/// network to choose.
pub(super) fn take_commands(
    handle: &RollupHandle,
    has_network: bool,
) -> mpsc::Receiver<BatcherCommand> {
    let (sender, receiver) = mpsc::channel(WAITING_MAX);
    handle.on_batcher_command(move |command| {
        if command == BatcherCommand::SetCarrier(CarrierChoice::Auto) && !has_network {
            return Err(BatcherCommandError::NoDataAvailability);
        }
        sender.try_send(command).map_err(|error| match error {
            TrySendError::Full(_) => BatcherCommandError::Busy,
            TrySendError::Closed(_) => BatcherCommandError::Ended,
        })
    });
    receiver
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TestChain, rollup};

    #[test]
    fn commands_wait_in_order_and_not_without_end() {
        let handle = RollupHandle::new(rollup(&TestChain::new().chain, Default::default()));
        let flush = || handle.command_batcher(BatcherCommand::Flush);
        assert_eq!(flush(), Err(BatcherCommandError::NoBatcher));
        let mut taken = take_commands(&handle, false);
        let auto = BatcherCommand::SetCarrier(CarrierChoice::Auto);
        assert_eq!(handle.command_batcher(auto), Err(BatcherCommandError::NoDataAvailability));
        let blobs = BatcherCommand::SetCarrier(CarrierChoice::Blobs);
        assert_eq!(handle.command_batcher(blobs), Ok(()));
        assert!((1..WAITING_MAX).all(|_| flush().is_ok()));
        assert_eq!(flush(), Err(BatcherCommandError::Busy));
        assert_eq!(taken.try_recv(), Ok(blobs));
        assert_eq!(flush(), Ok(()));
        drop(taken);
        assert_eq!(flush(), Err(BatcherCommandError::Ended));
        let _taken = take_commands(&handle, true);
        assert_eq!(handle.command_batcher(auto), Ok(()));
    }
}
