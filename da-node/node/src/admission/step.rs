//! The state machine.

use std::collections::HashMap;
use std::time::Duration;

use alloy_primitives::{Address, B256};
use cairn_primitives::da::bls::PublicKey;
use cairn_primitives::da::{
    Domain, Epoch, Refusal, RefusalCode, Reservation, Submission, Timestamp,
};

use super::checks::{check_certificates_end, reservation_used};
use super::in_flight::{InFlight, Stage};
use super::payers::Payers;
use super::{Disk, Effect, Event, Found, Limits, Offer, Quorums, StoreFault, Ticket};

/// Who this node is.
#[derive(Debug, Clone, Copy)]
pub struct Operator {
    /// Registry that it is registered in.
    pub domain: Domain,
    /// Its address there.
    pub address: Address,
    /// Its key.
    pub key: PublicKey,
}

/// The state of all submissions, and what decides about them.
#[derive(Debug)]
pub struct Admission {
    pub(super) operator: Operator,
    pub(super) limits: Limits,
    payers: Payers,
    pub(super) quorums: Option<Quorums>,
    pub(super) disk: Disk,
    pub(super) tickets: HashMap<Ticket, InFlight>,
    /// Who sends bodies under a reservation; all of them have the same header.
    pub(super) reservations: HashMap<(Address, Reservation), Vec<Ticket>>,
    pub(super) bytes_in_flight: u64,
}

pub(super) type Decision<T> = Result<T, Refusal>;

impl Admission {
    /// A node that has read neither L1 nor its disk.
    pub fn new(operator: Operator, limits: Limits) -> Self {
        Self {
            operator,
            payers: Payers::new(&limits),
            limits,
            quorums: None,
            disk: Disk::Free,
            tickets: HashMap::new(),
            reservations: HashMap::new(),
            bytes_in_flight: 0,
        }
    }

    /// Who this node is.
    pub const fn operator(&self) -> &Operator {
        &self.operator
    }

    /// L1 as it was last read.
    pub const fn quorums(&self) -> Option<&Quorums> {
        self.quorums.as_ref()
    }

    /// The disk as it was last seen.
    pub const fn disk(&self) -> &Disk {
        &self.disk
    }

    /// Submissions in flight and the bytes of their bodies.
    pub fn in_flight(&self) -> (usize, u64) {
        (self.tickets.len(), self.bytes_in_flight)
    }

    /// When the last certificate of a submission's epoch ends.
    pub fn certificates_end(&self, ticket: Ticket) -> Option<Timestamp> {
        self.tickets.get(&ticket).map(|it| it.snapshot.certificates_end())
    }

    /// Takes an event at a time since the Unix epoch and says what to do. Events of tickets that
    /// have ended, or at another stage, change nothing.
    pub fn step(&mut self, event: Event, now: Duration) -> Option<Effect> {
        match event {
            Event::Offered(ticket, offer) => Some(self.offered(ticket, &offer, now)),
            Event::Found(ticket, found) => self.found(ticket, &found, now),
            Event::Filled(ticket) => {
                self.at(ticket, Stage::ReadBody)?;
                Some(match self.room(ticket) {
                    Ok(room) => Effect::ReadOn(ticket, room),
                    Err(refusal) => Effect::Refuse(ticket, refusal),
                })
            }
            Event::BodyRead(ticket) => {
                let this = self.at(ticket, Stage::ReadBody)?;
                // A body that is longer than its room was not read.
                if this.room < this.length {
                    return None;
                }
                let rows = self.advance(ticket, Stage::ReadBody, Stage::Verify)?;
                Some(Effect::Verify(ticket, rows))
            }
            Event::Dropped(ticket) => {
                let stage = self.tickets.get(&ticket)?.stage;
                // What is being written holds its reservation until the write has returned.
                if stage != Stage::Store {
                    self.end(ticket);
                }
                None
            }
            Event::Verified(ticket, Ok(())) => {
                let rows = self.advance(ticket, Stage::Verify, Stage::Store)?;
                Some(Effect::Store(ticket, rows))
            }
            Event::Verified(ticket, Err(refusal)) => {
                self.at(ticket, Stage::Verify)?;
                self.end(ticket);
                Some(Effect::Refuse(ticket, refusal))
            }
            Event::Stored(ticket, result) => {
                self.at(ticket, Stage::Store)?;
                let done = self.end(ticket)?;
                Some(self.stored(ticket, &done, result, now))
            }
            Event::Quorums(quorums) => {
                self.quorums = Some(quorums);
                None
            }
            Event::Disk(disk) => {
                self.disk = disk;
                None
            }
            Event::Tick => self.prune(now),
        }
    }

    fn offered(&mut self, ticket: Ticket, offer: &Offer, now: Duration) -> Effect {
        match self.admit(offer, now) {
            Ok(admitted) => {
                let header = Box::new(admitted.header);
                let payer = (header.payer, header.reservation);
                self.reservations.entry(payer).or_default().push(ticket);
                self.tickets.insert(ticket, admitted);
                Effect::LookUp(ticket, header)
            }
            Err(refusal) => Effect::Refuse(ticket, refusal),
        }
    }

