//! The submissions that are being worked on.

use std::collections::hash_map::Entry;
use std::sync::Arc;

use alloy_primitives::{Address, B256};
use cairn_primitives::da::{Header, Refusal, RefusalCode, RowIndex, Snapshot};

use super::step::Decision;
use super::{Admission, Ticket};

/// Room that a body has first; it doubles from there.
pub(super) const FIRST_ROOM: u64 = 64 << 10;

/// A submission, from its offer to its answer.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) stage: Stage,
    pub(super) header: Header,
    pub(super) hash: B256,
    pub(super) snapshot: Arc<Snapshot>,
    pub(super) rows: Vec<RowIndex>,
    /// Bytes of its body.
    pub(super) length: u64,
    /// Bytes that may be in memory of them, none before the body is read.
    pub(super) room: u64,
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

    /// Bytes of bodies that a payer's submissions have or will have.
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
        self.bytes_in_flight = self.bytes_in_flight.saturating_sub(done.room);
        Some(done)
    }

    /// Gives a body the room for its next bytes: twice what it had. Nothing is held for what a sender
    /// announces, so that whoever fills the node's memory has sent half of it at least.
    pub(super) fn grow(&mut self, ticket: Ticket) -> Decision<u64> {
        let Some(this) = self.tickets.get(&ticket) else { return Ok(0) };
        let room = this.room.saturating_mul(2).max(FIRST_ROOM).min(this.length);
        let of_all = self.bytes_in_flight.saturating_sub(this.room).saturating_add(room);
        if of_all > self.limits.in_flight_bytes {
            let message = format!("{} bytes are in progress", self.bytes_in_flight);
            return Err(Refusal::new(RefusalCode::Busy, message));
        }
        self.bytes_in_flight = of_all;
        if let Some(this) = self.tickets.get_mut(&ticket) {
            this.room = room;
        }
        Ok(room)
    }
}
