//! The submissions that are being worked on.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use cairn_primitives::da::{Header, RowIndex, Snapshot};

use super::{Admission, Ticket};

/// A submission, from its offer to its answer.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) stage: Stage,
    pub(super) header: Header,
    pub(super) hash: B256,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) rows: Vec<RowIndex>,
    pub(super) length: u64,
}

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    LookUp,
    ReadBody,
    Verify,
    Store,
}

impl Admission {
    /// The tickets under a header's reservation.
    pub(super) fn senders(&self, header: &Header) -> &[Ticket] {
        let senders = self.reservations.get(&(header.payer, header.reservation));
        senders.map_or(&[], Vec::as_slice)
    }

    /// Bytes of bodies in flight of a payer.
    pub(super) fn bytes_of(&self, payer: Address) -> u64 {
        let of_payer = self.tickets.values().filter(|it| it.header.payer == payer);
        of_payer.fold(0, |sum, it| sum.saturating_add(it.length))
    }

    pub(super) fn at(&self, ticket: Ticket, stage: Stage) -> Option<&InFlight> {
        self.tickets.get(&ticket).filter(|in_flight| in_flight.stage == stage)
    }

    pub(super) fn advance(
        &mut self,
        ticket: Ticket,
        from: Stage,
        to: Stage,
    ) -> Option<Vec<RowIndex>> {
        let in_flight = self.tickets.get_mut(&ticket).filter(|it| it.stage == from)?;
        in_flight.stage = to;
        Some(in_flight.rows.clone())
    }

    /// Takes a submission out, and gives back what it held.
    pub(super) fn end(&mut self, ticket: Ticket) -> Option<InFlight> {
        let done = self.tickets.remove(&ticket)?;
        let reservation = (done.header.payer, done.header.reservation);
        if let Entry::Occupied(mut senders) = self.reservations.entry(reservation) {
            senders.get_mut().retain(|sender| *sender != ticket);
            if senders.get().is_empty() {
                senders.remove();
            }
        }
        self.bytes_in_flight = self.bytes_in_flight.saturating_sub(done.length);
        Some(done)
    }
}
