//! Sending what was simulated.

use alloy::contract::{Error, SolCallBuilder};
use alloy::providers::DynProvider;
use alloy::sol_types::SolCall;
use alloy_primitives::TxHash;
use cairn_da_client::registry::RegistryError;

/// The most gas of a transaction (EIP-7825).
const GAS_MAX: u64 = 1 << 24;

/// What became of a call.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is in a block.
    Mined(TxHash),
    /// It is in a block and reverted: something came in between.
    Reverted(TxHash),
    /// It would revert, and was not sent.
    Refused(Error),
}

/// Simulates a call, sends it and waits until it is mined.
///
/// # Errors
/// [`RegistryError::Provider`] where L1 does not answer.
pub(super) async fn perform<C: SolCall>(
    call: SolCallBuilder<&DynProvider, C>,
) -> Result<Outcome, RegistryError> {
    let gas = match simulate(&call).await {
        Ok(gas) => gas,
        // Without the data of a revert nobody knows whether the contract was asked at all.
        Err(error) if error.as_revert_data().is_some() => return Ok(Outcome::Refused(error)),
        Err(error) => return Err(error.into()),
    };
    let receipt = call.gas(with_margin(gas)).send().await?.get_receipt().await;
    let receipt = receipt.map_err(|error| RegistryError::Provider(error.to_string()))?;
    let hash = receipt.transaction_hash;
    if receipt.status() {
        return Ok(Outcome::Mined(hash));
    }
    tracing::warn!(target: "da::l1", transaction = %hash, "reverted");
    Ok(Outcome::Reverted(hash))
}

async fn simulate<C: SolCall>(call: &SolCallBuilder<&DynProvider, C>) -> Result<u64, Error> {
    call.call().await?;
    call.estimate_gas().await
}

/// The state changes until the transaction is in a block, and the inbox passes over nothing with too
/// little gas: a quarter more than the estimate.
const fn with_margin(estimate: u64) -> u64 {
    let gas = estimate.saturating_add(estimate / 4);
    if gas < GAS_MAX { gas } else { GAS_MAX }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_transaction_has_more_gas_than_it_may() {
        assert_eq!(with_margin(400_000), 500_000);
        assert_eq!(with_margin(GAS_MAX - 1), GAS_MAX);
        assert_eq!(with_margin(u64::MAX), GAS_MAX);
    }
}
