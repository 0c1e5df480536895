//! Where L1 stands.
//!
//! Heads are always read over the checked endpoints. A WebSocket subscription, where there is one,
//! only says that it is time to look: one that is silent, wrong or gone costs nothing but the
//! interval of polling.

mod follow;
mod subscribe;
mod track;

pub(crate) use follow::ended;
pub use follow::{HeadConfig, HeadFollower, HeadState, Heads};
pub use track::{HeadChange, HeadTracker};
