//! The server with real parts behind it: RocksDB, chain, pool, recovery workers, sequencer.

mod bad_input;
mod client;
mod conformance;
mod connections;
mod exceptions;
mod io_file;
mod logs;
mod methods;
mod node;
mod receipt_fields;
mod rollup;
mod sending;
mod subscriptions;
mod unread;
mod witness;
