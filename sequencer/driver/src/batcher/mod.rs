//! The batcher's shell: `cairn_rollup::batcher` decides, this carries out.
//!
//! The decisions are made on a thread of their own, because closing a channel compresses it. Fees are
//! raised and transactions of an earlier run are taken up by the [`TransactionSender`], whose journal
//! knows what may be on the wire; so the machine's own requests to do so need nothing here.

mod blocks;
mod carry;
mod commands;
mod task;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use cairn_chain::{Chain, DaLimit};
use cairn_l1::send::TransactionSender;
use cairn_l1::{HeadState, L1Client};
use cairn_rollup::batcher::BatcherConfig;
use cairn_rollup::{RollupConfig, RollupHandle};
use tokio::sync::watch;

use crate::Dispersal;

pub use task::{BatcherStartError, BatcherTask};

/// What the batcher works with.
#[derive(Debug)]
pub struct BatcherSetup {
    /// Its policy.
    pub config: BatcherConfig,
    /// The chain whose blocks it sends.
    pub chain: Chain,
    /// Parameters of the rollup.
    pub rollup: Arc<RollupConfig>,
    /// Where derivation says how far it is, and operators say what they want.
    pub handle: RollupHandle,
    /// L1.
    pub l1: Arc<L1Client>,
    /// Heads of L1.
    pub heads: watch::Receiver<HeadState>,
    /// Sends from the batcher's account.
    pub sender: Arc<TransactionSender>,
    /// The limit that the sequencer of the chain obeys, lowered while L1 does not keep up.
    pub da_limit: DaLimit,
    /// The DA network; without it every dispersal fails, and blobs are used.
    pub dispersal: Option<Arc<Dispersal>>,
}
