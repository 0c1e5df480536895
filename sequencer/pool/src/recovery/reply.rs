//! Answers to submitters.

use std::sync::Arc;

use alloy_primitives::B256;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use crate::PoolError;

type Outcome = Result<B256, PoolError>;

/// How a submitter wants to be answered. The answer is the hash, or why there is none.
pub enum Reply {
    /// Through a channel, as from an async task.
    Oneshot(oneshot::Sender<Outcome>),
    /// By a call on the worker's thread. It must not block.
    Callback(Box<dyn FnOnce(Outcome) + Send>),
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Oneshot(_) => "Oneshot",
            Self::Callback(_) => "Callback",
        })
    }
}

/// Who gets an answer.
#[derive(Debug)]
pub(super) enum Recipient {
    /// A submitter of one transaction.
    One(Reply),
    /// A batch that is answered as a whole.
    Batch {
        /// Place in the batch.
        index: usize,
        batch: Arc<Batch>,
    },
}

impl Recipient {
    pub(super) fn answer(self, outcome: Outcome) {
        match self {
            // A submitter that has gone away does not matter to the transaction.
            Self::One(Reply::Oneshot(sender)) => drop(sender.send(outcome)),
            Self::One(Reply::Callback(call)) => call(outcome),
            Self::Batch { index, batch } => batch.set(index, outcome),
        }
    }
}

/// Collects the answers of a batch.
#[derive(Debug)]
pub(super) struct Batch {
    state: Mutex<BatchState>,
}

#[derive(Debug)]
struct BatchState {
    outcomes: Vec<Outcome>,
    missing: usize,
    sender: Option<oneshot::Sender<Vec<Outcome>>>,
}

impl Batch {
    pub(super) fn new(count: usize) -> (Arc<Self>, oneshot::Receiver<Vec<Outcome>>) {
        let (sender, receiver) = oneshot::channel();
        let outcomes = (0..count).map(|_| Err(PoolError::Stopped)).collect();
        let state = BatchState { outcomes, missing: count, sender: Some(sender) };
        (Arc::new(Self { state: Mutex::new(state) }), receiver)
    }

    fn set(&self, index: usize, outcome: Outcome) {
        let mut state = self.state.lock();
        state.outcomes[index] = outcome;
        state.missing -= 1;
        if state.missing == 0 {
            let outcomes = std::mem::take(&mut state.outcomes);
            if let Some(sender) = state.sender.take() {
                drop(sender.send(outcomes));
            }
        }
    }
}
