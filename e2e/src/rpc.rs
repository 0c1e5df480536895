//! A small JSON-RPC client over plain HTTP/1.1.
//!
//! The load generator shares two cores with the node it measures, so it writes
//! prepared bytes to a socket and looks at answers without parsing them
//! ([`HttpConnection`]). [`RpcClient`] is the typed face over the same
//! connection for everything that is not measured. No TLS: nodes under test are
//! reached over loopback or a private network.

mod client;
mod connection;
mod endpoint;
pub mod websocket;

pub use client::{RpcClient, RpcError};
pub use connection::{HttpConnection, post_request};
pub use endpoint::Endpoint;
