//! Everything that drives the Cairn binaries from outside: [`process`] starts
//! real nodes, [`devnet`] makes a whole chain of them, [`scenario`] acts on
//! it and breaks it, [`rpc`] speaks to them cheaply,
//! [`bench`] measures them, [`fuzz`] feeds their decoders. Nothing here is linked into a node.

pub mod bench;
mod da;
pub mod devnet;
pub mod fuzz;
pub mod process;
mod progress;
pub mod rpc;
pub mod scenario;
