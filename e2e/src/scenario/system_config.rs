//! Changes of the system configuration by the owner of the rollup.

use std::path::PathBuf;

use alloy::contract::CallBuilder;
use alloy::providers::DynProvider;
use alloy::sol_types::SolCall;
use eyre::{ContextCompat, WrapErr};

use super::Chain;
use super::chain::mined;
use super::contracts::SystemConfig::{self, SystemConfigInstance};

impl Chain {
    /// The `SystemConfig` in the hands of its owner.
    ///
    /// # Errors
    /// When contract or key are not to be had.
    pub fn system_config(&self) -> eyre::Result<SystemConfigInstance<DynProvider>> {
        Ok(SystemConfig::new(self.contract("SystemConfig")?, self.l1_with_key("deployer")?))
    }

    /// Sends a call and waits until it has succeeded; gives its block.
    ///
    /// # Errors
    /// When it is refused or not mined.
    pub async fn done<C: SolCall>(
        &self,
        call: CallBuilder<&DynProvider, std::marker::PhantomData<C>>,
    ) -> eyre::Result<u64> {
        let sent = call.send().await.wrap_err(C::SIGNATURE)?;
        let receipt = mined(sent).await.wrap_err(C::SIGNATURE)?;
        receipt.block_number.wrap_err("a receipt without a block")
    }

    /// Writes the key of user `index` where a part of the devnet can take it from.
    ///
    /// # Errors
    /// When there is no such user, or the disk does not take it.
    pub fn user_key_file(&self, index: usize) -> eyre::Result<PathBuf> {
        self.devnet.dir().write_key(&format!("user-{index}"), &self.user(index)?)
    }
}
