//! Pausing, and waiting for attributes.

use std::time::Instant;

use crossbeam_channel::RecvTimeoutError;

use super::SequencerStatus;
use super::run::Worker;
use crate::error::ChainError;

impl Worker {
    /// Pauses if that was asked for.
    pub(super) fn pause_if_asked(&mut self) {
        if let Some(done) = self.paused.take() {
            self.is_paused = true;
            let _ = done.send(());
        }
    }

    /// Pauses, if that was asked for, where no block is open: after a failure, and while there are no
    /// attributes for the next one. A block that the journal still has is sealed first.
    pub(super) fn pause_between_blocks(&mut self) -> Result<(), ChainError> {
        if self.paused.is_some() && self.resumed.is_none() {
            self.settle_if_needed()?;
            if self.resumed.is_none() {
                self.pause_if_asked();
            }
        }
        Ok(())
    }

    /// Says why no block can begin, and waits before the source is asked again. New transactions do
    /// not end the wait; commands do.
    pub(super) fn stall(&mut self, error: &ChainError) {
        let status = SequencerStatus::Stalled(error.to_string());
        if *self.status.lock() != status {
            tracing::warn!(target: "chain::sequencer", %error, "waiting");
            self.set_status(status);
        }
        let until = Instant::now() + self.options.retry;
        while !self.shutdown && self.paused.is_none() {
            let left = until.saturating_duration_since(Instant::now());
            match self.inbox.recv_timeout(left) {
                Ok(command) => self.carry_out(command),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => self.shutdown = true,
            }
        }
    }
}
