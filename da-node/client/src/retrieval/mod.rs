//! Getting enough rows of a matrix, without I/O.
//!
//! Any `R` of the `4R` rows give the payload back. [`Retrieval::step`] asks for as many rows as are
//! missing, original ones first since they need no decoding, spread over their holders. A request
//! that takes long is left running and another row is asked for elsewhere. When `R` rows are here
//! they are checked together against the commitments; an operator that sent a row which is not of
//! the matrix is asked nothing more, and none of its unchecked rows are used. An operator that
//! cannot be reached twice is left alone too. The end is `Complete` with `R` checked rows, or
//! `GaveUp` when nobody is left to ask, or at the deadline.

mod peers;
mod step;

use std::time::Duration;

use cairn_primitives::da::{OperatorIndex, RowIndex};
pub use step::Retrieval;

/// How long to wait for whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetrievalPolicy {
    /// Time for one row.
    pub request_time: Duration,
    /// Time after which another row is asked for besides.
    pub hedge_after: Duration,
    /// Requests at one operator at a time.
    pub requests_per_operator: usize,
    /// Rows beyond those needed that are asked for from the start.
    pub spare_rows: usize,
    /// Failures after which an operator is left alone.
    pub failures_per_operator: u32,
    /// Time for everything.
    pub deadline: Duration,
}

impl Default for RetrievalPolicy {
    fn default() -> Self {
        Self {
            request_time: Duration::from_secs(10),
            hedge_after: Duration::from_millis(500),
            requests_per_operator: 8,
            spare_rows: 0,
            failures_per_operator: 2,
            deadline: Duration::from_secs(60),
        }
    }
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowAnswer {
    /// As many bytes as a row has.
    Row(Vec<u8>),
    /// The operator has no such row, or no more.
    Missing,
    /// No connection, no answer in time, or one of another length.
    Failed,
}

/// Something happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetrievalEvent {
    /// Begin.
    Start,
    /// A request ended.
    Answered(OperatorIndex, RowIndex, RowAnswer),
    /// The rows of the last [`RetrievalEffect::Verify`] were checked; these are not of the matrix.
    Verified(Vec<RowIndex>),
    /// The time of the last [`RetrievalEffect::WakeAt`] has come.
    Tick,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RetrievalEffect {
    /// Ask the operator for the row and report within the time given.
    Ask(OperatorIndex, RowIndex, Duration),
    /// Check these rows, which [`Retrieval::row`] has, against the commitments.
    Verify(Vec<RowIndex>),
    /// Call again with [`RetrievalEvent::Tick`] at that time.
    WakeAt(Duration),
    /// `R` rows are here and checked; [`Retrieval::into_rows`] has them.
    Complete,
    /// It cannot be done.
    GaveUp(Missing),
}

/// Why the payload does not come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// Checked rows that came.
    pub rows: usize,
    /// Rows needed.
    pub needed: usize,
    /// Operators that sent rows which are not of the matrix.
    pub liars: usize,
    /// Operators that could not be reached.
    pub silent: usize,
}

impl std::fmt::Display for Missing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { rows, needed, liars, silent } = self;
        write!(
            f,
            "{rows} of {needed} rows; {liars} operators sent wrong rows, {silent} did not answer"
        )
    }
}

#[cfg(test)]
mod tests;
