//! What test suites of several crates set up around what they test.
//!
//! - [`Anvil`]: L1 as a child process (feature `l1`)
//! - [`free_port`]: loopback ports
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
mod ports;

#[cfg(feature = "l1")]
pub use anvil::{Anvil, CHAIN_ID, account, install_tls};
#[cfg(feature = "l1")]
pub use anvil_binary::anvil_binary;
pub use disk::SmallDisk;
pub use ports::free_port;

/// Says that a test is skipped for want of something. With `CI=true` that fails.
fn skip(missing: &str) {
    assert_ne!(std::env::var("CI").as_deref(), Ok("true"), "{missing}");
    println!("skipped: {missing}");
}
