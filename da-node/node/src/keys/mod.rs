//! The operator's BLS key in a file: an EIP-2335 keystore, or 32 bytes in hexadecimal.
//!
//! A plain file must belong to its user alone (mode 0600 or stricter). Secrets are never taken from
//! arguments and never written to logs; a keystore's password comes from a file under the same
//! rule, or from the environment.

mod error;
mod file;
mod keystore;

pub use error::KeyError;
pub use file::{read_key, write_plain};
pub use keystore::{Keystore, ScryptCost};
