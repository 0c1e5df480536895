//! Duties on L1 that begin once L1 answers: a node whose L1 is away serves its chain meanwhile.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use cairn_chain::Chain;
use cairn_driver::DriverError;
use cairn_l1::NextStep;
use cairn_l1::send::{JournalError, SendError};
use parking_lot::Mutex;
use tokio::task::JoinHandle;

use super::Rollup;
use super::duties::L1Duties;

/// How long the node's start waits for them.
const START_TIME: Duration = Duration::from_secs(3);
/// Pause between tries.
const PAUSE: Duration = Duration::from_secs(1);

/// The duties, or the wait for them. Dropping it ends them.
#[derive(Debug)]
pub(super) struct DutiesTask {
    state: Arc<Mutex<State>>,
    waiting: Option<JoinHandle<()>>,
    /// Its follower of L1 is theirs, too.
    _rollup: Arc<Rollup>,
}

#[derive(Debug)]
enum State {
    Waiting,
    Running(L1Duties),
    Failed(String),
}

impl Drop for DutiesTask {
    fn drop(&mut self) {
        if let Some(waiting) = &self.waiting {
            waiting.abort();
        }
    }
}

impl DutiesTask {
    /// Starts them, now or once L1 answers.
    ///
    /// # Errors
    /// Whatever is wrong with the node itself, where L1 told it in time.
    pub(super) async fn start(
        rollup: Arc<Rollup>,
        datadir: &Path,
        chain: &Chain,
    ) -> eyre::Result<Self> {
        let first = L1Duties::start(&rollup, datadir, chain);
        let reason = match tokio::time::timeout(START_TIME, first).await {
            Ok(Ok(duties)) => {
                let state = Arc::new(Mutex::new(State::Running(duties)));
                return Ok(Self { state, waiting: None, _rollup: rollup });
            }
            Ok(Err(error)) if passes(&error) => format!("{error:#}"),
            Ok(Err(error)) => return Err(error),
            Err(_) => "no answer".to_owned(),
        };
        tracing::warn!(target: "node", reason, "L1 is away: batches and outputs wait for it");
        let state = Arc::new(Mutex::new(State::Waiting));
        let later =
            wait(Arc::clone(&rollup), datadir.to_path_buf(), chain.clone(), Arc::clone(&state));
        Ok(Self { state, waiting: Some(tokio::spawn(later)), _rollup: rollup })
    }

    /// Why there is nothing more to come of them, if so.
    pub(super) fn ended(&self) -> Option<String> {
        match &*self.state.lock() {
            State::Waiting => None,
            State::Running(duties) => duties.ended(),
            State::Failed(reason) => Some(reason.clone()),
        }
    }
}

async fn wait(rollup: Arc<Rollup>, datadir: PathBuf, chain: Chain, state: Arc<Mutex<State>>) {
    loop {
        tokio::time::sleep(PAUSE).await;
        let next = match L1Duties::start(&rollup, &datadir, &chain).await {
            Ok(duties) => {
                tracing::info!(target: "node", "L1 answers: batches and outputs go on");
                State::Running(duties)
            }
            Err(error) if passes(&error) => {
                tracing::debug!(target: "node", reason = format!("{error:#}"), "L1 is away");
                continue;
            }
            Err(error) => State::Failed(format!("{error:#}")),
        };
        *state.lock() = next;
        return;
    }
}

/// Whether a later try may succeed without anybody's help.
fn passes(error: &eyre::Report) -> bool {
    error.chain().any(|cause| {
        if let Some(SendError::L1(error)) = cause.downcast_ref::<SendError>() {
            return error.next_step() != NextStep::Stop;
        }
        if let Some(error) = cause.downcast_ref::<DriverError>() {
            return error.next_step() != NextStep::Stop;
        }
        // An earlier try may still be letting go of it.
        matches!(cause.downcast_ref::<JournalError>(), Some(JournalError::Locked { .. }))
    })
}
