//! The state machine.

use std::collections::BTreeMap;
use std::time::Duration;

use cairn_primitives::da::{OperatorIndex, RowIndex, Shape, SlotTable};

use super::peers::{Peers, Request};
use super::{Missing, RetrievalEffect, RetrievalEvent, RetrievalPolicy, RowAnswer};

/// Rows of one matrix as they come in.
#[derive(Debug)]
pub struct Retrieval {
    needed: usize,
    row_bytes: usize,
    policy: RetrievalPolicy,
    peers: Peers,
    rows: Vec<Row>,
    deadline: Duration,
    verifying: bool,
    ended: bool,
}

/// Where a row stands.
#[derive(Debug, Default)]
enum Row {
    /// Not here, and nobody asked.
    #[default]
    Absent,
    /// Asked for.
    Asked(Request),
    /// Here, not checked.
    Unchecked { from: OperatorIndex, bytes: Vec<u8> },
    /// Here, being checked.
    Checking { from: OperatorIndex, bytes: Vec<u8> },
    /// Here and of the matrix.
    Good(Vec<u8>),
}

impl Retrieval {
    /// A retrieval that begins with [`RetrievalEvent::Start`].
    pub fn new(shape: Shape, operators: usize, table: &SlotTable, policy: RetrievalPolicy) -> Self {
        let rows = usize::from(shape.extended_rows());
        Self {
            needed: usize::from(shape.rows()),
            row_bytes: shape.row_bytes(),
            policy,
            peers: Peers::new(operators, table.holders(), policy),
            rows: (0..rows).map(|_| Row::Absent).collect(),
            deadline: Duration::MAX,
            verifying: false,
            ended: false,
        }
    }

    /// The bytes of a row that is here.
    pub fn row(&self, row: RowIndex) -> Option<&[u8]> {
        match self.rows.get(row.as_usize())? {
            Row::Absent | Row::Asked(_) => None,
            Row::Unchecked { bytes, .. } | Row::Checking { bytes, .. } | Row::Good(bytes) => {
                Some(bytes)
            }
        }
    }

    /// The checked rows, ascending.
    pub fn into_rows(self) -> BTreeMap<RowIndex, Vec<u8>> {
        let good = self.rows.into_iter().enumerate().filter_map(|(at, row)| match row {
            Row::Good(bytes) => Some((RowIndex(at as u16), bytes)),
            _ => None,
        });
        good.collect()
    }

    /// Takes an event at a time of a clock that does not go back. After `Complete` or `GaveUp`
    /// nothing changes any more.
    pub fn step(&mut self, event: RetrievalEvent, now: Duration) -> Vec<RetrievalEffect> {
        if self.ended {
            return Vec::new();
        }
        match event {
            RetrievalEvent::Start => {
                self.deadline = now.saturating_add(self.policy.deadline);
            }
            RetrievalEvent::Answered(operator, row, answer) => {
                self.answered(operator, row, answer);
            }
            RetrievalEvent::Verified(bad) => self.verified(&bad),
            RetrievalEvent::Tick => {}
        }
        let mut effects = Vec::new();
        if self.good() >= self.needed {
            self.ended = true;
            effects.push(RetrievalEffect::Complete);
            return effects;
        }
        self.verify_if_enough(&mut effects);
        if now < self.deadline {
            self.ask(now, &mut effects);
        }
        self.outlook(now, &mut effects);
        effects
    }

    fn good(&self) -> usize {
        self.rows.iter().filter(|row| matches!(row, Row::Good(_))).count()
    }

