//! The chain of one node: block import, block building, heads, and what readers see of them.
//!
//! ```text
//!  transactions ─► pool ─► sequencer thread ─► journal (synced) ─► pending state, preconfirmations
//!                                │ seals at the block time
//!  foreign blocks ─► import ─────┤
//!                                ▼
//!            recent blocks (memory) ─► persistence thread ─► store (one synced batch)
//! ```
//!
//! - [`Chain`] is the handle that everyone shares: reads by number, hash and tag, state at any
//!   block, events, import, unwind. Cheap to clone.
//! - [`Chain::derive`] builds blocks from complete attributes, for derivation: see
//!   [`DerivedPayload`]. [`Chain::advance_heads`] moves the safe and finalized heads.
//! - [`Sequencer`] builds blocks: it executes transactions as they arrive, so that
//!   [`Chain::pending`] holds them within milliseconds, and seals a block at each block time.
//!
//! # What a crash may lose
//! Nothing that was shown. A transaction enters the pending state only after its place in the open
//! block is synced to the journal, and a restarted node replays the journal into the same blocks.
//! A sealed block is in the journal until the store has it, synced. Imported blocks come from
//! elsewhere and are imported again from the store's tip.

mod block;
mod chain;
mod derive;
mod error;
mod events;
mod execute;
mod head_log;
mod header;
mod heads;
mod import;
mod local_transactions;
mod pending;
mod persistence;
mod recent;
mod retention;
mod roots;
mod sequencer;
mod startup;
mod tip_state;

pub use block::{BlockRef, ExecutedBlock, TxPosition};
pub use chain::{Chain, ChainOptions};
pub use derive::{
    DeriveError, Derived, DerivedPayload, InvalidPayload, RecoveredPayload, Recovering,
};
pub use error::{ChainError, HeaderError, ImportError};
pub use events::{ChainEvent, ChainEvents};
pub use execute::{Execution, execute_block};
pub use head_log::HeadUpdate;
pub use header::{TimestampRule, validate_header};
pub use heads::{Head, Heads};
pub use import::{Imported, recover_senders};
pub use local_transactions::LocalTransactions;
pub use pending::{PendingBlock, PendingTx, Preconfirmation};
pub use retention::Retention;
pub use roots::{OrderedRoot, ordered_root};
pub use sequencer::{
    AttributesSource, BlockTiming, DaLimit, DevAttributes, PayloadAttributes, Sequencer,
    SequencerOptions, SequencerStatus,
};
pub use startup::open_store;
