//! From changed accounts and slots to the new state root.
//!
//! [`Tries`] reads the state and its tries through a stack of [`StateUpdate`]s over the store;
//! [`Tries::apply`] gives the update of the next block. Everything here is in hashed keys.

mod apply;
mod base;
mod head_start;
mod layered;
mod state_update;

pub(crate) use apply::{AccountInput, StorageInput, Tries};
pub(crate) use base::Base;
pub use head_start::HeadStart;
pub(crate) use layered::{LayeredTrie, slot_leaf};
pub use state_update::StateUpdate;
pub(crate) use state_update::{AccountUpdate, StorageUpdate};
