//! Registering an operator.

use alloy::providers::DynProvider;
use alloy_primitives::{Address, TxHash, U256};
use cairn_da_client::registry::{OperatorRegistry, RegistryError};
use cairn_primitives::da::Domain;
use cairn_primitives::da::bls::SecretKey;

/// What an operator registers with.
#[derive(Debug)]
pub struct Registration<'a> {
    /// Chain and registry.
    pub domain: Domain,
    /// Account that sends the transaction and becomes the operator.
    pub operator: Address,
    /// Its BLS key.
    pub key: &'a SecretKey,
    /// URL under which the node answers.
    pub endpoint: String,
    /// Stake in wei.
    pub stake: U256,
}

/// Registers through a provider whose wallet has the operator's account, with a proof of possession
/// of the key.
///
/// # Errors
/// [`RegistryError::Provider`] with the contract's reason, [`RegistryError::Reverted`].
pub async fn register(
    provider: DynProvider,
    registration: &Registration<'_>,
) -> Result<TxHash, RegistryError> {
    let Registration { domain, operator, key, endpoint, stake } = registration;
    let public_key = key.public_key();
    let possession = key.prove_possession(domain.possession(*operator, &public_key));
    let registry = OperatorRegistry::new(domain.registry, provider);
    let call = registry
        .register(public_key.to_bytes().into(), possession.to_bytes().into(), endpoint.clone())
        .from(*operator)
        .value(*stake);
    let receipt = call.send().await?.get_receipt().await;
    let receipt = receipt.map_err(|error| RegistryError::Provider(error.to_string()))?;
    if receipt.status() {
        Ok(receipt.transaction_hash)
    } else {
        Err(RegistryError::Reverted(receipt.transaction_hash))
    }
}
