//! JSON-RPC over HTTP with several endpoints.
//!
//! Our own few lines instead of a provider of `alloy`: an answer is bounded in size before it is
//! read, `Retry-After` is obeyed, and it is known which endpoint said what, so that one that lies
//! can be left out.

mod endpoint;
mod endpoints;
mod health;

pub use endpoint::{CallError, Endpoint};
pub(crate) use endpoints::call_as;
pub use endpoints::{Attempt, Endpoints};
pub use health::{Backoff, Choice, Failure, Health};