    fn answered(&mut self, operator: OperatorIndex, index: RowIndex, answer: RowAnswer) {
        self.peers.answered(operator);
        let Some(row) = self.rows.get_mut(index.as_usize()) else { return };
        let asked = matches!(row, Row::Asked(request) if request.operator == operator);
        match answer {
            RowAnswer::Row(bytes) if bytes.len() == self.row_bytes => {
                // A late answer is as good as another, but a row that is here stays.
                let wanted = asked || matches!(row, Row::Absent | Row::Asked(_));
                if wanted && !self.peers.is_liar(operator) {
                    *row = Row::Unchecked { from: operator, bytes };
                } else if asked {
                    *row = Row::Absent;
                }
                return;
            }
            RowAnswer::Missing => self.peers.lacks(operator, index),
            RowAnswer::Row(_) => {
                self.peers.lied(operator);
            }
            RowAnswer::Failed => self.peers.failed(operator),
        }
        if asked {
            *row = Row::Absent;
        }
    }

    fn verified(&mut self, bad: &[RowIndex]) {
        self.verifying = false;
        for (at, row) in self.rows.iter_mut().enumerate() {
            match std::mem::take(row) {
                Row::Checking { from, .. } if bad.contains(&RowIndex(at as u16)) => {
                    self.peers.lied(from);
                }
                Row::Checking { bytes, .. } => *row = Row::Good(bytes),
                other => *row = other,
            }
        }
        // What else a liar sent is not worth a check.
        for row in &mut self.rows {
            if matches!(row, Row::Unchecked { from, .. } if self.peers.is_liar(*from)) {
                *row = Row::Absent;
            }
        }
    }

    fn verify_if_enough(&mut self, effects: &mut Vec<RetrievalEffect>) {
        let unchecked = self.rows.iter().filter(|row| matches!(row, Row::Unchecked { .. })).count();
        if self.verifying || self.good() + unchecked < self.needed {
            return;
        }
        let mut missing = self.needed - self.good();
        let mut checked = Vec::new();
        for (at, row) in self.rows.iter_mut().enumerate() {
            if missing == 0 {
                break;
            }
            if let Row::Unchecked { from, bytes } = row {
                let (from, bytes) = (*from, std::mem::take(bytes));
                *row = Row::Checking { from, bytes };
                checked.push(RowIndex(at as u16));
                missing -= 1;
            }
        }
        self.verifying = true;
        effects.push(RetrievalEffect::Verify(checked));
    }

    /// Asks for rows until those that are here or on their way suffice. Requests that take long do
    /// not count.
    fn ask(&mut self, now: Duration, effects: &mut Vec<RetrievalEffect>) {
        let late = |request: &Request| now >= request.since.saturating_add(self.policy.hedge_after);
        let coming = self.rows.iter().filter(|row| match row {
            Row::Absent => false,
            Row::Asked(request) => !late(request),
            _ => true,
        });
        let wanted = (self.needed + self.policy.spare_rows).saturating_sub(coming.count());
        let time = self.policy.request_time.min(self.deadline.saturating_sub(now));
        for at in 0..self.rows.len() {
            if effects.iter().filter(|it| matches!(it, RetrievalEffect::Ask(..))).count() >= wanted
            {
                return;
            }
            let row = RowIndex(at as u16);
            if !matches!(self.rows[at], Row::Absent) {
                continue;
            }
            if let Some(operator) = self.peers.source(row) {
                self.peers.asked(operator);
                self.rows[at] = Row::Asked(Request { operator, since: now });
                effects.push(RetrievalEffect::Ask(operator, row, time));
            }
        }
    }

    /// The end, or when to look again.
    fn outlook(&mut self, now: Duration, effects: &mut Vec<RetrievalEffect>) {
        let running = self.rows.iter().any(|row| matches!(row, Row::Asked(_)));
        if now >= self.deadline || (!running && !self.verifying) {
            self.ended = true;
            let (liars, silent) = self.peers.bad();
            let missing = Missing { rows: self.good(), needed: self.needed, liars, silent };
            effects.push(RetrievalEffect::GaveUp(missing));
            return;
        }
        let due = self.rows.iter().filter_map(|row| match row {
            Row::Asked(request) => Some(request.since.saturating_add(self.policy.hedge_after)),
            _ => None,
        });
        let due = due.filter(|due| *due > now).min().unwrap_or(self.deadline);
        effects.push(RetrievalEffect::WakeAt(due.min(self.deadline)));
    }
}
