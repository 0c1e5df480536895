//! Deploys the contracts of a rollup to any L1 and makes L2's genesis from them.
//!
//! ```text
//! DeployConfig ─► deploy(L1) ─► Deployment ─► genesis.json, addresses.json, rollup.json
//! ```
//!
//! The bridge, the dispute game factory and the system configuration are those of
//! `@eth-optimism/contracts-bedrock` 0.17.3 behind its proxies; the batch inbox, the dispute game and the
//! contracts of the DA network are ours. Left out are the `AddressManager` and the proxies that need it:
//! they serve chains that began before Bedrock, and the messenger is behind a plain proxy here.
//!
//! A run can end anywhere and the next one goes on, with no memory but L1's; a run of something that is
//! complete sends nothing. The `plan` module says how.
//!
//! ```no_run
//! use cairn_deploy::{DeployConfig, RunOptions, deploy, read_key};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let config = DeployConfig::parse("[l2]\nblock_time = 2\n", &[])?;
//! let key = read_key(Some("deployer.key".as_ref()))?;
//! let l1 = "http://127.0.0.1:8545".parse()?;
//! let deployment = deploy(l1, key, config, RunOptions::default(), &mut |_| ()).await?;
//! deployment.write("out".as_ref())?;
//! # Ok(())
//! # }
//! ```

mod artifact;
mod config;
mod contracts;
mod create2;
mod deployment;
mod error;
mod interfaces;
mod key;
mod l1;
mod output;
mod plan;
mod rollup;
mod run;

pub use config::{
    DaConfig, DeployConfig, L1Config, L2Config, PrefundedAccount, Roles, RolesConfig, Settings,
    WithdrawalsConfig,
};
pub use contracts::{Contracts, Implementations};
pub use deployment::{Deployment, Progress, RunOptions, deploy};
pub use error::DeployError;
pub use key::{KEY_VARIABLE, KeyError, read_key};
pub use output::{ADDRESSES_FILE, GENESIS_FILE, ROLLUP_FILE};
