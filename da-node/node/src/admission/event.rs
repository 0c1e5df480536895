//! What goes into a step, and what comes out.

use alloy_primitives::B256;
use cairn_primitives::da::{Epoch, Header, PayerSignature, Refusal, RowIndex, Timestamp};

use super::Quorums;

/// Names a submission from its first bytes to its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// The first bytes of a submission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// The header, decoded strictly.
    pub header: Header,
    /// The payer's signature, not yet checked.
    pub payer_signature: PayerSignature,
    /// Length that the request announces, if it does.
    pub announced_length: Option<u64>,
}

/// What the store holds already.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Header that the reservation was used for.
    pub reservation: Option<B256>,
    /// Rows of this header.
    pub rows: Vec<RowIndex>,
}

/// Whether the store's disk takes more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Disk {
    /// Enough space.
    Free,
    /// Less than the operator wants to keep free.
    Low {
        /// Bytes free.
        free: u64,
        /// Bytes to keep free.
        wanted: u64,
    },
    /// The database could not write.
    Full(String),
}

/// Why the store did not write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreFault {
    /// No space left.
    NoSpace(String),
    /// The reservation has another header.
    ReservationUsed(B256),
    /// The database failed.
    Failed(String),
}

/// Something happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// A submission began.
    Offered(Ticket, Box<Offer>),
    /// The store was looked into.
    Found(Ticket, Found),
    /// The room for the body is full, and the body goes on.
    Filled(Ticket),
    /// The whole body is here.
    BodyRead(Ticket),
    /// The sender went away, or was too slow.
    Dropped(Ticket),
    /// Commitments and rows were checked.
    Verified(Ticket, Result<(), Refusal>),
    /// The write returned.
    Stored(Ticket, Result<(), StoreFault>),
    /// L1 was read.
    Quorums(Quorums),
    /// The disk was looked at.
    Disk(Disk),
    /// Time passed.
    Tick,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Look for the reservation and the rows of this header; answer with [`Event::Found`].
    LookUp(Ticket, Box<Header>),
    /// Read a body of exactly so many bytes in all, and no more than there is room for.
    ReadBody {
        /// The submission.
        ticket: Ticket,
        /// Bytes, the prefix included.
        length: usize,
        /// Bytes that may be held before [`Event::Filled`] is reported.
        room: usize,
        /// Rows that it holds.
        rows: Vec<RowIndex>,
    },
    /// Read on: so many bytes may be held now, up to the next [`Event::Filled`].
    ReadOn(Ticket, usize),
    /// Check commitments and rows.
    Verify(Ticket, Vec<RowIndex>),
    /// Write, synced.
    Store(Ticket, Vec<RowIndex>),
    /// Sign this digest and answer with the signature.
    Sign(Ticket, B256),
    /// Answer with this.
    Refuse(Ticket, Refusal),
    /// Remove rows that expired, and forget the headers of older epochs whose certificates ended.
    Prune {
        /// Before then.
        before: Timestamp,
        /// First epoch that is signed for.
        signable: Epoch,
    },
}
