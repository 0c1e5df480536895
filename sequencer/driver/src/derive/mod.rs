//! The thread that derives.
//!
//! It runs one derivation machine after the other: a reset ends one, and the next begins where
//! `cairn_rollup::start` says. On a verifier it is the only writer of the chain, and takes unsafe blocks
//! of a feed in between; on a sequencer's node it replaces unsafe blocks only where L1 says otherwise.

mod apply;
mod news;
mod session;
mod starting;
mod status;

use std::num::NonZeroUsize;
use std::sync::Arc;

use cairn_chain::Chain;
use cairn_l1::{HeadState, L1Client, NextStep};
use cairn_primitives::Block;
use cairn_rollup::{RollupConfig, RollupHandle};
use tokio::sync::{mpsc, watch};

use self::session::Session;
use crate::worker::{Stop, Worker};
use crate::{ChainReader, DataReader, DriverError};

/// Pause after resets that follow each other without a block in between.
const RESET_PAUSE: std::time::Duration = std::time::Duration::from_millis(500);

/// Least pause before another attempt, whatever the error says.
const PAUSE_MIN: std::time::Duration = std::time::Duration::from_millis(100);

/// What derivation works with.
#[derive(Debug)]
pub struct DerivationConfig {
    /// The chain that it extends.
    pub chain: Chain,
    /// Parameters of the rollup.
    pub rollup: Arc<RollupConfig>,
    /// L1.
    pub l1: Arc<L1Client>,
    /// Heads of L1.
    pub heads: watch::Receiver<HeadState>,
    /// Data of batches.
    pub data: DataReader,
    /// Unsafe blocks of a sequencer, checked signatures; `None` on a node that makes them itself.
    pub feed: Option<mpsc::Receiver<Block>>,
    /// L1 blocks that are fetched ahead.
    pub prefetch: NonZeroUsize,
    /// Where the status is shown.
    pub handle: RollupHandle,
}

/// The running thread. Dropping it ends the thread.
#[derive(Debug)]
pub struct DerivationTask {
    worker: Worker,
}

/// What every session uses.
struct Shared {
    chain: Chain,
    reader: ChainReader,
    rollup: Arc<RollupConfig>,
    l1: Arc<L1Client>,
    heads: watch::Receiver<HeadState>,
    data: DataReader,
    feed: Option<mpsc::Receiver<Block>>,
    prefetch: NonZeroUsize,
    handle: RollupHandle,
    resets: mpsc::Receiver<()>,
    stop: Stop,
}

impl DerivationTask {
    /// Starts deriving. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When the thread cannot be made.
    pub fn spawn(config: DerivationConfig) -> std::io::Result<Self> {
        let (ask, resets) = mpsc::channel(1);
        // A reset that waits already is as good as another one.
        config.handle.on_reset(move || {
            let _ = ask.try_send(());
        });
        let worker = Worker::spawn("cairn-derive", move |stop| async move {
            let shared = Shared {
                reader: ChainReader::new(config.chain.clone(), config.rollup.clone()),
                chain: config.chain,
                rollup: config.rollup,
                l1: config.l1,
                heads: config.heads,
                data: config.data,
                feed: config.feed,
                prefetch: config.prefetch,
                handle: config.handle,
                resets,
                stop,
            };
            run(shared).await
        })?;
        Ok(Self { worker })
    }

    /// Why derivation has ended, if it has: something that needs an operator.
    pub fn ended(&self) -> Option<String> {
        self.worker.ended().reason()
    }
}

async fn run(mut shared: Shared) -> Result<(), DriverError> {
    let mut stop = shared.stop.clone();
    let checked = tokio::select! {
        checked = shared.l1.check_chain() => checked,
        () = stop.asked() => return Ok(()),
    };
    checked.or_else(|error| match error.next_step() {
        NextStep::Stop => Err(error),
        // The session will ask again.
        NextStep::Retry(_) | NextStep::Reset => Ok(()),
    })?;
    loop {
        let error = match Session::start(&mut shared).await {
            Ok(mut session) => match session.run().await {
                Ok(never) => match never {},
                Err(error) => error,
            },
            Err(error) => error,
        };
        let pause = match (&error, error.next_step()) {
            (DriverError::Stopped, _) => return Ok(()),
            (_, NextStep::Stop) => return Err(error),
            (_, NextStep::Retry(pause)) => pause.max(PAUSE_MIN),
            (_, NextStep::Reset) => RESET_PAUSE,
        };
        metrics::counter!("cairn_derivation_resets_total").increment(1);
        tracing::warn!(target: "driver::derive", %error, "derivation starts anew");
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shared.stop.asked() => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
