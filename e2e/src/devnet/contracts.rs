//! The contracts on L1, and the genesis of L2 that follows from them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use alloy_primitives::Address;
use cairn_deploy::{ADDRESSES_FILE, DeployConfig, ROLLUP_FILE, RunOptions};
use cairn_genesis::predeploys;
use eyre::WrapErr;
use serde::Deserialize;

use super::accounts::{Accounts, Role};
use super::data_dir::DataDir;
use super::l1::CHAIN_ID;
use super::ports::http;
use super::settings::Settings;

/// Operators below which there is no snapshot, where a devnet has more.
const OPERATORS_MIN: u16 = 4;

/// What the deployer left.
#[derive(Debug)]
pub(super) struct Deployed {
    pub(super) l1: BTreeMap<String, Address>,
    pub(super) l2: BTreeMap<String, Address>,
    pub(super) l2_chain_id: u64,
}

impl Deployed {
    /// Where operators are registered.
    pub(super) fn operator_registry(&self) -> eyre::Result<Address> {
        let registry = self.l1.get("OperatorRegistry").copied();
        registry.ok_or_else(|| eyre::eyre!("the deployer names no OperatorRegistry"))
    }

    /// Where batches go, and reports of who signed their certificates.
    pub(super) fn batch_inbox(&self) -> eyre::Result<Address> {
        let inbox = self.l1.get("BatchInbox").copied();
        inbox.ok_or_else(|| eyre::eyre!("the deployer names no BatchInbox"))
    }
}

/// Deploys everything and writes `contracts/`.
pub(super) async fn deploy(
    dir: &DataDir,
    settings: &Settings,
    accounts: &Accounts,
) -> eyre::Result<Deployed> {
    let config = config(settings, accounts)?;
    let key = accounts.role(Role::Deployer)?.clone();
    let l1 = http(settings.ports.l1).parse().wrap_err("L1's URL")?;
    let deployment =
        cairn_deploy::deploy(l1, key, config, RunOptions::default(), &mut |_| ()).await?;
    deployment.write(&dir.contracts())?;
    read(dir)
}

/// The settings of the devnet, and over them those that were given for the deployment.
fn config(settings: &Settings, accounts: &Accounts) -> eyre::Result<DeployConfig> {
    let mut toml = String::new();
    let mut role = |name: &str, role| -> eyre::Result<()> {
        writeln!(toml, "roles.{name} = \"{}\"", accounts.role(role)?.address())?;
        Ok(())
    };
    role("batcher", Role::Batcher)?;
    role("proposer", Role::Proposer)?;
    role("arbiter", Role::Arbiter)?;
    role("unsafe_block_signer", Role::UnsafeBlockSigner)?;
    writeln!(toml, "l1.chain_id = {CHAIN_ID}")?;
    writeln!(toml, "l2.block_time = {}", settings.block_time)?;
    writeln!(toml, "da.operators_min = {}", settings.da_nodes.min(OPERATORS_MIN))?;
    Ok(DeployConfig::parse(&toml, &settings.deploy)?)
}

/// What is read of `rollup.json`.
#[derive(Deserialize)]
struct Rollup {
    l2_chain_id: u64,
}

/// What an earlier run deployed.
pub(super) fn read(dir: &DataDir) -> eyre::Result<Deployed> {
    let folder = dir.contracts();
    let l1 = read_json(&folder.join(ADDRESSES_FILE))?;
    let Rollup { l2_chain_id } = read_json(&folder.join(ROLLUP_FILE))?;
    Ok(Deployed { l1, l2: l2_contracts(), l2_chain_id })
}

fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> eyre::Result<T> {
    let text = std::fs::read_to_string(path).wrap_err_with(|| path.display().to_string())?;
    serde_json::from_str(&text).wrap_err_with(|| path.display().to_string())
}

/// The predeploys that users call, by their names in the OP specification.
fn l2_contracts() -> BTreeMap<String, Address> {
    let named = [
        ("BaseFeeVault", predeploys::BASE_FEE_VAULT),
        ("GasPriceOracle", predeploys::GAS_PRICE_ORACLE),
        ("L1Block", predeploys::L1_BLOCK),
        ("L1FeeVault", predeploys::L1_FEE_VAULT),
        ("L2CrossDomainMessenger", predeploys::L2_CROSS_DOMAIN_MESSENGER),
        ("L2ERC721Bridge", predeploys::L2_ERC721_BRIDGE),
        ("L2StandardBridge", predeploys::L2_STANDARD_BRIDGE),
        ("L2ToL1MessagePasser", predeploys::L2_TO_L1_MESSAGE_PASSER),
        ("OperatorFeeVault", predeploys::OPERATOR_FEE_VAULT),
        ("OptimismMintableERC20Factory", predeploys::OPTIMISM_MINTABLE_ERC20_FACTORY),
        ("OptimismMintableERC721Factory", predeploys::OPTIMISM_MINTABLE_ERC721_FACTORY),
        ("SequencerFeeVault", predeploys::SEQUENCER_FEE_VAULT),
        ("WETH", predeploys::WETH),
    ];
    named.into_iter().map(|(name, address)| (name.to_owned(), address)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devnet::ports::PortChoice;
    use crate::devnet::settings::DevnetOptions;

    #[test]
    fn the_deployment_is_that_of_the_settings_and_of_what_was_given() {
        let options = DevnetOptions {
            da_nodes: Some(2),
            deploy: vec!["withdrawals.challenge_window = 77".to_owned()],
            ports: Some(PortChoice::Auto),
            ..DevnetOptions::default()
        };
        let accounts = Accounts::derive(2).expect("derived");
        let settings = Settings::new(&options).expect("possible");
        let config = config(&settings, &accounts).expect("the deployer takes it");
        assert_eq!(config.da.operators_min, 2);
        assert_eq!(config.withdrawals.challenge_window, 77);
        let batcher = accounts.role(Role::Batcher).expect("derived").address();
        assert_eq!(config.roles.batcher, Some(batcher));
        assert!(accounts.users().iter().all(|user| Some(user.address) != config.roles.proposer));
    }

    #[test]
    fn an_unknown_setting_of_the_deployment_is_refused() {
        let options = DevnetOptions {
            deploy: vec!["withdrawals.no_such_thing = 1".to_owned()],
            ports: Some(PortChoice::Auto),
            ..DevnetOptions::default()
        };
        let accounts = Accounts::derive(4).expect("derived");
        let settings = Settings::new(&options).expect("possible");
        let error = config(&settings, &accounts).expect_err("unknown");
        assert!(error.to_string().contains("no_such_thing"), "{error}");
    }
}
