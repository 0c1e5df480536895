//! The bounded queue before the workers.

use std::collections::VecDeque;

use parking_lot::{Condvar, Mutex};

use super::reply::Recipient;
use super::stage::Raw;

/// A submitted transaction.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) raw: Raw,
    pub(super) recipient: Recipient,
}

#[derive(Debug)]
pub(super) struct Queue {
    max_jobs: usize,
    max_bytes: usize,
    state: Mutex<State>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct State {
    jobs: VecDeque<Job>,
    bytes: usize,
    /// Workers that sleep and have not been woken yet.
    asleep: usize,
    stopping: bool,
}

impl Queue {
    pub(super) fn new(max_jobs: usize, max_bytes: usize) -> Self {
        Self { max_jobs, max_bytes, state: Mutex::new(State::default()), wake: Condvar::new() }
    }

    /// Appends jobs and returns those that do not fit.
    pub(super) fn push(&self, jobs: impl Iterator<Item = Job>) -> Vec<Job> {
        let mut refused = Vec::new();
        let mut state = self.state.lock();
        for job in jobs {
            let bytes = state.bytes.saturating_add(job.raw.bytes.len());
            if state.stopping || state.jobs.len() >= self.max_jobs || bytes > self.max_bytes {
                refused.push(job);
                continue;
            }
            state.bytes = bytes;
            state.jobs.push_back(job);
        }
        // One sleeper is enough: it wakes the next if there is more than it takes.
        let wake = state.asleep > 0 && !state.jobs.is_empty();
        if wake {
            state.asleep -= 1;
        }
        drop(state);
        if wake {
            self.wake.notify_one();
        }
        refused
    }

    /// Waits for jobs and takes a fair share of them, `max` at most, so that a few jobs are spread
    /// over the workers. Returns how many are left, `None` when the queue stops.
    pub(super) fn pop(
        &self,
        max: usize,
        workers: usize,
        raws: &mut Vec<Raw>,
        recipients: &mut Vec<Recipient>,
    ) -> Option<usize> {
        let mut state = self.state.lock();
        while state.jobs.is_empty() {
            if state.stopping {
                return None;
            }
            state.asleep += 1;
            self.wake.wait(&mut state);
        }
        let share = state.jobs.len().div_ceil(workers.max(1)).min(max);
        for _ in 0..share {
            let Some(job) = state.jobs.pop_front() else { break };
            state.bytes = state.bytes.saturating_sub(job.raw.bytes.len());
            raws.push(job.raw);
            recipients.push(job.recipient);
        }
        let left = state.jobs.len();
        let wake = left > 0 && state.asleep > 0;
        if wake {
            state.asleep -= 1;
        }
        drop(state);
        if wake {
            self.wake.notify_one();
        }
        Some(left)
    }

    /// Stops the workers and returns what they have not taken.
    pub(super) fn stop(&self) -> Vec<Job> {
        let mut state = self.state.lock();
        state.stopping = true;
        state.bytes = 0;
        let jobs = state.jobs.drain(..).collect();
        drop(state);
        self.wake.notify_all();
        jobs
    }

    pub(super) fn len(&self) -> usize {
        self.state.lock().jobs.len()
    }
}
