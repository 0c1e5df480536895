//! Requests to nodes: bounded in time and in the size of what comes back.

mod body;
mod requests;

pub(crate) use body::RowsBody;
pub use requests::{HeaderAnswer, Nodes};
