//! What the node decides, without I/O: whom it serves, what it stores, when it signs.
//!
//! A submission is a ticket that goes through these stages. Each arrow is an [`Event`] that the
//! shell reports to [`Admission::step`]; each box is entered with the [`Effect`] of that name.
//!
//! ```text
//! Offered ─► LookUp ─Found─► ReadBody ─BodyRead─► Verify ─Verified─► Store ─Stored─► Sign
//!               └──────── all rows are here already ───────────────────────────────►┘
//! ```
//!
//! From any of them a ticket can end in `Refuse`, and while the body is read it can be `Dropped`.
//!
//! Invariants:
//! - `Sign` comes only after the store said that rows, header and reservation are on disk.
//! - From `Offered` on a ticket holds its reservation: a second header under the same number is
//!   refused while the first is in flight, and by the store afterwards. A few bodies of the same
//!   header may be sent side by side.
//! - What is in flight is bounded in bytes over all and in number for each payer. Bytes count as they
//!   arrive (`Filled` asks for room for more, and gets `ReadOn`), not by what a header announces: headers
//!   cost nothing and their payers are whoever says so.

mod checks;
mod event;
mod in_flight;
mod limits;
mod payers;
mod quorums;
mod step;

pub use event::{Disk, Effect, Event, Found, Offer, StoreFault, Ticket};
pub use limits::Limits;
pub use quorums::{L1Head, Quorums};
pub use step::{Admission, Operator};

#[cfg(test)]
mod tests;
