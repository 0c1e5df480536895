//! What a deployment is told: a TOML file with five sections, every key with a default that suits a
//! development chain.

use alloy_primitives::{Address, B256, keccak256};
use cairn_genesis::dev_accounts;
use serde::{Deserialize, Serialize};

use crate::DeployError;

mod check;
mod sections;

pub use sections::{
    DaConfig, L1Config, L2Config, PrefundedAccount, RolesConfig, WithdrawalsConfig,
};

/// Chain ids on which everybody knows the keys anyway.
const DEV_CHAINS: [u64; 3] = [900, 1337, 31_337];

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DeployConfig {
    /// Makes another deployment of the same values.
    pub salt: String,
    /// The chain to deploy to.
    pub l1: L1Config,
    /// The rollup.
    pub l2: L2Config,
    /// Accounts.
    pub roles: RolesConfig,
    /// Proposals and withdrawals.
    pub withdrawals: WithdrawalsConfig,
    /// The DA network.
    pub da: DaConfig,
}

/// The accounts of a deployment, all of them known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Roles {
    /// Upgrades the contracts, sets their parameters.
    pub owner: Address,
    /// Pauses withdrawals, forbids single games.
    pub guardian: Address,
    /// Appends batches.
    pub batcher: Address,
    /// Proposes output roots.
    pub proposer: Address,
    /// Decides about challenged output roots.
    pub arbiter: Address,
    /// Signs unsafe blocks.
    pub unsafe_block_signer: Address,
    /// Receives the fees on L2.
    pub fee_recipient: Address,
}

/// A configuration that was checked, with what the deployer's key and L1 add to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Settings {
    /// As configured.
    pub config: DeployConfig,
    /// Accounts.
    pub roles: Roles,
    /// Prefunded accounts of the mnemonic.
    pub accounts: u32,
    /// Who deploys.
    pub deployer: Address,
    /// Chain id of L1.
    pub l1_chain_id: u64,
}

impl DeployConfig {
    /// Reads TOML; `overrides` are further lines `section.key = value` that win over it.
    ///
    /// # Errors
    /// [`DeployError::Config`] for what is no TOML, an unknown key or a value of another type.
    pub fn parse(toml: &str, overrides: &[String]) -> Result<Self, DeployError> {
        let fail = |what: &str, e: &dyn std::fmt::Display| {
            DeployError::config("configuration", what, e.to_string().trim_end())
        };
        let mut table: toml::Table = toml.parse().map_err(|e| fail("unreadable", &e))?;
        for line in overrides {
            let one: toml::Table = line.parse().map_err(|e| fail(line, &e))?;
            merge(&mut table, one);
        }
        table.try_into().map_err(|e| fail("refused", &e))
    }

    /// Checks the values and fills in what depends on the key and on L1.
    ///
    /// # Errors
    /// [`DeployError::Config`], [`DeployError::WrongChain`]; [`DeployError::MissingRole`] on a chain
    /// that is not for development, where roles have no default.
    pub fn resolve(self, deployer: Address, l1_chain_id: u64) -> Result<Settings, DeployError> {
        if let Some(expected) = self.l1.chain_id
            && expected != l1_chain_id
        {
            return Err(DeployError::WrongChain { expected, found: l1_chain_id });
        }
        self.check(l1_chain_id)?;
        let dev = DEV_CHAINS.contains(&l1_chain_id);
        let roles = self.roles.resolve(deployer, dev.then(dev_roles), l1_chain_id)?;
        let accounts = self.l2.accounts.unwrap_or(if dev { 10 } else { 0 });
        Ok(Settings { config: self, roles, accounts, deployer, l1_chain_id })
    }
}

impl Settings {
    /// What tells this deployment from all others: equal settings give equal addresses, and settings
    /// that differ in anything share no contract.
    pub fn fingerprint(&self) -> B256 {
        let json = serde_json::to_string(self).expect("settings have a JSON form");
        keccak256(format!("cairn.deploy.v1{json}"))
    }
}

/// Accounts 1 to 4 of the usual mnemonic: batcher, proposer, arbiter, unsafe block signer.
fn dev_roles() -> [Address; 4] {
    let accounts = dev_accounts(5).expect("five accounts can be derived");
    [1, 2, 3, 4].map(|index: usize| accounts[index].address)
}

fn merge(into: &mut toml::Table, from: toml::Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(toml::Value::Table(below)), toml::Value::Table(value)) => merge(below, value),
            (_, value) => drop(into.insert(key, value)),
        }
    }
}
