//! The rows that this node has attested to, in RocksDB.
//!
//! Integers in keys are big-endian, so key order is numeric order. `X` is an expiry in Unix
//! seconds (8), `H` a header hash (32).
//!
//! | column family | key | value |
//! |---|---|---|
//! | `row` | `X ‖ H ‖ row` (2) | the row as it is sent, `W × 31` or `W × 32` bytes, in blob files |
//! | `header` | `H` | header (90), payer signature (65), commitments (`R × 48`) |
//! | `expiry` | `X ‖ H` | empty |
//! | `reservation` | payer (20) ‖ reservation (8) | `H` |
//! | `end` | end of the epoch's certificates (8) ‖ `H` | empty |
//! | `meta` | name | `schema`, `identity` |
//!
//! Rows are keyed by their expiry first: they arrive and go in about that order, so pruning drops
//! whole files.
//!
//! # Durability
//!
//! Rows, header and reservation of a submission go into one synced `WriteBatch` before the
//! signature leaves. After a crash they are there as a whole or, if the write had not returned, not
//! at all; then nobody has a signature either. Pruning takes rows and commitments, and leaves header
//! and reservation (about 250 bytes), by which expired rows are told from unknown ones and no
//! reservation is used twice. They go when no certificate of the header's epoch can be valid any
//! more and nothing of that epoch is signed; until then a reservation names one header.
//!
//! Pruning goes in steps, each of them one batch. A crash between them leaves rows whose header
//! says that they are gone; the next step takes them. A header is forgotten in one batch with its
//! reservation, not synced: a crash may bring both back, until the next step.

mod database;
mod error;
mod forget;
mod keep;
mod keys;
mod open;
mod prune;
mod read;

pub use error::{Result, StoreError};
pub use keep::Kept;
pub use open::{Identity, Store, StoreOptions};
pub use prune::Pruned;
pub use read::{Held, HeldHeader, HeldRow};

/// Version of everything described above. Another version on disk is refused.
pub const SCHEMA_VERSION: u32 = 1;
