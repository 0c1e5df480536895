//! What every node does before and around its own work.
//!
//! - [`LogArgs`]: structured logs on standard error
//! - [`resolve`]: flags over a TOML file over defaults
//! - [`Server`]: an HTTP listener with bounds
//! - [`install_recorder`], [`metrics_router`]: `/metrics`
//! - [`read_secret_text`], [`read_private_key`], [`write_private`]: files with secrets
//! - [`told_to_stop`], [`raise_descriptor_limit`], [`install_tls`]: the process
//!
//! Nothing of any role is here, and only crates with a binary use it.

mod error;
mod logging;
mod metrics;
mod process;
mod secret_file;
mod server;
mod settings;

pub use error::SetupError;
pub use logging::{LogArgs, LogFormat};
pub use metrics::{install_recorder, metrics_router};
pub use process::{install_tls, raise_descriptor_limit, told_to_stop};
pub use secret_file::{parse_private_key, read_private_key, read_secret_text, write_private};
pub use server::{Server, ServerLimits, network_of};
pub use settings::resolve;
