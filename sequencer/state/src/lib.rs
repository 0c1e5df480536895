//! The store of a Cairn node.
//!
//! Flat state, stored trie nodes, history, blocks and their indices in one RocksDB directory; the
//! incremental state root; and [views](StateView) of the state that stay right while blocks are
//! committed behind them. This crate executes nothing and knows no fork: it is given what a block
//! changed.
//!
//! # From genesis to a committed block
//!
//! ```
//! # use std::sync::Arc;
//! # use alloy_primitives::{Address, B256, U256};
//! # use cairn_primitives::{Account, Block, Header, RecoveredBlock, StateReader};
//! # use cairn_state::*;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let dir = tempfile::tempdir()?;
//! let identity = ChainIdentity {
//!     name: "cairn-dev (chain id 901)".into(),
//!     config_hash: B256::repeat_byte(1),
//!     genesis_hash: None,
//! };
//! let store = Store::open(dir.path(), Options::default(), &identity)?;
//! let alice = Address::repeat_byte(0xa1);
//! let alloc = [(alice, alloy_genesis::GenesisAccount::default().with_balance(U256::from(5)))];
//! store.init_genesis(alloc, |state| Header { state_root: state.state_root, ..Header::default() })?;
//!
//! // Execute on a view, collect the changes, compute the root.
//! let view = store.latest()?;
//! let before = view.account(alice)?;
//! let mut changes = StateChangesBuilder::new();
//! changes.account(alice, before, before.map(|old| Account { nonce: 1, ..old }));
//! let changes = Arc::new(changes.build());
//! let update = view.state_update(&changes)?;
//!
//! // Seal, keep the layer in memory as long as wanted, commit.
//! let parent = view.block();
//! let header = Header {
//!     parent_hash: parent.hash,
//!     number: parent.number + 1,
//!     state_root: update.root(),
//!     ..Header::default()
//! };
//! let block = RecoveredBlock::new(Block { header, body: Default::default() }, Vec::new());
//! let layer = Arc::new(Layer::new(block.num_hash(), parent.hash, changes, update));
//! let child = view.with_layer(layer.clone())?;
//! assert_eq!(child.account(alice)?.map(|account| account.nonce), Some(1));
//! store.commit(&[CommittedBlock { block, receipts: Default::default(), layer }])?;
//! assert_eq!(store.latest()?.account(alice)?, child.account(alice)?);
//! # Ok(()) }
//! ```
//!
//! # The parts
//!
//! - [`Store`]: [`open`](Store::open), [`init_genesis`](Store::init_genesis),
//!   [`commit`](Store::commit), [`unwind_to`](Store::unwind_to), [`prune`](Store::prune),
//!   [`verify`](Store::verify), [`stats`](Store::stats), [`warm`](Store::warm), and reads of
//!   blocks and heads.
//! - [`StateChangesBuilder`] → [`StateChanges`]: what a block changed, hashed once.
//! - [`StateView`]: implements [`StateReader`](cairn_primitives::StateReader);
//!   [`state_update`](StateView::state_update) gives the root and trie nodes of the next block,
//!   [`proof`](StateView::proof) Merkle proofs.
//! - [`Layer`]: an executed block that is not committed yet. Views take a list of them, newest
//!   first ([`Store::view`], [`StateView::with_layer`]).
//! - [`Delta`], [`PendingLayers`]: the open block, published a few hundred times a second.
//! - [`Journal`]: a small synced log for records between commits.
//!
//! # Threads
//!
//! All types are `Send + Sync`. One thread at a time commits, unwinds or prunes; others wait.
//! Reads never wait for a commit. While an unwind runs, making a view waits.
//!
//! What stands on disk, and what a crash may lose: see `schema/mod.rs`. In short, a commit is one
//! synced batch.

mod cache;
mod changes;
mod delta;
mod error;
mod journal;
mod layer;
mod options;
mod pending;
mod root;
mod schema;
mod store;
mod trie;
mod view;

pub use changes::{AccountChange, SlotChange, StateChanges, StateChangesBuilder, StorageChange};
pub use delta::Delta;
pub use error::{Result, StateError};
pub use journal::{Journal, JournalRecord};
pub use layer::Layer;
pub use options::{ChainIdentity, Keep, Options};
pub use pending::PendingLayers;
pub use root::{HeadStart, StateUpdate};
pub use schema::AccountRecord;
pub use store::{
    AccountProof, ColumnStats, CommittedBlock, Difference, GenesisState, Heads, ORPHANS_KEPT,
    PruneBound, PruneProgress, SafeHeadEntry, StorageProof, Store, StoreStats, TouchedAccount,
    TransactionLocation, VerifyProgress, VerifyReport,
};
pub use trie::BranchRecord;
pub use view::StateView;
