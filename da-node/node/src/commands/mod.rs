//! One file for each command.

pub(crate) mod gateway;
pub(crate) mod key;
pub(crate) mod register;
pub(crate) mod run;

use std::path::Path;

use alloy::network::EthereumWallet;
use alloy::providers::{DynProvider, Provider, ProviderBuilder};
use alloy::signers::local::PrivateKeySigner;
use cairn_da_node::keys::read_key;
use cairn_node_setup::{read_private_key, read_secret_text};
use cairn_primitives::da::Domain;
use cairn_primitives::da::bls::SecretKey;
use eyre::WrapErr;

use crate::config::L1Args;

/// The operator's key, with the password where there is a file of it.
pub(crate) fn operator_key(key: &Path, password: Option<&Path>) -> eyre::Result<SecretKey> {
    let password = password.map(read_secret_text).transpose()?;
    Ok(read_key(key, password.as_deref())?)
}

/// The account that `--l1.key` names.
pub(crate) fn l1_account(args: &L1Args) -> eyre::Result<Option<PrivateKeySigner>> {
    args.key.as_deref().map(account).transpose()
}

/// The account whose key is in a file.
pub(crate) fn account(path: &Path) -> eyre::Result<PrivateKeySigner> {
    let key = read_private_key(path)?;
    let not_one = |_| eyre::eyre!("{}: not a private key of secp256k1", path.display());
    PrivateKeySigner::from_bytes(&key).map_err(not_one)
}

/// A provider of L1, sending from an account where there is one. The nonce of each transaction is
/// asked of L1: a counter here would be wrong for good after a transaction that was never sent, and
/// after a reorganisation.
pub(crate) fn provider(
    args: &L1Args,
    account: Option<PrivateKeySigner>,
) -> eyre::Result<DynProvider> {
    let url = args.rpc.as_deref().ok_or_else(|| eyre::eyre!("l1.rpc is missing"))?;
    let url = url.parse().wrap_err("l1.rpc")?;
    Ok(match account {
        Some(account) => ProviderBuilder::default()
            .with_gas_estimation()
            .with_simple_nonce_management()
            .fetch_chain_id()
            .wallet(EthereumWallet::from(account))
            .connect_http(url)
            .erased(),
        None => ProviderBuilder::new().connect_http(url).erased(),
    })
}

/// Chain and registry.
pub(crate) fn domain(args: &L1Args) -> eyre::Result<Domain> {
    let chain_id = args.chain_id.ok_or_else(|| eyre::eyre!("l1.chain-id is missing"))?;
    let registry = args.registry.ok_or_else(|| eyre::eyre!("l1.registry is missing"))?;
    Ok(Domain { chain_id, registry })
}
