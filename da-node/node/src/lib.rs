//! A node of the DA network: it checks its rows of each payload, stores them, signs that it holds
//! them, and serves them until they expire.
//!
//! - [`admission`]: what the node decides, without I/O
//! - [`store`]: rows, headers and reservations on disk
//! - [`l1`]: the operator registry, followed at a confirmation depth
//! - [`http`]: REST with binary bodies, JSON-RPC, health and metrics
//! - [`gateway`]: the alt-DA interface and JSON-RPC for users
//! - [`keys`]: the operator's key in a file
//! - [`Node`]: the parts put together

pub mod admission;
mod clock;
pub mod gateway;
pub mod http;
pub mod keys;
pub mod l1;
mod node;
pub mod store;
mod verify;

pub use clock::Clock;
pub use node::{Node, NodeConfig};
