//! Genesis of a development chain.
//!
//! [`dev_genesis`] gives a geth-style genesis as an OP chain has it: every fork through Jovian
//! active from the start, the predeploys behind their proxies, the contracts that tools expect at
//! known addresses, and prefunded accounts. Code comes from `contracts/artifacts`, which is
//! generated from pinned npm packages and from our own Solidity.
//!
//! ```
//! use cairn_genesis::{DevOptions, dev_accounts, dev_genesis};
//!
//! let options = DevOptions { accounts: 3, ..DevOptions::default() };
//! let genesis = dev_genesis(&options)?;
//! assert_eq!(genesis.config.chain_id, 901);
//! for account in dev_accounts(options.accounts)? {
//!     assert!(!genesis.alloc[&account.address].balance.is_zero());
//! }
//! # Ok::<(), cairn_genesis::DevGenesisError>(())
//! ```
//!
//! - [`predeploys`]: addresses and contracts of the protocol (`0x4200…`)
//! - [`preinstalls`]: contracts of third parties at their canonical addresses
//! - [`DEV_SYSTEM`]: the fee parameters that a chain without L1 puts into its L1 attributes

mod accounts;
mod alloc;
mod artifact;
mod dev;
mod error;
pub mod predeploys;
pub mod preinstalls;

pub use accounts::{DEV_ACCOUNTS_MAX, DEV_MNEMONIC, DevAccount, derive_accounts, dev_accounts};
pub use dev::{DEV_SYSTEM, DevOptions, dev_genesis};
pub use error::DevGenesisError;
