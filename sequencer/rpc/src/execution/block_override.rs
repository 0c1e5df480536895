//! Header fields that a caller replaces (go-ethereum `internal/ethapi/override`).

use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::U256;
use cairn_evm::Env;
use cairn_evm::revm_types::BlobExcessGasAndPrice;
use cairn_primitives::Header;
use serde::Deserialize;

use super::call_args::BigQuantity;
use crate::RpcError;
use crate::params::{AddressParam, HashParam, Quantity};

/// The fields. Older names of some of them are read too.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct BlockOverrides {
    pub(super) number: Option<BigQuantity>,
    pub(super) difficulty: Option<BigQuantity>,
    pub(super) time: Option<Quantity>,
    pub(super) gas_limit: Option<Quantity>,
    #[serde(alias = "coinbase")]
    pub(super) fee_recipient: Option<AddressParam>,
    #[serde(alias = "random")]
    pub(super) prev_randao: Option<HashParam>,
    #[serde(alias = "baseFee")]
    pub(super) base_fee_per_gas: Option<BigQuantity>,
    pub(super) blob_base_fee: Option<BigQuantity>,
    pub(super) beacon_root: Option<HashParam>,
    pub(super) withdrawals: Option<Vec<Withdrawal>>,
}

impl BlockOverrides {
    /// Refuses what only simulated blocks can have.
    pub(super) fn check_for_call(&self) -> Result<(), RpcError> {
        let unsupported = |field: &str| {
            let text = format!("block override \"{field}\" is not supported for this RPC method");
            Err(RpcError::server(text))
        };
        if self.beacon_root.is_some() {
            return unsupported("beaconRoot");
        }
        if self.withdrawals.is_some() {
            return unsupported("withdrawals");
        }
        Ok(())
    }

    /// Replaces fields of a header. The number is set by whoever orders blocks.
    pub(super) fn apply(&self, header: &mut Header) -> Result<(), RpcError> {
        if let Some(number) = self.number {
            header.number = fits("number", number.0)?;
        }
        if let Some(difficulty) = self.difficulty {
            header.difficulty = difficulty.0;
        }
        if let Some(time) = self.time {
            header.timestamp = time.0;
        }
        if let Some(limit) = self.gas_limit {
            header.gas_limit = limit.0;
        }
        if let Some(recipient) = self.fee_recipient {
            header.beneficiary = recipient.0;
        }
        if let Some(randao) = self.prev_randao {
            header.mix_hash = randao.0;
        }
        if let Some(fee) = self.base_fee_per_gas {
            header.base_fee_per_gas = Some(fits("baseFeePerGas", fee.0)?);
        }
        Ok(())
    }

    /// Replaces the price of blob gas, which no header holds.
    pub(super) fn apply_blob_fee(&self, env: &mut Env) -> Result<(), RpcError> {
        if let Some(fee) = self.blob_base_fee {
            set_blob_fee(env, fits("blobBaseFee", fee.0)?.into());
        }
        Ok(())
    }
}

/// Sets the price of blob gas and keeps the excess that it came from.
pub(super) fn set_blob_fee(env: &mut Env, blob_gasprice: u128) {
    let block = env.block_mut();
    let excess_blob_gas = block.blob_excess_gas_and_price.map_or(0, |blob| blob.excess_blob_gas);
    block.blob_excess_gas_and_price =
        Some(BlobExcessGasAndPrice { excess_blob_gas, blob_gasprice });
}

fn fits(field: &'static str, value: U256) -> Result<u64, RpcError> {
    let too_large = || RpcError::InvalidParams(format!("block override {field} is too large"));
    u64::try_from(value).map_err(|_| too_large())
}

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;
    use serde_json::{Value, json};

    use super::*;

    fn overrides(json: Value) -> BlockOverrides {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn named_fields_replace_those_of_the_header() {
        let mut header = Header { gas_limit: 7, ..Header::default() };
        let fields = json!({"number": "0x10", "time": "0x20", "baseFeePerGas": "0x1"});
        overrides(fields).apply(&mut header).unwrap();
        assert_eq!((header.number, header.timestamp, header.gas_limit), (16, 32, 7));
        assert_eq!(header.base_fee_per_gas, Some(1));
    }

    #[test]
    fn older_names_are_read() {
        let hash = B256::repeat_byte(1);
        let fields = overrides(json!({"random": hash, "baseFee": "0x2"}));
        assert_eq!(fields.prev_randao.map(|h| h.0), Some(hash));
        assert_eq!(fields.base_fee_per_gas, Some(BigQuantity(U256::from(2))));
    }

    #[test]
    fn numbers_beyond_64_bits_are_refused() {
        let fields = overrides(json!({"number": "0x10000000000000000"}));
        assert!(fields.apply(&mut Header::default()).is_err());
    }

    #[test]
    fn calls_refuse_withdrawals() {
        let error = overrides(json!({"withdrawals": []})).check_for_call().unwrap_err();
        assert_eq!(
            error.to_string(),
            "block override \"withdrawals\" is not supported for this RPC method"
        );
    }
}
