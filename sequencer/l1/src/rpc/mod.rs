//! JSON-RPC over HTTP with several endpoints.
//!
//! Our own few lines instead of the HTTP transport of `alloy`: an answer is bounded in size before it
//! is read, `Retry-After` is obeyed, and it is known which endpoint said what, so that one that lies
//! can be left out. Providers of `alloy` go over them too: [`EndpointsTransport`].

mod endpoint;
mod endpoints;
mod health;
mod transport;

pub use endpoint::{CallError, Endpoint};
pub(crate) use endpoints::call_as;
pub use endpoints::{Attempt, Endpoints};
pub use health::{Backoff, Choice, Failure, Health};
pub use transport::EndpointsTransport;
