//! One round: a batch of transactions executed, journaled, shown, reported.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cairn_evm::TxError;
use cairn_evm::revm_types::InvalidTransaction;
use cairn_pool::{PoolTransaction, Unexecutable};
use cairn_state::StateError;

use super::SequencerStatus;
use super::open_block::{Executed, OpenBlock};
use super::records::Record;
use super::run::Worker;
use crate::error::ChainError;

/// Transactions in a round from which the sequencer is under load, and how many times longer it
/// then pauses between rounds.
const BUSY_ROUND: usize = 16;
const BUSY_PAUSE: u32 = 3;

/// Time that a transaction of the last round took to come, below which the load is heavy, and the
/// pause then: a round's sync and wake-ups are a tenth of what its transactions cost.
const HEAVY_ARRIVAL: Duration = Duration::from_micros(50);
const HEAVY_PAUSE: u32 = 8;

impl Worker {
    /// Under load the pause is longer: latency is bounded by it, while the processor time that
    /// rounds cost goes to transactions. Where transactions wait already, none is needed.
    pub(super) fn round_pause(&self) -> Duration {
        if self.backlog {
            return Duration::ZERO;
        }
        let txs = u32::try_from(self.last_round_txs).unwrap_or(u32::MAX);
        let factor = match self.last_round_txs {
            0..BUSY_ROUND => 1,
            _ if self.last_interval >= HEAVY_ARRIVAL.saturating_mul(txs) => BUSY_PAUSE,
            _ => HEAVY_PAUSE,
        };
        self.options.round_pause * factor
    }

    /// Executes a batch, journals it, shows it, and reports to the pool.
    pub(super) fn round(
        &mut self,
        open: &mut OpenBlock,
        batch: &[Arc<PoolTransaction>],
        deadline: Instant,
    ) -> Result<(), ChainError> {
        let stop = deadline.min(Instant::now() + self.options.round_time);
        let mut executed = Vec::with_capacity(batch.len());
        let mut refused = Vec::new();
        let mut records = Vec::with_capacity(batch.len());
        let mut late = false;
        for tx in batch {
            // At least one transaction of each round is executed, however late it is.
            late = late || (!executed.is_empty() && Instant::now() >= stop);
            if late {
                refused.push((tx.hash(), Unexecutable::NonceTooHigh, None));
                continue;
            }
            match open.execute(tx) {
                Ok(done) => {
                    records.push(Record::tx(tx.sender(), tx.encoded()));
                    executed.push(done);
                }
                Err(error) if error.is_fatal() => {
                    return Err(ChainError::Build {
                        number: open.number(),
                        reason: error.to_string(),
                    });
                }
                Err(error) => refused.push((tx.hash(), unexecutable(&error), Some(error))),
            }
        }
        self.backlog = late || batch.len() >= self.options.round_txs;
        self.journaled(open.number(), &records)?;
        metrics::counter!("cairn_sequencer_transactions_total").increment(executed.len() as u64);
        let reports: Vec<_> = executed.iter().map(|done| (done.tx.hash, done.sender)).collect();
        self.show(open, executed);
        for (hash, reason, error) in &refused {
            if let Some(error) = error {
                tracing::debug!(target: "chain::sequencer", %hash, %error, "not executed");
            }
            if matches!(reason, Unexecutable::Invalid | Unexecutable::NonceTooLow { .. }) {
                self.chain.inner.pending.give_up(hash);
            }
        }
        self.pool.with(|pool| {
            for (hash, sender) in &reports {
                pool.executed(hash, sender);
            }
            pool.on_state_change(open.take_touched());
            for (hash, reason, _) in &refused {
                pool.unexecutable(hash, *reason);
            }
        });
        Ok(())
    }

    /// Appends records to the journal. While the disk is full it waits: nothing of the block is
    /// shown meanwhile, and nothing is lost once space returns.
    pub(super) fn journaled(&mut self, block: u64, records: &[Vec<u8>]) -> Result<(), ChainError> {
        let mut stalled = false;
        loop {
            match self.journal.append(block, records) {
                Err(StateError::NoSpace(reason)) if !self.shutdown => {
                    tracing::warn!(target: "chain::sequencer", %reason, "disk full, retrying");
                    stalled = true;
                    self.chain.inner.persistence.set_journal_full(true);
                    self.set_status(SequencerStatus::Stalled(reason));
                    self.wait(self.options.retry);
                }
                result => {
                    if stalled {
                        self.chain.inner.persistence.set_journal_full(false);
                        self.set_status(SequencerStatus::Active);
                    }
                    return Ok(result?);
                }
            }
        }
    }

    pub(super) fn show(&self, open: &mut OpenBlock, executed: Vec<Executed>) {
        let group = executed.into_iter().map(|done| done.tx).collect();
        let state = open.publish();
        self.chain.inner.pending.publish(group, open.gas_used(), state);
    }
}

/// What a failure to execute means to the pool.
fn unexecutable(error: &TxError) -> Unexecutable {
    match error {
        error if error.fits_later() => Unexecutable::NotInThisBlock,
        TxError::Invalid(InvalidTransaction::NonceTooLow { state, .. }) => {
            Unexecutable::NonceTooLow { next: *state }
        }
        TxError::Invalid(InvalidTransaction::NonceTooHigh { .. }) => Unexecutable::NonceTooHigh,
        TxError::Invalid(InvalidTransaction::LackOfFundForMaxFee { fee, balance }) => {
            Unexecutable::InsufficientFunds { balance: **balance, cost: **fee }
        }
        TxError::Invalid(InvalidTransaction::GasPriceLessThanBasefee) => {
            Unexecutable::NotInThisBlock
        }
        _ => Unexecutable::Invalid,
    }
}