    fn admit(&self, offer: &Offer, now: Duration) -> Decision<InFlight> {
        let header = offer.header;
        self.check_disk()?;
        self.check_expiry(&header, now)?;
        let snapshot = self.snapshot(&header, now)?;
        check_certificates_end(&header, &snapshot)?;
        let rows = self.own_rows(&header, &snapshot)?;
        let length = Submission::length(&header, &rows) as u64;
        self.check_length(offer.announced_length, length)?;
        self.check_payer(offer)?;
        let hash = header.hash();
        self.check_in_flight(&header, hash, length)?;
        Ok(InFlight { stage: Stage::LookUp, header, hash, snapshot, rows, length, room: 0 })
    }

    fn found(&mut self, ticket: Ticket, found: &Found, now: Duration) -> Option<Effect> {
        let this = self.at(ticket, Stage::LookUp)?;
        let (header, hash, length) = (this.header, this.hash, this.length);
        let digest = self.digest(this);
        let complete = this.rows.iter().all(|row| found.rows.contains(row));
        let valid = self.check_still_valid(this, now);
        if let Some(other) = found.reservation.filter(|other| *other != hash) {
            self.end(ticket);
            return Some(Effect::Refuse(ticket, reservation_used(&header, other)));
        }
        if let Err(refusal) = valid {
            self.end(ticket);
            return Some(Effect::Refuse(ticket, refusal));
        }
        if complete && found.reservation.is_some() {
            self.end(ticket);
            return Some(Effect::Sign(ticket, digest));
        }
        let room = match self.room(ticket) {
            Ok(room) => room,
            Err(refusal) => return Some(Effect::Refuse(ticket, refusal)),
        };
        // One header is paid for once, however many send it at a time.
        let mut senders = self.senders(&header).iter().filter_map(|it| self.tickets.get(it));
        let paid = senders.any(|sender| sender.stage != Stage::LookUp);
        if !paid && let Err(wait) = self.payers.take(header.payer, length, &self.limits, now) {
            self.end(ticket);
            let message = format!("{} sent more than its share", header.payer);
            let refusal = Refusal::new(RefusalCode::RateLimited, message).retry_after(wait);
            return Some(Effect::Refuse(ticket, refusal));
        }
        let rows = self.advance(ticket, Stage::LookUp, Stage::ReadBody)?;
        let length = usize::try_from(length).ok()?;
        Some(Effect::ReadBody { ticket, length, room, rows })
    }

    /// More room for a body, or the end of its ticket.
    fn room(&mut self, ticket: Ticket) -> Decision<usize> {
        let grown = self.grow(ticket);
        if grown.is_err() {
            self.end(ticket);
        }
        grown.map(|room| usize::try_from(room).unwrap_or(usize::MAX))
    }

    fn stored(
        &mut self,
        ticket: Ticket,
        done: &InFlight,
        result: Result<(), StoreFault>,
        now: Duration,
    ) -> Effect {
        let refusal = match result {
            Ok(()) => match self.check_still_valid(done, now) {
                Ok(()) => {
                    return Effect::Sign(ticket, self.digest(done));
                }
                Err(refusal) => refusal,
            },
            Err(StoreFault::NoSpace(text)) => {
                self.disk = Disk::Full(text.clone());
                Refusal::new(RefusalCode::DiskFull, format!("the disk is full: {text}"))
                    .retry_after(Duration::from_secs(30))
            }
            Err(StoreFault::ReservationUsed(other)) => reservation_used(&done.header, other),
            Err(StoreFault::Failed(text)) => Refusal::new(RefusalCode::Internal, text),
        };
        Effect::Refuse(ticket, refusal)
    }

    /// What is signed: that the rows which the epoch's seed assigns are held.
    fn digest(&self, done: &InFlight) -> B256 {
        self.operator.domain.attestation(&done.header, done.snapshot.seed())
    }

    /// Between the offer and the signature the header may expire and L1 may reorganise.
    fn check_still_valid(&self, done: &InFlight, now: Duration) -> Decision<()> {
        self.check_expiry(&done.header, now)?;
        let snapshot = self.snapshot(&done.header, now)?;
        if snapshot == done.snapshot {
            return Ok(());
        }
        let message = format!("L1 replaced the quorum of epoch {}", done.header.epoch);
        Err(Refusal::new(RefusalCode::UnknownEpoch, message))
    }

    /// Rows go when both the clock here and L1's say that they expired: one clock that is ahead
    /// loses nothing. The same holds for the headers of an epoch whose certificates ended, since
    /// none of them can be signed once more: it would have to expire later.
    fn prune(&self, now: Duration) -> Option<Effect> {
        let quorums = self.quorums.as_ref()?;
        let earlier = now.as_secs().min(quorums.head.time.0);
        let before = Timestamp(earlier.checked_sub(self.limits.prune_grace.as_secs())?);
        let signable = Epoch(quorums.current.0.saturating_sub(1));
        Some(Effect::Prune { before, signable })
    }
}
