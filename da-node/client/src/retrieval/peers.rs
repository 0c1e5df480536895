//! The operators as sources of rows.

use std::time::Duration;

use cairn_primitives::da::{OperatorIndex, RowIndex};

use super::RetrievalPolicy;

/// An operator as a source.
#[derive(Debug, Clone, Default)]
struct Peer {
    /// Requests that run.
    running: usize,
    failures: u32,
    lied: bool,
}

/// All sources of one matrix.
#[derive(Debug)]
pub(super) struct Peers {
    peers: Vec<Peer>,
    /// Holders of each row that may still have it.
    holders: Vec<Vec<OperatorIndex>>,
    policy: RetrievalPolicy,
}

/// A request that runs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request {
    pub(super) operator: OperatorIndex,
    pub(super) since: Duration,
}

impl Peers {
    pub(super) fn new(
        operators: usize,
        holders: Vec<Vec<OperatorIndex>>,
        policy: RetrievalPolicy,
    ) -> Self {
        Self { peers: vec![Peer::default(); operators], holders, policy }
    }

    fn is_usable(&self, operator: OperatorIndex) -> bool {
        self.peers
            .get(operator.as_usize())
            .is_some_and(|peer| !peer.lied && peer.failures < self.policy.failures_per_operator)
    }

    /// The least busy operator that may have the row; `None` if all are busy or there is none.
    pub(super) fn source(&self, row: RowIndex) -> Option<OperatorIndex> {
        let holders = self.holders.get(row.as_usize())?.iter().copied();
        let busy = |operator: &OperatorIndex| {
            self.peers.get(operator.as_usize()).map_or(usize::MAX, |peer| peer.running)
        };
        holders
            .filter(|operator| self.is_usable(*operator))
            .min_by_key(busy)
            .filter(|operator| busy(operator) < self.policy.requests_per_operator)
    }

    pub(super) fn asked(&mut self, operator: OperatorIndex) {
        if let Some(peer) = self.peers.get_mut(operator.as_usize()) {
            peer.running += 1;
        }
    }

    pub(super) fn answered(&mut self, operator: OperatorIndex) {
        if let Some(peer) = self.peers.get_mut(operator.as_usize()) {
            peer.running = peer.running.saturating_sub(1);
        }
    }

    /// The operator does not have the row.
    pub(super) fn lacks(&mut self, operator: OperatorIndex, row: RowIndex) {
        if let Some(holders) = self.holders.get_mut(row.as_usize()) {
            holders.retain(|holder| *holder != operator);
        }
    }

    pub(super) fn failed(&mut self, operator: OperatorIndex) {
        if let Some(peer) = self.peers.get_mut(operator.as_usize()) {
            peer.failures = peer.failures.saturating_add(1);
        }
    }

    pub(super) fn lied(&mut self, operator: OperatorIndex) {
        if let Some(peer) = self.peers.get_mut(operator.as_usize()) {
            peer.lied = true;
        }
    }

    pub(super) fn is_liar(&self, operator: OperatorIndex) -> bool {
        self.peers.get(operator.as_usize()).is_some_and(|peer| peer.lied)
    }

    /// Liars, and operators that failed too often.
    pub(super) fn bad(&self) -> (usize, usize) {
        let liars = self.peers.iter().filter(|peer| peer.lied).count();
        let limit = self.policy.failures_per_operator;
        let silent = self.peers.iter().filter(|peer| !peer.lied && peer.failures >= limit).count();
        (liars, silent)
    }
}
