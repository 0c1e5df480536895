//! The operator registry on L1, as nodes and clients read it.

mod contract;
mod error;
mod quorum;

pub use contract::OperatorRegistry;
pub use error::RegistryError;
pub use quorum::{Quorum, QuorumName, Registry};
