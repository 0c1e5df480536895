//! JSON-RPC over HTTP and WebSocket, with the behaviour, codes and texts of geth.
//!
//! - [`RpcServer::start`] serves a [`Backend`] on the ports of an [`RpcConfig`]
//! - [`Methods`] is the table of methods; each says on which threads it runs
//! - [`execution`] holds the methods that run the EVM; `execution::register(&mut Methods)` adds them
//!
//! No request can hold the reactor: what may touch the disk or run the EVM goes to bounded pools
//! that refuse work when too much waits.

mod args;
mod backend;
mod block_param;
mod blocking;
mod config;
mod debug_raw;
pub mod error;
mod eth;
pub mod execution;
mod feed;
mod logs;
mod methods;
mod node;
mod params;
mod rollup;
mod scan;
mod server;
mod testing;
mod txpool;
pub mod view;

pub use args::Args;
pub use backend::{Backend, StateAt, block_ref};
pub use block_param::{BlockNumberParam, BlockParam};
pub use config::{Limits, MethodLimits, NAMESPACES, PortConfig, RpcConfig};
pub use error::RpcError;
pub use eth::{block_json, receipt_views};
pub use methods::{Methods, answer};
pub use params::{AddressParam, BytesParam, HashParam, LenientCount, Quantity, storage_key};
pub use rollup::SequencerEndpoint;
pub use server::{RpcHandle, RpcServer};
