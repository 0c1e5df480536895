//! One round: a batch of transactions executed, then journaled, shown and reported while the next one
//! is executed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use cairn_evm::revm_types::InvalidTransaction;
use cairn_evm::{DaSize, TxError};
use cairn_pool::{PoolTransaction, Unexecutable};

use super::da_limit::da_size;
use super::open_block::OpenBlock;
use super::publisher::{Round, Shown};
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

/// How long to wait for the disk before looking at commands again.
const PATIENCE: Duration = Duration::from_millis(20);

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

    /// Executes a batch and hands it over to be journaled, shown, and reported to the pool.
    pub(super) fn round(
        &mut self,
        open: &mut OpenBlock,
        batch: &[Arc<PoolTransaction>],
        deadline: Instant,
    ) -> Result<(), ChainError> {
        let started = Instant::now();
        let stop = deadline.min(started + self.options.round_time);
        let mut executed = Vec::with_capacity(batch.len());
        let mut refused = Vec::new();
        let mut records = Vec::with_capacity(batch.len());
        let mut late = false;
        for tx in batch {
            // At least one transaction of each round is executed, however late it is.
            late = late || (!executed.is_empty() && Instant::now() >= stop);
            if late {
                refused.push((tx.hash(), Unexecutable::NonceTooHigh));
                continue;
            }
            let size = da_size(tx).map_or(0, DaSize::bytes);
            if !self.options.da_limit.allows(open.da_bytes(), size) {
                refused.push((tx.hash(), Unexecutable::NotInThisBlock));
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
                Err(error) => {
                    let hash = tx.hash();
                    tracing::debug!(target: "chain::sequencer", %hash, %error, "not executed");
                    refused.push((hash, unexecutable(&error)));
                }
            }
        }
        self.backlog = late || batch.len() >= self.options.round_txs;
        metrics::counter!("cairn_sequencer_transactions_total").increment(executed.len() as u64);
        metrics::histogram!("cairn_sequencer_round_seconds")
            .record(started.elapsed().as_secs_f64());
        let (state, changes) = open.publish();
        let shown = Shown { opens: None, executed, gas_used: open.gas_used(), state, changes };
        self.submit(Round { block: open.number(), records, shown: Some(shown), refused })
    }

    /// Hands a round to the thread that syncs and shows it. While the disk is full nothing of the
    /// block is shown, and nothing is lost once space returns.
    pub(super) fn submit(&mut self, round: Round) -> Result<(), ChainError> {
        let mut left = self.publisher.submit(round, PATIENCE)?;
        while let Some(round) = left {
            self.look_around();
            left = self.publisher.submit(round, PATIENCE)?;
        }
        Ok(())
    }

    /// Waits until all rounds are synced and shown.
    pub(super) fn flush(&mut self) -> Result<(), ChainError> {
        while !self.publisher.is_idle(PATIENCE)? {
            self.look_around();
        }
        Ok(())
    }

    fn look_around(&mut self) {
        self.carry_out_all();
        if self.shutdown {
            self.publisher.hurry();
        }
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
