//! What test suites of several crates set up around what they test.
//!
//! - [`Anvil`]: L1 as a child process (feature `l1`)
//! - [`Proxy`]: faults of HTTP and JSON-RPC (feature `l1`)
//! - [`free_port`]: loopback ports
//! - [`fixtures`]: the public test suites
//! - [`SmallDisk`]: a file system that gets full
//! - [`crash`]: a child that dies at a failpoint
//!
//! Tests and e2e alone depend on it. Where something fails that is no part of a test, it panics and says what.

#[cfg(feature = "l1")]
mod anvil;
#[cfg(feature = "l1")]
mod anvil_binary;
pub mod crash;
mod disk;
mod fixtures;
mod ports;
#[cfg(feature = "l1")]
mod proxy;

#[cfg(feature = "l1")]
pub use anvil::{Anvil, CHAIN_ID, account, install_tls};
#[cfg(feature = "l1")]
pub use anvil_binary::anvil_binary;
pub use disk::SmallDisk;
pub use fixtures::fixtures;
pub use ports::free_port;
#[cfg(feature = "l1")]
pub use proxy::{Act, Answer, Passing, Proxy};

/// Says that a test is skipped for want of something. With `CI` set that fails.
fn skip(missing: &str) {
    assert!(std::env::var_os("CI").is_none(), "{missing}");
    println!("skipped: {missing}");
}
